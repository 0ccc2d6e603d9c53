import { createReadStream } from 'node:fs';
import { constants, createInflateRaw, type InflateRaw } from 'node:zlib';

/** Takes the next bytes and says whether more are wanted. */
export type Sink = (bytes: Buffer) => 'more' | 'enough' | Promise<'more' | 'enough'>;

/** Something that can be read from any offset, more than once: a file, a buffer, an inflated member. */
export type Source = { where: string; feed(start: number, sink: Sink): Promise<void> };

export const chunkBytes = 1024 * 1024;

const inflatedLimitBytes = 64 * 1024 * 1024;
// What a broken member gave since the last full output buffer is lost with it, so the buffer is small.
const inflateBufferBytes = 1024;

export function bufferSource(bytes: Buffer, where: string): Source {
  const feed = async (start: number, sink: Sink) => {
    for (let at = start; at < bytes.length; at += chunkBytes) {
      if ((await sink(bytes.subarray(at, at + chunkBytes))) === 'enough') return;
    }
  };
  return { where, feed };
}

/** Reads a file of any size. `feed` throws what the file system throws. */
export function fileSource(path: string, where: string): Source {
  const feed = async (start: number, sink: Sink) => {
    for await (const bytes of createReadStream(path, { start, highWaterMark: chunkBytes })) {
      if ((await sink(bytes as Buffer)) === 'enough') return;
    }
  };
  return { where, feed };
}

/**
 * The inflated content of the gzip member at an offset, up to 64 MiB. A member that is cut off or broken
 * gives what came before the break; what is no member at all gives nothing.
 */
export function gzipMemberSource(outer: Source, offset: number): Source {
  const feed = (start: number, sink: Sink) => inflateMember({ outer, offset, start }, sink);
  return { where: `${outer.where} > gzip at ${offset}`, feed };
}

type Member = { outer: Source; offset: number; start: number };

async function inflateMember({ outer, offset, start }: Member, sink: Sink): Promise<void> {
  const inflate = createInflateRaw({ chunkSize: inflateBufferBytes, finishFlush: constants.Z_SYNC_FLUSH });
  let isOver = false;
  const ended = new Promise<void>((resolve) => {
    for (const event of ['end', 'error', 'close']) {
      inflate.once(event, () => {
        isOver = true;
        resolve();
      });
    }
  });
  let skip = start;
  let size = 0;
  inflate.on('data', (bytes: Buffer) => {
    size += bytes.length;
    if (size > inflatedLimitBytes) inflate.destroy();
    if (bytes.length > skip) void sink(bytes.subarray(skip));
    skip = Math.max(0, skip - bytes.length);
  });
  let header: number | undefined;
  await outer.feed(offset, async (bytes) => {
    header ??= gzipHeaderSize(bytes);
    // A header longer than the first piece would be odd enough to be no header.
    if (header < 0 || isOver) return 'enough';
    await Promise.race([ended, written(inflate, bytes.subarray(header))]);
    header = 0;
    return isOver ? 'enough' : 'more';
  });
  if (!isOver) inflate.end();
  if (header !== undefined && header >= 0) await ended;
  inflate.destroy();
}

function written(inflate: InflateRaw, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => void inflate.write(bytes, () => resolve()));
}

const flagCrc = 2;
const flagExtra = 4;
const flagName = 8;
const flagComment = 16;

/** Size of the gzip header (RFC 1952) that the bytes start with, or -1. */
export function gzipHeaderSize(bytes: Buffer): number {
  const flags = bytes[3];
  if (flags === undefined || flags >= 32 || bytes.length < 10 || bytes[2] !== 8) return -1;
  let size = 10;
  if (flags & flagExtra) size += 2 + (bytes[size] ?? 0) + 256 * (bytes[size + 1] ?? 0);
  for (const flag of [flagName, flagComment]) {
    if (!(flags & flag)) continue;
    const end = bytes.indexOf(0, size);
    if (end < 0) return -1;
    size = end + 1;
  }
  if (flags & flagCrc) size += 2;
  return size <= bytes.length ? size : -1;
}
