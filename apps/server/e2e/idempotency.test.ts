// The program is killed while calls with idempotency keys run. Sent again under its key, a call that nobody answered has happened
// once, whether the program died before its command, between the command and the kept answer, or after both.
import { pause, waitFor } from '@opengrid/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, Instance } from './testing/instance.ts';
import { Trader } from './testing/trader.ts';

const KILL_COUNT = 2;
const WORKERS = 8;

interface Call {
  readonly key: string;
  readonly body: object;
  id: string | undefined;
}

describe.each(ENGINES)('idempotency keys of a program that is killed, on the %s store', (engine) => {
  let instance: Instance;
  let trader: Trader;
  const calls: Call[] = [];
  beforeAll(async () => {
    const env = { ORDER_RATE: '0', ORDER_RPM: '0', SIGNED_READ_RATE: '0' };
    instance = await Instance.start({ engine, env });
    trader = await Trader.open(instance, '100.00');
  });
  afterAll(() => instance.remove());

  /** Sends a call; its id stays undefined when nobody answered. */
  async function send(call: Call): Promise<{ status: number; isReplay: boolean } | null> {
    const headers = { 'idempotency-key': call.key };
    const answer = await trader.send({ method: 'POST', target: '/v1/orders', body: call.body, headers });
    if (answer?.status === 201) {
      const { id } = answer.json.data as { id: string };
      if (call.id !== undefined) expect(id).toBe(call.id);
      call.id = id;
    }
    return answer;
  }

  function nextCall(): Call {
    // Orders that end at once, without a client order id: only the key tells them apart.
    const terms = { side: 'buy', type: 'limit', quantity: 1, price: '0.01', time_in_force: 'ioc' };
    const number = calls.length;
    const call = { key: `key-${number}`, body: { market_id: 'text-prime', ...terms, number }, id: undefined };
    calls.push(call);
    return call;
  }

  async function loadAndKill(afterCalls: number): Promise<void> {
    let isOver = false;
    const workers = Array.from({ length: WORKERS }, async () => {
      while (!isOver) if ((await send(nextCall())) === null) return;
    });
    await waitFor('enough calls', () => calls.length >= afterCalls, 60_000);
    await instance.program.kill9();
    isOver = true;
    await Promise.all(workers);
    await instance.launch();
  }

  it('every call happens once', { timeout: 300_000 }, async () => {
    let unanswered = 0;
    for (let kill = 1; kill <= KILL_COUNT; kill += 1) {
      await loadAndKill(kill * 80);
      for (const call of calls.filter(({ id }) => id === undefined)) {
        unanswered += 1;
        const answer = await send(call);
        expect([call.key, answer?.status]).toEqual([call.key, 201]);
      }
      // A second later the same calls have other signatures, so that only the keys are left to know them by.
      await pause(1_100);
      for (const call of calls.slice(-20))
        expect([call.key, await send(call)]).toMatchObject([call.key, { status: 201, isReplay: true }]);
    }
    // Kills that cut nothing off would prove nothing.
    expect(unanswered).toBeGreaterThan(0);
    const ids = new Set(calls.map(({ id }) => id));
    expect(ids.size).toBe(calls.length);
    expect(new Set((await trader.orders()).map(({ id }) => id))).toEqual(ids);
    expect((await instance.verifyLedger()).ok).toBe(true);
  });
});
