import { GridFailure } from '@opengrid/wire';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { silentTelemetry } from '../../sequencer/testing.ts';
import { migrate } from '../../store/migrate.ts';
import { openEmbeddedStore, type TestStore } from '../../store/testing.ts';
import {
  IdempotencyKeys,
  idempotencyKeyOf,
  type KeyedAct,
  type PerformedAnswer,
} from './idempotency-keys.ts';

const SIGNATURE = { keyId: 'skey_1', hash: Buffer.alloc(32, 3) };
const REQUEST = {
  accountNumber: 7,
  method: 'POST',
  path: '/orders',
  key: 'k-1',
  query: '',
  body: Buffer.from('{"a":1}'),
  signature: SIGNATURE,
  keepMs: 1_000_000,
};
const DONE: PerformedAnswer = { status: 201, text: '{"data":{"id":"x"}}', isUnknown: false };

let store: TestStore;
let nowMs: number;
let writer: { isLeading: boolean; epoch: number };
let performed: number;
beforeAll(async () => {
  store = await openEmbeddedStore();
  await migrate({ database: store.database });
});
afterAll(() => store.close());
beforeEach(async () => {
  nowMs = 5_000_000;
  writer = { isLeading: true, epoch: 4 };
  performed = 0;
  await store.database.query({ text: 'delete from idempotency_keys' });
});

/** A process that shares the store with the others. */
function process(waitMs = 2_000): IdempotencyKeys {
  const secret = Buffer.alloc(32, 1);
  const clock = (): number => nowMs;
  const { database } = store;
  return new IdempotencyKeys({
    database,
    telemetry: silentTelemetry,
    secret,
    writer: () => writer,
    clock,
    waitMs,
  });
}

function act(
  answer: PerformedAnswer | Promise<PerformedAnswer> = DONE,
  recorded?: PerformedAnswer,
): KeyedAct {
  return {
    perform: async () => {
      performed += 1;
      return answer;
    },
    recover: async () => recorded,
  };
}

async function codeOf(running: Promise<unknown>): Promise<string> {
  const error: unknown = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof GridFailure ? error.error.code : String(error);
}

function deferred(): { promise: Promise<PerformedAnswer>; resolve: (answer: PerformedAnswer) => void } {
  let resolve = (_answer: PerformedAnswer): void => {};
  const promise = new Promise<PerformedAnswer>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

it('a call under a key happens once, in every process, until its time is over', async () => {
  const [one, other] = [process(), process()];
  expect(await one.run(REQUEST, act())).toMatchObject({ status: 201, isReplay: false });
  const again = await other.run(REQUEST, act());
  expect(again).toEqual({ status: 201, text: DONE.text, isReplay: true });
  expect(performed).toBe(1);
  nowMs += REQUEST.keepMs;
  expect(await other.run(REQUEST, act())).toMatchObject({ isReplay: false });
  expect(performed).toBe(2);
});

it('another body, query, account, method, path or key is another matter', async () => {
  const keys = process();
  await keys.run(REQUEST, act());
  for (const other of [{ body: Buffer.from('{"a":2}') }, { query: 'side=buy' }]) {
    expect(await codeOf(keys.run({ ...REQUEST, ...other }, act()))).toBe('idempotency_key_conflict');
  }
  for (const other of [{ accountNumber: 8 }, { method: 'PUT' }, { path: '/orders2' }, { key: 'k-2' }]) {
    expect(await keys.run({ ...REQUEST, ...other }, act())).toMatchObject({ isReplay: false });
  }
  expect(performed).toBe(5);
});

it('neither the key nor the body is stored as it came', async () => {
  await process().run({ ...REQUEST, key: 'secret-key-text', body: Buffer.from('{"secret":"body"}') }, act());
  const { rows } = await store.database.query({ text: 'select * from idempotency_keys' });
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toMatch(/secret/);
});

it('of many at once one runs, and all get its answer', async () => {
  const processes = [process(), process(), process()];
  const { promise, resolve } = deferred();
  const running = processes.flatMap((keys) => [
    keys.run(REQUEST, act(promise)),
    keys.run(REQUEST, act(promise)),
  ]);
  resolve(DONE);
  const answers = await Promise.all(running);
  expect(performed).toBe(1);
  expect(answers.filter(({ isReplay }) => !isReplay)).toHaveLength(1);
  expect(new Set(answers.map(({ text }) => text))).toEqual(new Set([DONE.text]));
});

it('a call that still runs is told so, here and in other processes', async () => {
  const here = process(20);
  const { promise, resolve } = deferred();
  const first = here.run(REQUEST, act(promise));
  expect(await codeOf(here.run(REQUEST, act()))).toBe('idempotency_in_progress');
  expect(await codeOf(process(20).run(REQUEST, act()))).toBe('idempotency_in_progress');
  resolve(DONE);
  await first;
  expect(performed).toBe(1);
});

it('what failed without effect is carried out again, what failed unexpectedly only if nothing was recorded', async () => {
  const keys = process();
  for (const status of [503, 429, 401, 500])
    expect(await keys.run(REQUEST, act({ ...DONE, status }))).toMatchObject({ status, isReplay: false });
  expect(performed).toBe(4);
  expect(await keys.run(REQUEST, act(DONE, { ...DONE, text: '{"data":"recorded"}' }))).toMatchObject({
    text: '{"data":"recorded"}',
    isReplay: true,
  });
  expect(performed).toBe(4);
  expect(await keys.run(REQUEST, act())).toMatchObject({ text: '{"data":"recorded"}', isReplay: true });
});

it('an attempt whose process died is looked up by its signature once a new writer leads', async () => {
  const unknown = act({ status: 500, text: '{}', isUnknown: true });
  await process().run(REQUEST, unknown);
  const survivor = process(20);
  expect(await codeOf(survivor.run(REQUEST, act()))).toBe('idempotency_in_progress');
  writer = { isLeading: false, epoch: 5 };
  expect(await codeOf(survivor.run(REQUEST, act()))).toBe('idempotency_in_progress');
  writer = { isLeading: true, epoch: 5 };
  expect(await survivor.run(REQUEST, act(DONE, DONE))).toMatchObject({ isReplay: true });
  expect(performed).toBe(1);
});

it('an attempt that left nothing behind is carried out again by one successor alone', async () => {
  await process().run(REQUEST, act({ status: 500, text: '{}', isUnknown: true }));
  writer = { isLeading: true, epoch: 5 };
  const answers = await Promise.all([process(), process()].map((keys) => keys.run(REQUEST, act())));
  expect(answers.map(({ isReplay }) => isReplay).sort()).toEqual([false, true]);
  expect(performed).toBe(2);
});

it('takes one key of visible characters, and forgets what is over', async () => {
  expect(idempotencyKeyOf(undefined)).toBeUndefined();
  expect(idempotencyKeyOf('!'.repeat(255))).toHaveLength(255);
  for (const bad of ['', 'a b', 'ä', 'x'.repeat(256), ['a', 'b'], 'a\u007f'])
    expect(() => idempotencyKeyOf(bad)).toThrow(GridFailure);
  const keys = process();
  await keys.run(REQUEST, act());
  await keys.purge();
  const count = async () => (await store.database.query({ text: 'select 1 from idempotency_keys' })).rowCount;
  expect(await count()).toBe(1);
  nowMs += REQUEST.keepMs;
  await keys.purge();
  expect(await count()).toBe(0);
});
