import { request } from 'node:http';
import { join } from 'node:path';

/** An answer of the admin socket. */
export interface AdminAnswer {
  readonly status: number;
  readonly data: Record<string, unknown>;
}

/** Sends one of the operator's commands to a running program. Errors of the program are answers. */
export function askAdmin(
  dataFolder: string,
  command: { method: 'GET' | 'POST'; path: string; body?: unknown },
): Promise<AdminAnswer> {
  const bytes = command.body === undefined ? undefined : Buffer.from(JSON.stringify(command.body));
  const headers = bytes === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: join(dataFolder, 'admin.sock'), method: command.method, path: command.path, headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => {
          const body = text === '' ? {} : JSON.parse(text);
          resolve({ status: response.statusCode ?? 0, data: body.data ?? body });
        });
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(bytes);
  });
}
