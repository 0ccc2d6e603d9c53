/** Turns what can go wrong at the start into what is wrong and what to do. Nothing else of an error is shown. */

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
      return 'The disk is full.\nFree some space on the disk of the data folder, or choose another one with --data.';
    default:
      return `The start failed (${error instanceof Error ? error.name : 'unknown error'}${code === undefined ? '' : `, ${code}`}).\nRun again with LOG_LEVEL=error to see where.`;
  }
}
