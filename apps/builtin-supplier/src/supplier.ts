import { Worker } from 'node:worker_threads';
import type { BuiltinSupplierOptions } from './server.ts';

/** A supplier that runs in a thread of its own. */
export type BuiltinSupplier = {
  /** Where `/chat/completions` and `/models` are, for example `http://127.0.0.1:41234/v1`. */
  baseUrl: string;
  apiKey: string;
  /** Resolves when the thread has ended: because `close` was called, or because it failed. Never rejects. */
  ended: Promise<'closed' | 'failed'>;
  /** Ends all requests, frees the port and stops the thread. May be called again. */
  close(): Promise<void>;
};

/** What the thread tells its parent once. */
export type WorkerMessage = { baseUrl: string } | { failure: string };

// Well above what the model and the tokenizer need (some 150 MB), well below what would harm the server
// around it.
const HEAP_LIMIT_MB = 512;

/**
 * Starts the supplier in a worker thread, so that writing text never delays the server's own requests.
 * Rejects when the port is taken or the model cannot be loaded; the error carries a code such as
 * `EADDRINUSE`.
 */
export async function startBuiltinSupplier(options: BuiltinSupplierOptions): Promise<BuiltinSupplier> {
  // The environment holds secrets of the server that this thread has no use for, and its flags are not ours
  // either.
  const worker = new Worker(workerFile(), {
    workerData: options,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MB },
  });
  const state = { closing: false };
  worker.on('error', () => undefined);
  const ended = new Promise<'closed' | 'failed'>((resolve) => {
    worker.once('exit', () => resolve(state.closing ? 'closed' : 'failed'));
  });
  const baseUrl = await firstAnswer(worker);
  const close = async (): Promise<void> => {
    state.closing = true;
    await worker.terminate();
    await ended;
  };
  return { baseUrl, apiKey: options.apiKey, ended, close };
}

async function firstAnswer(worker: Worker): Promise<string> {
  // A thread that fails says why and ends in the same breath, so whichever event comes first must win.
  const answer = await new Promise<WorkerMessage>((resolve) => {
    worker.once('message', resolve);
    worker.once('exit', () => resolve({ failure: 'WORKER_EXITED' }));
  });
  if ('baseUrl' in answer) return answer.baseUrl;
  await worker.terminate();
  throw Object.assign(new Error('the built-in supplier did not start'), { code: answer.failure });
}

/** The built worker: tests run from `src`, where Node 20 cannot start a TypeScript file as a thread. */
function workerFile(): URL {
  return new URL('../dist/worker.js', import.meta.url);
}
