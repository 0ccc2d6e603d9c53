/** Messages between the main thread and the thread that runs PGlite. */
import { fileURLToPath } from 'node:url';

/** Given to the worker when it starts. */
export interface WorkerStart {
  /** PGlite's own folder. */
  readonly folder: string;
}

/** `bytes` are whole messages of PostgreSQL's wire protocol. */
export type WorkerRequest =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'close' };

export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'closed' };

/**
 * Worker threads run built code, also when the program itself runs from source (Node 20 cannot run
 * TypeScript).
 */
export function workerFile(): string {
  const here = fileURLToPath(new URL('./worker.js', import.meta.url));
  return here.replace(/([\\/])src([\\/]store[\\/]embedded[\\/])/, '$1dist$2');
}
