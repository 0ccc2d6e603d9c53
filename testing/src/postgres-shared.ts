/**
 * One PostgreSQL server for a whole test run, started when the first test asks for it. Test files run in
 * processes of their own, so the run's main process keeps the server and answers on a socket.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { attachPostgres, startPostgres, type TestPostgres } from './postgres.ts';

const BROKER_VARIABLE = 'OPENGRID_TEST_POSTGRES';

let own: Promise<TestPostgres> | undefined;

/**
 * A server that tests share: `TEST_DATABASE_URL` when it is set, else the test run's, else one of this
 * process. Make databases on it with `newDatabase()`, and leave stopping to the run.
 */
export async function sharedPostgres(): Promise<TestPostgres> {
  const broker = process.env[BROKER_VARIABLE];
  const given = process.env.TEST_DATABASE_URL;
  own ??= given
    ? Promise.resolve(attachPostgres(given))
    : broker
      ? ask(broker)
      : startPostgres({ fsync: 'off' });
  return own;
}

async function ask(broker: string): Promise<TestPostgres> {
  const answer = await text(connect(broker));
  if (!answer.startsWith('postgres://')) throw new Error(answer || 'The test run has no PostgreSQL.');
  return attachPostgres(answer);
}

/**
 * Offers a server to the processes of this test run, which learn of it from the environment.
 *
 * @returns what ends the offer, and the server when it was started.
 */
export async function offerSharedPostgres(): Promise<() => Promise<void>> {
  let started: Promise<TestPostgres> | undefined;
  const folder = mkdtempSync(join(tmpdir(), 'opengrid-broker-'));
  const address = join(folder, 'broker.sock');
  const broker = createServer((socket) => {
    socket.on('error', () => {});
    started ??= startPostgres({ fsync: 'off' });
    started.then(
      (server) => socket.end(server.url),
      (error: Error) => socket.end(error.message),
    );
  });
  await new Promise<void>((resolve) => broker.listen(address, resolve));
  process.env[BROKER_VARIABLE] = address;
  return async () => {
    broker.close();
    const server = await started?.catch(() => undefined);
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
