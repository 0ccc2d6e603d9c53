/**
 * The table file: 8 bytes of magic, then one brotli stream. Inside it, all numbers are varints: vocabulary
 * size, byte length of the vocabulary, the words joined by a zero byte (most frequent first); one quantised
 * count a word; then for levels 2, 3 and 4 the n-grams as a prefix tree: for every node of the level above,
 * in order, the number of its children, the gaps between their sorted word numbers, and after all of these
 * one quantised count a child.
 */
export const MAGIC = 'OGNGRAM1';

/** The longest n-gram: three words of context and the word that follows. */
export const ORDER = 4;

const EXACT_LIMIT = 32;
const STEP = Math.log(1.05);

/** One byte for a count: exact up to 32, then in steps of five per cent. */
export function quantiseCount(count: number): number {
  if (count <= EXACT_LIMIT) return count;
  return Math.min(255, EXACT_LIMIT + Math.round(Math.log(count / EXACT_LIMIT) / STEP));
}

/** The count a byte stands for. */
export function restoreCount(code: number): number {
  return code <= EXACT_LIMIT ? code : EXACT_LIMIT * Math.exp((code - EXACT_LIMIT) * STEP);
}

/** Collects varints and bytes into one buffer; used by the build script. */
export class ByteWriter {
  #bytes: number[] = [];

  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.#bytes.push(rest);
  }

  bytes(values: Iterable<number>): void {
    for (const value of values) this.#bytes.push(value);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Reads what ByteWriter wrote. Throws when the data ends early, which means that the file is damaged. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 7) {
      const byte = this.#bytes[this.#position++];
      if (byte === undefined) throw new Error('model table ends early');
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new Error('model table holds a number that is too long');
  }

  bytes(size: number): Uint8Array {
    const end = this.#position + size;
    if (end > this.#bytes.length) throw new Error('model table ends early');
    const view = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return view;
  }

  /** True when every byte has been read. */
  finished(): boolean {
    return this.#position === this.#bytes.length;
  }
}
