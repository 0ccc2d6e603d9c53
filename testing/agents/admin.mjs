import { request } from 'node:http';
import { join } from 'node:path';

/** Gives a command of the operator over the administration socket. Throws when it is refused. */
export async function askAdmin(dataFolder, path, body) {
  const text = JSON.stringify(body);
  const { status, answer } = await new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath: join(dataFolder, 'admin.sock'),
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (response) => {
        let received = '';
        response.setEncoding('utf8');
        response.on('data', (part) => (received += part));
        response.on('end', () => resolve({ status: response.statusCode, answer: received }));
      },
    );
    call.once('error', reject);
    call.end(text);
  });
  if (status >= 300) throw new Error(`${path}: ${status} ${answer}`);
  return JSON.parse(answer).data;
}
