import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { ByteReader, MAGIC, ORDER, restoreCount } from './format.ts';

/** One level of the prefix tree: parallel arrays, one entry a node. */
export type Level = {
  /** The last word of the n-gram. */
  words: Uint16Array;
  /** Quantised counts; `countOf` restores them. */
  codes: Uint8Array;
  /**
   * Where the children of node `i` start in the next level; entry `i + 1` is where they end. Empty on the
   * last level.
   */
  childStarts: Uint32Array;
};

/**
 * A frozen n-gram table. Level 0 holds the words themselves: node number and word number are the same there.
 */
export type Table = {
  words: string[];
  wordNumbers: Map<string, number>;
  levels: Level[];
};

const COUNTS = Float64Array.from({ length: 256 }, (_, code) => restoreCount(code));

/** The shipped table; the path is the same seen from `src` and from `dist`. */
export const MODEL_FILE = new URL('../../model/english-4gram.bin', import.meta.url);

/** How often the n-gram was seen in the source text (within the precision of one byte). */
export function countOf(level: Level, node: number): number {
  return COUNTS[level.codes[node]!]!;
}

/**
 * Finds the child with this word among the children of `parent`; undefined when the n-gram is not in the
 * table.
 */
export function findChild(table: Table, depth: number, parent: number, word: number): number | undefined {
  const starts = table.levels[depth]!.childStarts;
  const words = table.levels[depth + 1]!.words;
  let low = starts[parent]!;
  let high = starts[parent + 1]! - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = words[middle]!;
    if (found === word) return middle;
    if (found < word) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

/** Reads a table file. Throws when the file is missing or damaged. */
export function loadTable(file: URL | string = MODEL_FILE): Table {
  const data = readFileSync(file);
  if (data.subarray(0, MAGIC.length).toString('latin1') !== MAGIC) throw new Error('not a model table');
  const reader = new ByteReader(brotliDecompressSync(data.subarray(MAGIC.length)));
  const table = readTable(reader);
  if (!reader.finished()) throw new Error('model table has bytes left over');
  return table;
}

function readTable(reader: ByteReader): Table {
  const size = reader.varint();
  const words = Buffer.from(reader.bytes(reader.varint())).toString('utf8').split('\0');
  if (words.length !== size) throw new Error('model table has a damaged vocabulary');
  const levels: Level[] = [
    {
      words: Uint16Array.from(words.keys()),
      codes: reader.bytes(size).slice(),
      childStarts: new Uint32Array(0),
    },
  ];
  for (let depth = 1; depth < ORDER; depth++) levels.push(readLevel(reader, levels[depth - 1]!));
  return { words, wordNumbers: new Map(words.map((word, number) => [word, number])), levels };
}

function readLevel(reader: ByteReader, above: Level): Level {
  const size = reader.varint();
  const words = new Uint16Array(size);
  const childStarts = new Uint32Array(above.words.length + 1);
  let position = 0;
  for (let parent = 0; parent < above.words.length; parent++) {
    const end = position + reader.varint();
    for (let word = -1; position < end; position++) {
      word += reader.varint();
      words[position] = word;
    }
    childStarts[parent + 1] = position;
  }
  above.childStarts = childStarts;
  return { words, codes: reader.bytes(size).slice(), childStarts: new Uint32Array(0) };
}
