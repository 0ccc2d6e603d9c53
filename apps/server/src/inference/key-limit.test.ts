import { type FaultySupplier, sendRequest, startFaultySupplier } from '@opengrid/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../store/database.ts';
import type { InferenceSettings } from './settings.ts';
import { endpointOf, giveUnits, KEY, openMarket, startWorld, type World } from './testing.ts';

let supplier: FaultySupplier;
let world: World;

beforeEach(async () => {
  supplier = await startFaultySupplier();
});

afterEach(async () => {
  await world.close();
  await supplier.close();
});

/** A store that knows what the key has used this month. */
function storeWith(tokens: number): Database {
  const refuse = async () => {
    throw new Error('nothing else is read or written here');
  };
  const query = async () => ({ rows: [{ tokens }] });
  return { engine: 'embedded', query, commit: refuse, transaction: refuse, close: async () => {} } as never;
}

async function start(
  limit: number | null,
  usedTokens = 0,
  settings: Partial<InferenceSettings> = {},
): Promise<void> {
  const endpoints = [endpointOf(supplier)];
  world = await startWorld({
    endpoints,
    caller: { monthlyTokenLimit: limit },
    database: storeWith(usedTokens),
    settings,
  });
  await openMarket(world.sequencer);
  await giveUnits(world.sequencer, 1);
}

const ask = (fields: object = {}) => {
  const messages = [{ role: 'user', content: 'How is the market today?' }];
  const body = { model: 'text-standard', messages, ...fields };
  return sendRequest({ url: `${world.url}/v1/chat/completions`, key: KEY, body });
};
const codeOf = (answer: { json: unknown }) => (answer.json as { error?: { code: string } }).error?.code;

describe('the monthly token limit of a key', () => {
  it('refuses what it has no room for, with what is left', async () => {
    await start(1_000, 900);
    const answer = await ask();
    expect([answer.status, codeOf(answer)]).toEqual([402, 'spend_limit_reached']);
    expect(supplier.requests).toHaveLength(0);
  });

  it('shrinks the output to what is left, and says so', async () => {
    await start(1_000, 500);
    const answer = await ask();
    expect([answer.status, answer.headers['x-grid-output-limit']]).toEqual([200, String(500 - 14)]);
    expect(supplier.requests[0]?.body).toMatchObject({ max_tokens: 486 });
  });

  it('counts what was billed since', async () => {
    await start(28 + 14 + 40);
    expect((await ask({ max_tokens: 40 })).status).toBe(200);
    expect((await ask({ max_tokens: 40 })).status).toBe(200);
    expect(codeOf(await ask({ max_tokens: 40 }))).toBe('spend_limit_reached');
  });

  it('counts what running requests hold', async () => {
    await start(14 + 300);
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    supplier.enqueue({ kind: 'answer', holdFirstByteUntil: opened });
    const first = ask({ max_tokens: 300 });
    await supplier.waitForRequests(1);
    expect(codeOf(await ask({ max_tokens: 300 }))).toBe('spend_limit_reached');
    open();
    expect((await first).status).toBe(200);
    expect((await ask({ max_tokens: 200 })).status).toBe(200);
  });

  it('holds for requests that come at once, and for streams that grow side by side', async () => {
    const settings = { holdStepTokens: 50, startOutputTokens: 10, countTolerancePercent: 0 };
    await start(1_000, 0, settings);
    supplier.setBehaviour({ kind: 'answer', chunkIntervalMs: 1, ending: 'never', usage: 'absent' });
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask({ stream: true })));
    const served = answers.filter(({ status }) => status === 200);
    expect(served.length).toBeGreaterThan(1);
    expect(answers.length - served.length).toBeGreaterThan(0);
    for (const answer of answers) expect([200, 402]).toContain(answer.status);
    expect(world.sequencer.settledTokens()).toBeLessThanOrEqual(1_000);
    expect(world.sequencer.settledTokens()).toBeGreaterThan(500);
  });

  it('is none where none is set', async () => {
    await start(null, 10_000_000);
    expect((await ask()).status).toBe(200);
  });
});
