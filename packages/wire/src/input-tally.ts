import { Buffer } from 'node:buffer';

/**
 * Bytes of the JSON of a value, without what escapes add: printing a coding agent's tools only to measure
 * them costs more than reading its whole request.
 */
function jsonBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value) + 2;
  if (typeof value !== 'object' || value === null) return String(value).length;
  // Brackets, and commas between members.
  let bytes = 2;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) bytes += jsonBytes(item);
    count = value.length;
  } else {
    for (const name in value) {
      const member = (value as Record<string, unknown>)[name];
      if (member === undefined) continue;
      bytes += Buffer.byteLength(name) + 3 + jsonBytes(member);
      count += 1;
    }
  }
  return bytes + Math.max(0, count - 1);
}

/** Adds up what an input weighs while it is read. */
export class InputTally {
  textBytes = 0;
  imageCount = 0;

  /** Counts the UTF-8 bytes of a text. */
  text(text: string | undefined): void {
    if (text !== undefined) this.textBytes += Buffer.byteLength(text);
  }

  /** Counts a value by the bytes of its JSON, escapes aside. */
  json(value: unknown): void {
    this.textBytes += jsonBytes(value);
  }

  /** Counts an image, whose bytes say nothing about its tokens. */
  image(): void {
    this.imageCount += 1;
  }
}
