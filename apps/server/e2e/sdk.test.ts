// The typed client against the whole program: every change of the Trading API, and what reads show afterwards.
import {
  ConflictError,
  generateKey,
  OpenGrid,
  type PlaceOrderParams,
  type Signer,
  signerFromKey,
  UnprocessableError,
} from '@opengrid/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Instance } from './testing/instance.ts';

const market = 'text-prime';

let instance: Instance;
let signer: Signer;
let grid: OpenGrid;
beforeAll(async () => {
  instance = await Instance.start({ engine: 'embedded' });
  const account = 'desk@example.com';
  await instance.admin('POST', '/accounts', { email: account, mode: 'advanced' });
  await instance.admin('POST', `/accounts/${account}/credit`, { amount: '100.00' });
  const key = await generateKey();
  const registration = { account, label: 'desk', public_key: key.publicKey };
  const registered = await instance.admin('POST', '/signing-keys', registration);
  expect(registered.fingerprint).toBe(key.fingerprint);
  signer = await signerFromKey(key.privateKeyPem);
  grid = new OpenGrid({ baseUrl: instance.url, signer });
});
afterAll(() => instance.remove());

/** A bid far below the market, which rests. */
const bid = (more: Partial<PlaceOrderParams> = {}): PlaceOrderParams => ({
  market_id: market,
  side: 'buy',
  type: 'limit',
  quantity: 2,
  price: '0.1000',
  ...more,
});

describe('orders through the typed client', () => {
  it('are placed, found, amended and cancelled', async () => {
    const placed = await grid.orders.place(bid({ client_order_id: 'desk-1' }));
    expect(placed).toMatchObject({ status: 'active', price: '0.1000', client_order_id: 'desk-1' });
    expect(await grid.orders.place(bid({ client_order_id: 'desk-1' }))).toMatchObject({ id: placed.id });
    expect(await grid.orders.retrieveByClientId('desk-1')).toEqual(await grid.orders.retrieve(placed.id));
    const amended = await grid.orders.amend(placed.id, { price: '0.1100', quantity: 3 });
    expect(amended).toMatchObject({ id: placed.id, price: '0.1100', quantity: 3 });
    expect((await grid.orders.count()).count).toBe(1);
    expect(await grid.orders.cancel(placed.id)).toEqual({ already_cancelled: false, order: null });
    const again = await grid.orders.cancel(placed.id);
    expect(again).toMatchObject({ already_cancelled: true, order: { closure_reason: 'user_cancel' } });
    const [latest] = await grid.orders.list({ status: 'closed', order_by: 'updated_at' }).toArray(1);
    expect(latest?.id).toBe(placed.id);
  });

  it('expire when they were told to', async () => {
    const expiry = { time_in_force: 'gtd', expire_at: new Date(Date.now() + 3_600_000) } as const;
    const placed = await grid.orders.place(bid(expiry));
    expect(placed).toMatchObject({ time_in_force: 'gtd', expire_at: expiry.expire_at.toISOString() });
    await grid.orders.cancel(placed.id);
  });

  it('are cancelled together, and by a timer that is set and disarmed', async () => {
    await grid.orders.place(bid());
    await grid.orders.place(bid({ price: '0.1200' }));
    const timer = await grid.orders.cancelAllAfter({ timeout_ms: 60_000, market_id: market });
    expect(timer.armed).toBe(true);
    expect((await grid.orders.cancelAllAfter({ timeout_ms: 0, market_id: market })).armed).toBe(false);
    expect(await grid.orders.cancelAll({ side: 'sell' })).toMatchObject({ cancelled: 0 });
    expect((await grid.orders.cancelAll({ market_id: market })).order_ids).toHaveLength(2);
  });

  it('that are refused say why', async () => {
    await expect(grid.orders.place(bid({ quantity: 5_000 }))).rejects.toMatchObject({
      status: 400,
      code: 'insufficient_balance',
      requestId: expect.stringMatching(/^req_/),
    });
    const crossing = grid.orders.place(bid({ price: '2.9000', quantity: 1, post_only: true }));
    await expect(crossing).rejects.toBeInstanceOf(UnprocessableError);
  });

  it('are signed in the strict scheme as well', async () => {
    const strict = new OpenGrid({ baseUrl: instance.url, signer, signatureScheme: 'strict' });
    const placed = await strict.orders.place(bid());
    expect(await strict.orders.list({ status: 'open', market_id: market }).toArray()).toHaveLength(1);
    await strict.orders.cancel(placed.id);
  });
});

describe('what was bought through the typed client', () => {
  it('is traded, held, moved and moved back', async () => {
    const bought = await grid.orders.place({ market_id: market, side: 'buy', type: 'market', quantity: 3 });
    expect(bought).toMatchObject({ status: 'filled', filled_quantity: 3 });
    const trades = await grid.trades.list({ order_id: bought.id }).toArray();
    expect(trades.reduce((units, { quantity }) => units + quantity, 0)).toBe(3);
    expect(await grid.trades.retrieve(trades[0]!.id)).toEqual(trades[0]);
    const units = async () => {
      const accounts = await grid.tradingAccounts.list({ instrument_id: market }).toArray();
      return accounts[0]?.available_balance;
    };
    expect(await units()).toBe('3');
    const moved = await grid.transfers.toConsumption({ instrument_id: market, quantity: 2 });
    expect(moved).toMatchObject({ status: 'success', quantity: 2 });
    const [account] = await grid.consumptionAccounts.list({ instrument_id: market }).toArray();
    expect(account).toMatchObject({ total_tokens: 2_000_000, total_balance: 2 });
    expect(await grid.consumptionAccounts.lots(account!.id).toArray()).not.toHaveLength(0);
    await grid.transfers.toTrading({ instrument_id: market, quantity: 1 });
    expect(await units()).toBe('2');
    const history = await grid.transfers.list({ instrument_id: market }).toArray();
    expect(history.map(({ direction }) => direction)).toEqual([
      'consumption_to_trading',
      'trading_to_consumption',
    ]);
    expect(await grid.positions.list({ status: 'open' }).toArray()).toMatchObject([{ quantity: 3 }]);
  });

  it('is moved once under one idempotency key', async () => {
    const move = { instrument_id: market, quantity: 1 };
    const options = { idempotencyKey: 'move-1' };
    const first = await grid.transfers.toConsumption(move, options);
    expect(await grid.transfers.toConsumption(move, options)).toEqual(first);
    const other = grid.transfers.toConsumption({ ...move, quantity: 2 }, options);
    await expect(other).rejects.toBeInstanceOf(ConflictError);
  });
});

describe('everything else through the typed client', () => {
  it('is there', async () => {
    expect(await grid.account.me()).toMatchObject({ account_mode: 'advanced' });
    const limits = await grid.account.limits(market);
    expect(limits.open_orders.max).toBeGreaterThan(0);
    expect((await grid.account.diagnostics()).status).toMatch(/^(ok|warn)$/);
    expect(await grid.currencyAccounts.list().toArray()).toMatchObject([{ currency: 'usd' }]);
    expect(await grid.markets.stats(market)).toMatchObject({ symbol: market });
    const [candle] = await grid.priceHistories.list({ market_id: market, resolution: '1d' }).toArray();
    expect(candle?.num_trades).toBeGreaterThan(0);
    expect(await grid.instruments.specs(market).toArray()).toMatchObject([{ spec_version: 1 }]);
    expect((await grid.instruments.index(market).toArray()).at(-1)?.num_trades).toBeGreaterThan(0);
    await expect(grid.supply.summary()).rejects.toMatchObject({ code: 'supplier_not_approved' });
  });
});
