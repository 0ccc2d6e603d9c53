import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAGIC } from './format.ts';
import { countOf, findChild, loadTable, MODEL_FILE } from './table.ts';

const file = readFileSync(MODEL_FILE);
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'model-table-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the shipped table', () => {
  it('is the file that SOURCE.md describes', () => {
    const source = readFileSync(new URL('SOURCE.md', MODEL_FILE), 'utf8');
    expect(source).toContain(createHash('sha256').update(file).digest('hex'));
    expect(source).toContain(`- Size: ${file.length} bytes.`);
  });

  it('is between one and three megabytes', () => {
    expect(file.length).toBeGreaterThan(1_000_000);
    expect(file.length).toBeLessThan(3_000_000);
  });

  it('finds n-grams, and none that were never written', () => {
    const table = loadTable();
    const number = (word: string): number => table.wordNumbers.get(word)!;
    const bigram = findChild(table, 0, number('sperm'), number('whale'))!;
    expect(countOf(table.levels[1]!, bigram)).toBeGreaterThan(20);
    expect(findChild(table, 1, bigram, number(','))).toBeDefined();
    expect(findChild(table, 0, number('the'), number('the'))).toBeUndefined();
  });

  it('has children for every level, in ascending order', () => {
    const { levels } = loadTable();
    for (let depth = 0; depth < levels.length - 1; depth++) {
      const { words, childStarts } = levels[depth]!;
      const children = levels[depth + 1]!.words;
      expect(childStarts[words.length]).toBe(children.length);
      let disordered = 0;
      for (let parent = 0; parent < words.length; parent++) {
        for (let child = childStarts[parent]! + 1; child < childStarts[parent + 1]!; child++) {
          if (children[child]! <= children[child - 1]!) disordered++;
        }
      }
      expect(disordered).toBe(0);
    }
  });
});

describe('a damaged table', () => {
  const damaged = (bytes: Buffer): string => {
    const path = join(folder, 'damaged.bin');
    writeFileSync(path, bytes);
    return path;
  };

  it.each([
    ['another kind of file', Buffer.from('not a table at all')],
    ['a file cut short', file.subarray(0, 100_000)],
    ['content cut short', repack((content) => content.subarray(0, -1))],
    ['content that goes on', repack((content) => Buffer.concat([content, Buffer.of(0)]))],
  ])('refuses %s', (_, bytes) => {
    expect(() => loadTable(damaged(bytes))).toThrow();
  });
});

function repack(change: (content: Buffer) => Buffer): Buffer {
  const content = brotliDecompressSync(file.subarray(MAGIC.length));
  return Buffer.concat([Buffer.from(MAGIC), brotliCompressSync(change(content), { params: { 1: 1 } })]);
}
