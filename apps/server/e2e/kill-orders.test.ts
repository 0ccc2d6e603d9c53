// The program is killed at random moments under signed orders. What was acknowledged is there exactly once, what was
// refused is not, and an order that nobody answered can be sent again.
import { randomInt } from 'node:crypto';
import { pause, waitFor } from '@opengrid/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, Instance } from './testing/instance.ts';
import { differences, type SentOrder, startOrderLoad } from './testing/order-load.ts';
import { Trader } from './testing/trader.ts';

const KILL_COUNT = process.env.OPENGRID_NIGHTLY ? 20 : 3;
const LONGEST_WAIT_MS = 1_500;
const TRADER_COUNT = 3;
/** To repeat a load: OPENGRID_SEED=<the number in the title of the test>. */
const seed = Number(process.env.OPENGRID_SEED ?? randomInt(2 ** 31));

describe.each(ENGINES)('a program that is killed while orders come in, on the %s store', (engine) => {
  let instance: Instance;
  const traders: Trader[] = [];
  const sent: SentOrder[] = [];
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };

  beforeAll(async () => {
    const env = { ORDER_RATE: '0', ORDER_RPM: '0', CANCEL_RATE: '0', SIGNED_READ_RATE: '0' };
    instance = await Instance.start({ engine, env });
    for (let count = 0; count < TRADER_COUNT; count += 1) {
      const trader = await Trader.open(instance, '2000.00');
      // Units to sell come from the demo market's supplier.
      const order = { market_id: 'text-prime', side: 'buy', type: 'market', quantity: 20 };
      const name = `first-${count}`;
      const bought = await trader.call('POST', '/v1/orders', { ...order, client_order_id: name });
      expect(bought?.json.data).toMatchObject({ status: 'filled' });
      traders.push(trader);
    }
  });

  afterAll(() => instance.remove());

  async function loadAndKill(): Promise<SentOrder[]> {
    const load = startOrderLoad(traders, random);
    await waitFor('a hundred orders', () => load.sent.length > 100, 30_000);
    await pause(random() * LONGEST_WAIT_MS);
    expect(await instance.program.kill9()).toEqual({ code: null, signal: 'SIGKILL' });
    await load.stop();
    return [...load.sent];
  }

  async function expectWhatWasSaid(): Promise<void> {
    for (const trader of traders) {
      const orders = await trader.orders();
      const ofLoads = orders.filter(({ client_order_id: name }) => name.startsWith('load-'));
      const own = sent.filter((order) => order.trader === trader);
      expect(differences(own, ofLoads), `seed ${seed}`).toEqual([]);
    }
  }

  /** Whether or not it had happened: sent again, an order is there, and still once. */
  async function sendUnknownAgain(): Promise<number> {
    const unknown = sent.filter(({ isPlaced }) => isPlaced === 'unknown');
    for (const order of unknown) {
      const answer = await order.trader.call('POST', '/v1/orders', order.body);
      order.isPlaced = answer?.status === 200 || answer?.status === 201 ? 'yes' : 'no';
      order.id = (answer?.json.data as { id?: string } | undefined)?.id;
    }
    return unknown.length;
  }

  it(`keeps every acknowledged order once, ${KILL_COUNT} times (seed ${seed})`, async () => {
    let commandSeq = 0;
    let unknownCount = 0;
    for (let kill = 0; kill < KILL_COUNT; kill += 1) {
      sent.push(...(await loadAndKill()));
      await instance.launch();
      const verdict = await instance.verifyLedger();
      expect(verdict.checks.filter(({ ok }) => !ok)).toEqual([]);
      expect(verdict.commandSeq).toBeGreaterThan(commandSeq);
      commandSeq = verdict.commandSeq;
      await expectWhatWasSaid();
      unknownCount += await sendUnknownAgain();
      await expectWhatWasSaid();
    }
    // Kills that met nothing would prove nothing.
    const countOf = (is: (order: SentOrder) => boolean): number => sent.filter(is).length;
    expect(countOf(({ isPlaced }) => isPlaced === 'yes')).toBeGreaterThan(30 * KILL_COUNT);
    expect(countOf(({ isCancelled }) => isCancelled === 'yes')).toBeGreaterThan(KILL_COUNT);
    expect(countOf(({ price, body }) => price !== (body as { price: string }).price)).toBeGreaterThan(0);
    expect(unknownCount).toBeGreaterThan(0);
    expect(await instance.program.stop()).toEqual({ code: 0, signal: null });
    expect((await instance.verifyStore()).ok).toBe(true);
  }, 600_000);
});
