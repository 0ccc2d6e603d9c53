import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFloor, type TradingFloor } from '../../program/testing.ts';
import { openEmbeddedStore, type TestStore } from '../../store/testing.ts';
import { TestSocket } from './testing.ts';

const EVENTS = [
  'phx_join',
  'subscribe',
  'unsubscribe',
  'order.place',
  'order.amend',
  'order.cancel',
  'order.cancel_all',
  'order.cancel_all_after',
  'order.batch',
  'heartbeat',
  '__proto__',
  '',
];
const NAMES = [
  'streams',
  'request_id',
  'market_id',
  'market',
  'name',
  'depth',
  'side',
  'type',
  'quantity',
  'price',
  'client_order_id',
  'order_id',
  'timeout_ms',
  'commands',
  'event',
  'payload',
  'recv_window',
  'sent_at',
  'time_in_force',
  'expire_at',
  'post_only',
  '__proto__',
  'constructor',
];
const WORDS = [
  'text-standard',
  'buy',
  'sell',
  'limit',
  'market',
  'user.orders',
  'market.book',
  'gtd',
  'x',
  '',
];
const NUMBERS = [
  '0',
  '-1',
  '1',
  '2.5',
  '1e400',
  '1e21',
  '0.00001',
  '9007199254740993',
  '9999999999999999999999',
];

describe('garbage on a socket', () => {
  let store: TestStore;
  let floor: TradingFloor;
  beforeAll(async () => {
    store = await openEmbeddedStore();
    floor = await openFloor(store.database, { settings: { socketMessageRate: 0 } });
  });
  afterAll(async () => {
    await floor.close();
    await store.close();
  });

  it('is answered by names, never by a fault, and changes nothing', async () => {
    const seed = Number(process.env.OPENGRID_SEED ?? randomInt(2 ** 31));
    let state = seed >>> 0;
    const roll = (limit: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const pick = (from: readonly string[]): string => from[roll(from.length)]!;
    const value = (depth: number): string => {
      const kind = roll(depth > 3 ? 6 : 8);
      if (kind < 2) return JSON.stringify(pick(WORDS));
      if (kind < 4) return pick(NUMBERS);
      if (kind === 4) return 'null';
      if (kind === 5) return roll(2) === 0 ? 'true' : `"${pick(NUMBERS)}"`;
      if (kind === 6) return `[${Array.from({ length: roll(4) }, () => value(depth + 1)).join(',')}]`;
      return object(depth + 1);
    };
    const object = (depth: number): string =>
      `{${Array.from({ length: roll(8) }, () => `"${pick(NAMES)}":${value(depth)}`).join(',')}}`;
    const trader = await floor.trader({ usdMicros: 1_000_000, units: 1 });
    let client = await TestSocket.trader(floor.origin, trader);
    const before = floor.sequencer.exchange.balance(1, trader.account.accountNumber);
    for (let round = 0; round < 600; round += 1) {
      if (client.closeCode !== undefined) client = await TestSocket.trader(floor.origin, trader);
      client.sendText(
        `{"topic":"ws:trading","event":"${pick(EVENTS)}","payload":${object(0)},"ref":"r${round}"}`,
      );
      // Every hundredth time whoever sends garbage waits for what it is told.
      if (round % 100 === 99) await Promise.race([client.ask('heartbeat'), client.closed()]);
    }
    const reasons = client.of('phx_reply').map(({ payload }) => payload.response.reason);
    expect(reasons, `OPENGRID_SEED=${seed}`).not.toContain('internal_error');
    expect(floor.sequencer.exchange.balance(1, trader.account.accountNumber)).toBe(before);
    expect((await trader.get('/v1/orders')).rows.filter(({ status }) => status === 'active')).toEqual([]);
  });
});
