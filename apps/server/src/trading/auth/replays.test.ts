import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { migrate } from '../../store/migrate.ts';
import { openEmbeddedStore, type TestStore } from '../../store/testing.ts';
import { type CopyRule, type Replay, SignatureReplays } from './replays.ts';

const USE = { keyId: 'skey_1', hash: Buffer.alloc(32, 7) };
const RECORDED = { commandSeq: 5, objectId: 'order_1', atMs: 1_000_000 };

let store: TestStore;
let replays: SignatureReplays;
let nowMs: number;
let isLeading: boolean;
beforeAll(async () => {
  store = await openEmbeddedStore();
  await migrate({ database: store.database });
});
afterAll(() => store.close());
beforeEach(async () => {
  nowMs = 1_000_000;
  isLeading = true;
  await store.database.query({ text: 'delete from signature_replays' });
  replays = await SignatureReplays.open({
    database: store.database,
    policy: 'coalesce',
    isLeading: () => isLeading,
    clock: () => nowMs,
  });
});

async function begin(copies: CopyRule = 'coalesce', use = USE): Promise<Replay | string> {
  const result = await replays.begin(use, copies);
  return result.ok ? result.value : result.error.code;
}

async function first(copies: CopyRule = 'coalesce'): Promise<Extract<Replay, { kind: 'first' }>> {
  const replay = await begin(copies);
  if (typeof replay === 'string' || replay.kind !== 'first') throw new Error('expected the first');
  return replay;
}

it('a copy waits for the first, and is answered from what it recorded', async () => {
  const { end } = await first();
  const copy = begin();
  end(RECORDED);
  expect(await copy).toEqual({ kind: 'copy', recorded: RECORDED });
  expect(await begin('coalesce', { ...USE, keyId: 'skey_2' })).toMatchObject({ kind: 'first' });
  nowMs += 90_000;
  expect(await begin()).toMatchObject({ kind: 'first' });
});

it('of many copies of a refused request one at a time is carried out', async () => {
  const { end } = await first();
  const copies = [begin(), begin()];
  end('refused');
  const next = await Promise.race(copies);
  expect(next).toMatchObject({ kind: 'first' });
  (next as Extract<Replay, { kind: 'first' }>).end(RECORDED);
  const kinds = (await Promise.all(copies)).map((replay) =>
    typeof replay === 'string' ? replay : replay.kind,
  );
  expect(kinds.sort()).toEqual(['copy', 'first']);
});

it('a copy of a cancel is carried out again for two seconds, and has no effect later', async () => {
  (await first('repeat')).end(RECORDED);
  nowMs += 1_999;
  (await first('repeat')).end('refused');
  nowMs += 1;
  expect(await begin('repeat')).toEqual({ kind: 'copy', recorded: RECORDED });
});

it('after an unknown outcome the store decides, but not before the engine has recovered', async () => {
  (await first()).end('unknown');
  isLeading = false;
  expect(await begin()).toBe('outcome_unknown');
  isLeading = true;
  await store.database.query({
    text: `insert into signature_replays (key_id, signature_hash, command_seq, object_id, at_ms)
           values ($1, $2, 5, 'order_1', 1000000)`,
    values: [USE.keyId, USE.hash],
  });
  expect(await begin()).toEqual({ kind: 'copy', recorded: RECORDED });
});

it('after an unknown outcome that was none, the copy is carried out', async () => {
  (await first()).end('unknown');
  expect(await begin()).toMatchObject({ kind: 'first' });
});
