import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { LineHash } from './line-hash.ts';

it('hashes lines of numbers as their text, however long and however many', () => {
  const lines = [[0], [9, 10, 99, 100], [2 ** 31 - 1, 2 ** 31, 1e9, 1e18 / 1000], [Number.MAX_SAFE_INTEGER]];
  for (let index = 0; index < 20_000; index += 1) lines.push([index, index * 1_000_003]);
  const hash = new LineHash(createHash('sha256'));
  for (const line of lines) hash.line(line);
  const text = lines.map((line) => line.join(',')).join('\n');
  expect(hash.digest()).toBe(createHash('sha256').update(text).digest('hex'));
});
