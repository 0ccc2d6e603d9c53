import { setTimeout as sleep } from 'node:timers/promises';
import {
  type FaultySupplier,
  openRequest,
  sendRequest,
  startFaultySupplier,
  streamRequest,
  waitFor,
} from '@opengrid/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineOverloaded, EngineUnavailable, OutcomeUnknown } from '../sequencer/types.ts';
import {
  BUYER,
  callerOf,
  credit,
  endpointOf,
  giveUnits,
  INSTRUMENT_NO,
  KEY,
  openMarket,
  restSell,
  startWorld,
  type World,
} from './testing.ts';

let supplier: FaultySupplier;
let world: World;

beforeEach(async () => {
  supplier = await startFaultySupplier();
  const settings = { unbilledHangUpsPerMinute: 2, settleRetryMs: 200, keepAliveMs: 40 };
  world = await startWorld({ endpoints: [endpointOf(supplier)], settings });
  await openMarket(world.sequencer);
  await giveUnits(world.sequencer, 1);
});

afterEach(async () => {
  await world.close();
  await supplier.close();
});

const ask = (stream: boolean) => ({
  url: `${world.url}/v1/chat/completions`,
  key: KEY,
  body: { model: 'text-standard', messages: [{ role: 'user', content: 'How is the market?' }], stream },
});

const settled = async (count: number) => {
  await waitFor(`${count} settlements`, () => world.sequencer.settlements.length >= count);
  return world.sequencer.settlements;
};

function expectNothingHeld(): void {
  expect(world.sequencer.earmarks.heldTokens(BUYER, INSTRUMENT_NO)).toBe(0);
}

describe('a client that leaves', () => {
  it('pays once for what was written, and its supplier is let go', async () => {
    supplier.setBehaviour({ kind: 'answer', ending: 'never', chunkIntervalMs: 5 });
    await streamRequest({ ...ask(true), hangUp: { afterEvents: 5 } });
    const [request] = supplier.requests;
    expect(await request?.outcome).toBe('peer-closed');
    const [settlement] = await settled(1);
    expect(settlement?.receipt).toMatchObject({
      status: 'reconciled',
      errorCode: null,
      finishReason: 'client_disconnect',
      usageSource: 'partial',
    });
    expect(settlement?.receipt.outputTokens).toBeGreaterThanOrEqual(4);
    const billed = settlement!.receipt.inputTokens! + settlement!.receipt.outputTokens!;
    await sleep(50);
    expect(world.sequencer.settlements).toHaveLength(1);
    expect(world.sequencer.settledTokens()).toBe(billed);
    expectNothingHeld();
    // Nobody else is to blame.
    expect(world.logged.deliveries).toMatchObject([{ outcome: 'client_gone' }]);
  });

  it.each([true, false])('pays nothing before there was content (stream: %s)', async (stream) => {
    supplier.setBehaviour({ kind: 'hang' });
    const call = openRequest(ask(stream));
    await supplier.waitForRequests(1);
    call.hangUp();
    expect(await supplier.requests[0]?.outcome).toBe('peer-closed');
    expect(await settled(1)).toMatchObject([
      { command: { draws: [] }, receipt: { status: 'reconciled', finishReason: 'client_disconnect' } },
    ]);
    expectNothingHeld();
  });

  it('pays nothing for an answer in one piece that it did not wait for', async () => {
    supplier.setBehaviour({ kind: 'answer', ending: 'stall' });
    const call = openRequest(ask(false));
    await waitFor('half an answer', () => (supplier.requests[0]?.writeCount ?? 0) > 0);
    call.hangUp();
    expect(await settled(1)).toMatchObject([{ command: { draws: [] } }]);
    expectNothingHeld();
  });

  it('is held off when it does so all the time', async () => {
    supplier.setBehaviour({ kind: 'hang' });
    for (let round = 1; round <= 3; round += 1) {
      const call = openRequest(ask(true));
      await supplier.waitForRequests(round);
      call.hangUp();
      await settled(round);
    }
    const answer = await sendRequest(ask(false));
    expect([answer.status, answer.json]).toMatchObject([429, { error: { code: 'rate_limited' } }]);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(1);
  });

  it('leaves the line for a purchase', async () => {
    world.callers.set(KEY, callerOf({ mode: 'easy', accountNumber: 203 }));
    await restSell(world.sequencer, { units: 1, priceTicks: 25_000 });
    await credit(world.sequencer, 20_000_000, 203);
    const submit = world.sequencer.submit.bind(world.sequencer);
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    let isAsked = false;
    world.sequencer.submit = async (command, attachment) => {
      isAsked = true;
      await opened;
      return await submit(command, attachment);
    };
    const call = openRequest(ask(true));
    await waitFor('the purchase', () => isAsked);
    call.hangUp();
    await waitFor('the request to end', () => world.room.inFlight === 0);
    open();
    await waitFor('the tokens', () => world.sequencer.earmarks.freeTokens(203, INSTRUMENT_NO) === 1_000_000);
    expect(supplier.requests).toEqual([]);
  });
});

describe('a slow supplier', () => {
  it('is bridged with comments, and another may still answer after them', async () => {
    supplier.enqueue({
      kind: 'answer',
      holdFirstByteUntil: sleep(150),
      holdAt: 'after-head',
      ending: 'reset',
      endingAfterChunks: 0,
    });
    const second = await startFaultySupplier();
    world.endpoints.push(endpointOf(second, { supplierAccount: 102 }));
    const answer = await streamRequest(ask(true));
    expect(answer.sse.comments).toContain('keep-alive');
    expect(answer.sse.sawDone).toBe(true);
    expect(answer.sse.text).toContain('the market');
    expect(world.sequencer.settlements).toMatchObject([{ command: { servedBy: 102 } }]);
    await second.close();
  });
});

describe('a slow client', () => {
  it('makes the supplier wait instead of filling our memory', async () => {
    const pieces = Array.from({ length: 4_000 }, () => 'x'.repeat(16_384));
    supplier.setBehaviour({ kind: 'answer', pieces, usage: { promptTokens: 5, completionTokens: 10 } });
    await giveUnits(world.sequencer, 80);
    const call = openRequest(ask(true));
    call.call.once('response', (response) => response.pause());
    await waitFor('a stream', () => (supplier.requests[0]?.writeCount ?? 0) > 0);
    await sleep(500);
    const before = supplier.requests[0]!.writeCount;
    await sleep(200);
    // 64 MB were to be sent; what fits into the sockets and one mebibyte is far less.
    expect(supplier.requests[0]!.writeCount).toBe(before);
    expect(before).toBeLessThan(2_000);
    call.hangUp();
    await settled(1);
  });
});

describe('a settlement that fails', () => {
  it.each([new EngineUnavailable('gone'), new EngineOverloaded('full')])(
    'is not billed: %s',
    async (error) => {
      world.sequencer.breakdown = (command) => (command.kind === 'settle' ? error : undefined);
      const whole = await sendRequest(ask(false));
      expect([whole.status, whole.json]).toMatchObject([500, { error: { code: 'internal_error' } }]);
      const stream = await streamRequest(ask(true));
      expect(stream.sse.sawDone).toBe(false);
      expect(stream.sse.events.at(-1)?.json).toMatchObject({ error: { code: 'internal_error' } });
      expect(world.sequencer.settledTokens()).toBe(0);
      expect(world.sequencer.earmarks.freeTokens(BUYER, INSTRUMENT_NO)).toBe(1_000_000);
      expectNothingHeld();
    },
  );

  it('is offered again while the queue is full', async () => {
    let refusals = 2;
    world.sequencer.breakdown = (command) => {
      if (command.kind !== 'settle' || refusals === 0) return undefined;
      refusals -= 1;
      return new EngineOverloaded('full');
    };
    expect((await sendRequest(ask(false))).status).toBe(200);
    expect(world.sequencer.settlements).toHaveLength(1);
  });

  it('keeps tokens out of reach when nobody knows whether they were drawn', async () => {
    world.sequencer.breakdown = (command) =>
      command.kind === 'settle' ? new OutcomeUnknown('?') : undefined;
    expect((await sendRequest(ask(false))).status).toBe(500);
    expect(world.sequencer.earmarks.heldTokens(BUYER, INSTRUMENT_NO)).toBeGreaterThan(0);
  });
});
