/** Turns what can go wrong at the start into what is wrong and what to do. Nothing else of an error is shown. */
import { DiskFull } from '../store/database.ts';

const DISK_IS_FULL =
  'The disk of the database is full.\nFree some space on it and start again, or choose another data folder with --data.';

interface Hinted {
  readonly message: string;
  readonly hint: string;
}

function isHinted(error: unknown): error is Hinted {
  return error instanceof Error && 'hint' in error && typeof error.hint === 'string';
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export interface StartAddress {
  readonly host: string;
  readonly port: number;
}

/** Two lines for a person. */
export function explainFailure(error: unknown, { host, port }: StartAddress): string {
  if (error instanceof DiskFull) return DISK_IS_FULL;
  if (isHinted(error)) return `${error.message}\n${error.hint}`;
  const code = codeOf(error);
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is taken by another program.\nStop that program, or choose another port: npm start -- --port ${port + 1}`;
    case 'EACCES':
      return `This user may not listen on port ${port}, or may not write the data folder.\nChoose a port above 1023 (--port) or another folder (--data).`;
    case 'EADDRNOTAVAIL':
      return `${host} is not an address of this machine.\nUse --host 127.0.0.1, or 0.0.0.0 for every address.`;
    case 'ENOSPC':
      return DISK_IS_FULL;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host name ${host} is not known here.\nUse --host 127.0.0.1, or 0.0.0.0 for every address.`;
    default:
      return `The start failed (${error instanceof Error ? error.name : 'unknown error'}${code === undefined ? '' : `, ${code}`}).\nRun again with LOG_LEVEL=error to see where.`;
  }
}
