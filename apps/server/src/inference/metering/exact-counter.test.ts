import { Content } from '@opengrid/wire';
import { afterEach, expect, it } from 'vitest';
import { WorkerCounter } from './exact-counter.ts';

let counter: WorkerCounter;

afterEach(async () => {
  await counter.close();
});

it('counts in its thread, special tokens as the text they are', async () => {
  counter = new WorkerCounter({ timeoutMs: 30_000 });
  const counts = ['', 'hello world', 'a <|endoftext|> b'].map((text) => counter.count(Content.of(text)));
  const [nothing, two, marked] = await Promise.all(counts);
  expect([nothing, two]).toEqual([0, 2]);
  expect(marked).toBeGreaterThan(4);
});

it('gives up on what takes too long, and counts the next text all the same', async () => {
  counter = new WorkerCounter({ timeoutMs: 30_000 });
  await counter.count(Content.of('warm'));
  Object.assign(counter, { timeoutMs: 50 });
  expect(await counter.count(Content.of('a'.repeat(200_000)))).toBeUndefined();
  Object.assign(counter, { timeoutMs: 30_000 });
  expect(await counter.count(Content.of('hello world'))).toBe(2);
});

it('knows nothing of texts that are too long, nor after it was closed', async () => {
  counter = new WorkerCounter({ timeoutMs: 30_000 });
  expect(await counter.count(Content.of('a'.repeat(2 * 1024 * 1024)))).toBeUndefined();
  await counter.close();
  expect(await counter.count(Content.of('hello'))).toBeUndefined();
});
