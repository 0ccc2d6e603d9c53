/**
 * The worker thread in which PGlite lives: it runs PostgreSQL synchronously, and on the main thread it would
 * freeze every stream of the program. It speaks PostgreSQL's wire protocol over messages.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import type { WorkerReply, WorkerRequest, WorkerStart } from './worker-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('The embedded database runs in a worker thread only.');

/**
 * On top of PGlite's own parameters: keep less old write-ahead log. PGlite's default keeps 80 MB of it, and
 * the log is of use only until the next checkpoint.
 */
const START_PARAMETERS = [...PGlite.defaultStartParams, '-c', 'min_wal_size=32MB'];

const { folder } = workerData as WorkerStart;

function reply(message: WorkerReply): void {
  if (message.kind === 'bytes') port?.postMessage(message, [message.bytes.buffer as ArrayBuffer]);
  else port?.postMessage(message);
}

/**
 * Answers are sent piece by piece as PostgreSQL writes them. After a panic (a full disk, for instance) PGlite
 * may never return from the call, and the piece that says so must be out by then.
 */
function execute(pglite: PGlite, bytes: Uint8Array): Promise<void> {
  return pglite.execProtocolRawStream(bytes, {
    syncToFs: false,
    // A copy, because the bytes are a view into memory that PostgreSQL writes to again.
    onRawData: (chunk) => reply({ kind: 'bytes', bytes: chunk.slice() }),
  });
}

async function close(pglite: PGlite): Promise<void> {
  await pglite.close();
  reply({ kind: 'closed' });
  port?.close();
}

async function main(): Promise<void> {
  const pglite = await PGlite.create({ dataDir: folder, startParams: START_PARAMETERS });
  port?.on('message', (request: WorkerRequest) => {
    const done = request.kind === 'close' ? close(pglite) : execute(pglite, request.bytes);
    done.catch(fail);
  });
  reply({ kind: 'ready' });
}

/** Only the kind of the error: its text could quote the statement. */
function fail(error: unknown): void {
  reply({ kind: 'failed', reason: error instanceof Error ? error.name : 'unknown' });
}

main().catch((error: unknown) => {
  // Before the first statement there is nothing to keep from view, and the text is what helps.
  reply({ kind: 'failed', reason: error instanceof Error ? error.message : 'unknown' });
});
