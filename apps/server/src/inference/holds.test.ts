import { Agent } from 'node:http';
import {
  type FaultySupplier,
  sendRequest,
  startFaultySupplier,
  streamRequest,
  waitFor,
} from '@opengrid/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BUYER,
  credit,
  endpointOf,
  giveUnits,
  INSTRUMENT_NO,
  KEY,
  leaveTokens,
  openMarket,
  restSell,
  startWorld,
  type World,
  type WorldOptions,
} from './testing.ts';

let supplier: FaultySupplier;
let world: World;

const unlimited = { requestsPerMinute: 0, requestsInFlight: 0 };

async function start(options: WorldOptions = {}): Promise<void> {
  world = await startWorld({ endpoints: [endpointOf(supplier)], ...options });
  await openMarket(world.sequencer);
}

beforeEach(async () => {
  supplier = await startFaultySupplier();
});

afterEach(async () => {
  await world.close();
  await supplier.close();
});

function chat(fields: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
  const messages = [{ role: 'user', content: 'How is the market today?' }];
  const body = { model: 'text-standard', messages, ...fields };
  return { url: `${world.url}/v1/chat/completions`, key: KEY, body, headers };
}

const freeTokens = () => world.sequencer.earmarks.freeTokens(BUYER, INSTRUMENT_NO);
const heldTokens = () => world.sequencer.earmarks.heldTokens(BUYER, INSTRUMENT_NO);
const errorCode = (answer: { json: unknown }) =>
  (answer.json as { error?: { code: string } } | undefined)?.error?.code;

/** A promise that the test settles. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('holds', () => {
  it('hold the input and a step of the output, however much output was asked for', async () => {
    await start();
    await giveUnits(world.sequencer, 1);
    const { opened, open } = gate();
    supplier.setBehaviour({ kind: 'answer', holdFirstByteUntil: opened });
    const small = sendRequest(chat({ max_tokens: 100 }));
    await supplier.waitForRequests(1);
    // 24 bytes of text and role, and the format of one message.
    expect(heldTokens()).toBe(14 + 100);
    const large = sendRequest(chat({ max_tokens: 65_536 }));
    await supplier.waitForRequests(2);
    expect(heldTokens()).toBe(114 + 14 + 16_384);
    open();
    await Promise.all([small, large]);
    expect([heldTokens(), freeTokens()]).toEqual([0, 1_000_000 - 2 * 28]);
  });

  it('lower the output limit to what the whole balance can pay, where nothing is bought', async () => {
    await start();
    await giveUnits(world.sequencer, 1);
    await leaveTokens(world.sequencer, 1_014);
    const answer = await sendRequest(chat());
    expect(answer.status).toBe(200);
    expect(answer.headers['x-grid-output-limit']).toBe('1000');
    expect(supplier.requests[0]?.body).toMatchObject({ max_tokens: 1000 });
    await leaveTokens(world.sequencer, 14 + 255);
    expect(errorCode(await sendRequest(chat()))).toBe('insufficient_balance');
    expect((await sendRequest(chat({ max_tokens: 255 }))).status).toBe(200);
  });

  it('grow while a stream runs, and end it with `length` when they cannot', async () => {
    await start({ settings: { holdStepTokens: 300, countTolerancePercent: 0, startOutputTokens: 10 } });
    await giveUnits(world.sequencer, 1);
    await leaveTokens(world.sequencer, 1_014);
    supplier.setBehaviour({ kind: 'answer', chunkCount: 2_000, chunkIntervalMs: 1, ending: 'never' });
    const answer = await streamRequest(chat({ stream: true, stream_options: { include_usage: true } }));
    expect(answer.sse.sawDone).toBe(true);
    const [last] = answer.sse.chunks.slice(-2) as { choices: { finish_reason: string }[] }[];
    expect(last?.choices[0]?.finish_reason).toBe('length');
    const [settlement] = world.sequencer.settlements.slice(-1);
    expect(settlement?.receipt).toMatchObject({
      status: 'reconciled',
      finishReason: 'length',
      usageSource: 'partial',
    });
    expect(settlement?.receipt.heldTokens).toBe(1_014);
    const billed = (settlement?.receipt.inputTokens ?? 0) + (settlement?.receipt.outputTokens ?? 0);
    const usage = (answer.sse.chunks.at(-1) as { usage: { total_tokens: number } }).usage;
    expect(usage.total_tokens).toBe(billed);
    expect(billed).toBeGreaterThan(700);
    expect(freeTokens()).toBe(1_014 - billed);
    expect(await supplier.requests[0]?.outcome).toBe('peer-closed');
  });

  it('never let a supplier bill more than is held, nor more than was asked for', async () => {
    await start();
    await giveUnits(world.sequencer, 1);
    await leaveTokens(world.sequencer, 40);
    const long = {
      kind: 'answer' as const,
      chunkCount: 200,
      usage: { promptTokens: 14, completionTokens: 200 },
    };
    supplier.setBehaviour(long);
    const answer = await sendRequest(chat({ max_tokens: 20 }));
    expect((answer.json as { usage: unknown }).usage).toMatchObject({
      prompt_tokens: 14,
      completion_tokens: 20,
    });
    expect(freeTokens()).toBe(6);
  });

  it('buy at the end for an answer that came in one piece and is longer than what was held', async () => {
    await start({ caller: { mode: 'easy' } });
    await giveUnits(world.sequencer, 1);
    await leaveTokens(world.sequencer, 300);
    await restSell(world.sequencer, { units: 1, priceTicks: 25_000 });
    await credit(world.sequencer, 5_000_000);
    supplier.setBehaviour({
      kind: 'answer',
      chunkCount: 5_000,
      usage: { promptTokens: 14, completionTokens: 5_000 },
    });
    const answer = await sendRequest(chat());
    expect((answer.json as { usage: unknown }).usage).toMatchObject({ total_tokens: 5_014 });
    expect(answer.headers['x-grid-units-bought']).toBe('1');
    expect(world.sequencer.settlements.at(-1)?.receipt).toMatchObject({
      outputTokens: 5_000,
      status: 'reconciled',
    });
    expect([heldTokens(), freeTokens()]).toEqual([0, 1_000_300 - 5_014]);
  });

  it('lower the output limit of an answer in one piece where money and offers do not reach', async () => {
    await start({ caller: { mode: 'easy' } });
    await giveUnits(world.sequencer, 1);
    await leaveTokens(world.sequencer, 1_014);
    const whole = await sendRequest(chat());
    expect(whole.headers['x-grid-output-limit']).toBe('1000');
    expect(supplier.requests[0]?.body).toMatchObject({ max_tokens: 1000 });
    // A stream is watched while it runs, and buys or ends by itself.
    await leaveTokens(world.sequencer, 500);
    const stream = await streamRequest(chat({ stream: true }));
    expect(stream.headers['x-grid-output-limit']).toBeUndefined();
  });

  it('cover 2,000 requests at once exactly as far as the balance goes', async () => {
    await start({ settings: unlimited });
    await giveUnits(world.sequencer, 1);
    // Tokens for 100 requests of 14 + 86.
    await leaveTokens(world.sequencer, 10_000);
    const { opened, open } = gate();
    supplier.setBehaviour({
      kind: 'answer',
      holdFirstByteUntil: opened,
      chunkCount: 120,
      usage: { promptTokens: 20, completionTokens: 120 },
    });
    const agent = new Agent({ keepAlive: true });
    let refused = 0;
    let mostHeld = 0;
    const answers = Array.from({ length: 2_000 }, async (_, index) => {
      const answer = await sendRequest({ ...chat({ max_tokens: 86, stream: index % 2 === 0 }), agent });
      mostHeld = Math.max(mostHeld, heldTokens());
      if (answer.status === 402) refused += 1;
      return answer.status;
    });
    await waitFor('all others to be refused', () => refused === 1_900, 30_000);
    expect(supplier.requests).toHaveLength(100);
    expect([heldTokens(), freeTokens()]).toEqual([10_000, 0]);
    open();
    const statuses = await Promise.all(answers);
    agent.destroy();
    expect(statuses.filter((status) => status === 200)).toHaveLength(100);
    expect(mostHeld).toBe(10_000);
    const tokens = world.sequencer.settlements.map(
      ({ receipt }) => receipt.inputTokens! + receipt.outputTokens!,
    );
    expect(tokens).toHaveLength(100);
    const settled = tokens.reduce((sum, count) => sum + count, 0);
    expect(settled).toBeLessThanOrEqual(10_000);
    expect(world.sequencer.earmarks.freeTokens(BUYER, INSTRUMENT_NO)).toBe(10_000 - settled);
    expect(heldTokens()).toBe(0);
  });
});

describe('purchases', () => {
  const easy = { mode: 'easy' as const };

  it('admit fifty at once with one unit, and more only as holds grow', async () => {
    await start({ caller: easy, settings: unlimited });
    await restSell(world.sequencer, { units: 3, priceTicks: 25_000 });
    await credit(world.sequencer, 25_000_000);
    const { opened, open } = gate();
    supplier.setBehaviour({ kind: 'answer', holdFirstByteUntil: opened });
    const content = 'word '.repeat(716);
    const messages = [{ role: 'user', content }];
    const answers = Array.from({ length: 50 }, (_, index) =>
      sendRequest(chat(index % 2 === 0 ? { messages } : { messages, max_tokens: 65_536 })),
    );
    await supplier.waitForRequests(50);
    expect(world.sequencer.purchases).toHaveLength(1);
    expect(world.sequencer.purchases).toMatchObject([
      { quantityUnits: 1, type: 'market', timeInForce: 'ioc' },
    ]);
    expect(world.sequencer.exchange.availableUsdMicros(BUYER)).toBe(25_000_000 - 2_512_500);
    // 3,580 bytes of text, the role, and the format of one message: about a thousand tokens of input.
    expect(heldTokens()).toBe(50 * (1_002 + 16_384));
    open();
    const done = await Promise.all(answers);
    expect(done.map(({ status }) => status)).toEqual(Array(50).fill(200));
    // Those that came after the purchase did not wait for it.
    expect(new Set(done.map(({ headers }) => headers['x-grid-units-bought']))).toContain('1');
  });

  it('end in 503 when the book is empty, and running answers end with `length`', async () => {
    await start({
      caller: easy,
      // The tokenizer's word counts here, however long a busy machine makes it wait.
      settings: { ...unlimited, holdStepTokens: 400_000, startOutputTokens: 1000, exactCountMs: 60_000 },
    });
    await restSell(world.sequencer, { units: 1, priceTicks: 25_000 });
    await credit(world.sequencer, 25_000_000);
    const pieces = Array.from({ length: 600 }, () => ' word'.repeat(100));
    const { opened, open } = gate();
    supplier.setBehaviour({ kind: 'answer', pieces, holdFirstByteUntil: opened });
    // Fifteen may have 65,536 tokens each, one has what is left of the unit, and for four there is nothing.
    const running = Array.from({ length: 15 }, () => streamRequest(chat({ stream: true })));
    await supplier.waitForRequests(15);
    supplier.setBehaviour({ kind: 'answer', pieces });
    const last = await streamRequest(chat({ stream: true }));
    expect([last.status, last.sse.sawDone]).toEqual([200, true]);
    expect(world.sequencer.settlements).toMatchObject([{ receipt: { finishReason: 'length' } }]);
    const refused = await Promise.all(Array.from({ length: 4 }, () => sendRequest(chat({ stream: true }))));
    expect(refused.map(errorCode)).toEqual(Array(4).fill('no_capacity'));
    open();
    for (const { sse } of await Promise.all(running)) expect(sse.sawDone).toBe(true);
    expect(world.sequencer.purchases).toHaveLength(1);
    expect(world.sequencer.settledTokens()).toBeLessThanOrEqual(1_000_000);
    await leaveTokens(world.sequencer, 0);
    expect(errorCode(await sendRequest(chat()))).toBe('no_capacity');
  });

  it('tell a purse that is too small from a book that is too dear', async () => {
    await start({ caller: easy });
    await restSell(world.sequencer, { units: 5, priceTicks: 25_000 });
    await credit(world.sequencer, 2_000_000);
    expect(errorCode(await sendRequest(chat()))).toBe('insufficient_credits');
    await credit(world.sequencer, 20_000_000);
    const capped = await sendRequest(chat({}, { 'x-grid-max-price': '2.4999' }));
    expect([capped.status, errorCode(capped)]).toEqual([402, 'spend_limit_reached']);
    const paid = await sendRequest(chat({}, { 'x-grid-max-price': '2.5' }));
    expect([paid.status, paid.headers['x-grid-units-bought']]).toEqual([200, '1']);
    expect(world.sequencer.purchases).toMatchObject([{ priceTicks: 25_000 }]);
  });

  it('buy nothing above the ceiling of the account or of the market', async () => {
    const autoBuy = { isEnabled: true, quantityUnits: 1, triggerTokens: 0, maxPriceTicks: 24_000 };
    await start({ caller: { autoBuy } });
    await credit(world.sequencer, 20_000_000);
    await restSell(world.sequencer, { units: 5, priceTicks: 24_500 });
    expect(errorCode(await sendRequest(chat()))).toBe('no_capacity');
    const caller = world.callers.get(KEY)!;
    world.callers.set(KEY, { ...caller, autoBuy: { ...autoBuy, maxPriceTicks: null } });
    expect((await sendRequest(chat())).status).toBe(200);
    expect(world.sequencer.exchange.autoBuyCeilingTicks(INSTRUMENT_NO, { easyMode: false })).toBe(26_950);
  });

  it('wait three seconds at most', async () => {
    await start({ caller: easy, settings: { purchaseWaitMs: 30 } });
    await restSell(world.sequencer, { units: 5, priceTicks: 25_000 });
    await credit(world.sequencer, 20_000_000);
    const { opened, open } = gate();
    const submit = world.sequencer.submit.bind(world.sequencer);
    world.sequencer.submit = async (command, attachment) => {
      if (command.kind === 'place_order') await opened;
      return await submit(command, attachment);
    };
    const answer = await sendRequest(chat());
    expect([answer.status, errorCode(answer)]).toEqual([503, 'balance_replenishing']);
    expect(answer.headers['retry-after']).toBe('1');
    open();
    // The purchase itself was on its way; the next request finds the tokens.
    await waitFor('the purchase', () => freeTokens() === 1_000_000);
    expect((await sendRequest(chat())).status).toBe(200);
  });

  it('tell when the exchange is gone', async () => {
    await start({ caller: easy });
    await restSell(world.sequencer, { units: 5, priceTicks: 25_000 });
    await credit(world.sequencer, 20_000_000);
    const { EngineUnavailable } = await import('../sequencer/types.ts');
    world.sequencer.breakdown = () => new EngineUnavailable('gone');
    expect(errorCode(await sendRequest(chat()))).toBe('engine_unavailable');
  });

  it('buy ahead when few tokens are left after a settlement, and pause after a failure', async () => {
    await start({
      caller: {
        ...easy,
        autoBuy: { isEnabled: true, quantityUnits: 2, triggerTokens: 999_000, maxPriceTicks: null },
      },
    });
    await giveUnits(world.sequencer, 1);
    await credit(world.sequencer, 20_000_000);
    await sendRequest(chat());
    expect(world.sequencer.purchases).toEqual([]);
    await leaveTokens(world.sequencer, 998_000);
    await sendRequest(chat());
    await sendRequest(chat());
    // The book is empty: tried once, and not again before the pause is over.
    expect(world.sequencer.purchases).toHaveLength(0);
    await restSell(world.sequencer, { units: 5, priceTicks: 25_000 });
    await sendRequest(chat());
    expect(world.sequencer.purchases).toHaveLength(0);
  });

  it('buy ahead as many units as the account wants', async () => {
    await start({
      caller: {
        ...easy,
        autoBuy: { isEnabled: true, quantityUnits: 2, triggerTokens: 2_000_000, maxPriceTicks: null },
      },
    });
    await giveUnits(world.sequencer, 1);
    await restSell(world.sequencer, { units: 5, priceTicks: 25_000 });
    await credit(world.sequencer, 20_000_000);
    await sendRequest(chat());
    await waitFor('the purchase', () => freeTokens() === 3_000_000 - 28);
    expect(world.sequencer.purchases).toMatchObject([{ quantityUnits: 2 }]);
  });
});
