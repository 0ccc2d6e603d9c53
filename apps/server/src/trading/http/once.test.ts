import { afterEach, expect, it } from 'vitest';
import {
  type Answer,
  openFloor,
  secondsBack,
  type Trader,
  type TradingFloor,
} from '../../program/testing.ts';
import { forEachStore } from '../../store/testing.ts';

const BUY = { market_id: 'text-standard', side: 'buy', type: 'limit', quantity: 1, price: '1' };
const nextSecond = secondsBack();

/** Signed anew each time, so that only the key tells a repeat. */
function keyed(
  trader: Trader,
  key: string,
  call: { path: string; body?: unknown; method?: string },
): Promise<Answer> {
  const timestamp = nextSecond();
  const { path, body, method = 'POST' } = call;
  return trader.call(method, path, { body, timestamp, headers: { 'idempotency-key': key } });
}

forEachStore('calls with an idempotency key', (open) => {
  let floor: TradingFloor;
  afterEach(() => floor.close());

  it('place one order, and refuse the key for another', async () => {
    floor = await openFloor((await open()).database);
    const trader = await floor.trader({ usdMicros: 100_000_000 });
    const place = { path: '/v1/orders', body: BUY };
    const first = await keyed(trader, 'a', place);
    expect([first.status, first.headers.get('x-grid-idempotent-replay')]).toEqual([201, null]);
    const again = await keyed(trader, 'a', { ...place, path: '/v1/trading/orders' });
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get('x-grid-idempotent-replay')).toBe('true');
    const other = await keyed(trader, 'a', { ...place, body: { ...BUY, quantity: 2 } });
    expect([other.status, other.body.errors.code]).toEqual([409, 'idempotency_key_conflict']);
    const stranger = await floor.trader({ usdMicros: 100_000_000 });
    expect((await keyed(stranger, 'a', place)).body.data.id).not.toBe(first.body.data.id);
    expect((await keyed(trader, 'b', place)).body.data.id).not.toBe(first.body.data.id);
    expect((await trader.get('/v1/orders/count')).body.data.count).toBe(2);
  });

  it('get the first refusal and the first cancel again, as they were', async () => {
    floor = await openFloor((await open()).database);
    const trader = await floor.trader({ usdMicros: 100_000_000 });
    const poor = { path: '/v1/orders', body: { ...BUY, quantity: 5_000 } };
    const refused = await keyed(trader, 'poor', poor);
    expect(refused.body.errors.code).toBe('insufficient_balance');
    const again = await keyed(trader, 'poor', poor);
    expect([again.status, again.body]).toEqual([400, refused.body]);
    expect(again.headers.get('x-grid-error-code')).toBe('insufficient_balance');
    const { id } = (await trader.place(BUY)).body.data;
    const cancel = { path: `/v1/orders/${id}`, method: 'DELETE' };
    expect((await keyed(trader, 'cancel', cancel)).status).toBe(204);
    const copy = await keyed(trader, 'cancel', cancel);
    expect([copy.status, copy.headers.get('x-grid-idempotent-replay')]).toEqual([204, 'true']);
    expect((await trader.call('DELETE', cancel.path)).status).toBe(200);
    const spaced = await keyed(trader, 'a b', poor);
    expect([spaced.status, spaced.body.errors.code]).toEqual([400, 'validation_failed']);
  });

  it('that died between effect and answer are answered from what was recorded', async () => {
    const { database } = await open();
    floor = await openFloor(database);
    const trader = await floor.trader({ usdMicros: 100_000_000 });
    const first = await keyed(trader, 'k', { path: '/v1/orders', body: BUY });
    // As a kill leaves it: the command is durable, the answer was not kept, and a new writer has taken over.
    await database.query({ text: 'update idempotency_keys set status = null, response = null, epoch = 0' });
    await floor.replays.purge();
    const again = await keyed(trader, 'k', { path: '/v1/orders', body: BUY });
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect((await trader.get('/v1/orders/count')).body.data.count).toBe(1);
  });
});
