import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** Undoes the compression of an answer. Suppliers are asked for none, and some compress all the same. */
export interface Decoder {
  write(bytes: Buffer): void;
  end(): void;
  pause(): void;
  resume(): void;
  close(): void;
}

export interface DecoderEvents {
  onBytes(bytes: Buffer): void;
  onEnd(): void;
  onError(): void;
}

const CODINGS: ReadonlyMap<string, () => ReturnType<typeof createGunzip>> = new Map([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/** A decoder for a content coding; undefined for plain bytes, `unknown` for a coding that nobody here knows. */
export function decoderFor(
  coding: string | string[] | undefined,
  events: DecoderEvents,
): Decoder | undefined | 'unknown' {
  const name = String(coding ?? 'identity')
    .trim()
    .toLowerCase();
  if (name === '' || name === 'identity') return undefined;
  const create = CODINGS.get(name);
  if (create === undefined) return 'unknown';
  const stream = create();
  stream.on('data', (bytes: Buffer) => events.onBytes(bytes));
  stream.on('end', () => events.onEnd());
  stream.on('error', () => events.onError());
  return {
    write: (bytes) => void stream.write(bytes),
    end: () => void stream.end(),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    close: () => void stream.destroy(),
  };
}
