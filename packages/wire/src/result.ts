import type { GridError } from './errors/grid-error.ts';

/** An expected outcome: a value, or the error the client is told. */
export type Result<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: GridError };
