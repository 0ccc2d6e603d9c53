import { afterEach, expect, it } from 'vitest';
import { openFloor, send, type Trader, type TradingFloor } from '../../program/testing.ts';
import { forEachStore } from '../../store/testing.ts';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const MARKET = 'market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514';

forEachStore('accounts, trades and transfers', (open) => {
  let floor: TradingFloor;
  let buyer: Trader;
  let seller: Trader;
  afterEach(() => floor.close());

  /** The buyer has bought 4 of 10 units at 2.49 from the seller's resting order. */
  async function traded(): Promise<void> {
    floor = await openFloor((await open()).database);
    buyer = await floor.trader({ usdMicros: 100_000_000, name: 'Ada' });
    seller = await floor.trader({ units: 50 });
    const sell = { market_id: MARKET, side: 'sell', type: 'limit', quantity: 4, price: '2.49' };
    await seller.place({ ...sell, client_order_id: 's' });
    await buyer.place({ ...sell, side: 'buy', quantity: 10, price: '2.5', client_order_id: 'b' });
  }

  it('add up to positions with what they cost, wherever the units are', async () => {
    await traded();
    const { instrumentId } = floor.instrument;
    const cheaper = { market_id: MARKET, type: 'limit', quantity: 2, price: '1.5' };
    await seller.place({ ...cheaper, side: 'sell' });
    await buyer.place({ ...cheaper, side: 'buy' });
    const [before] = (await buyer.get('/v1/positions')).rows;
    expect(before).toEqual({
      id: expect.stringMatching(/^position_/),
      user_account_id: buyer.account.userId,
      instrument_id: instrumentId,
      instrument_symbol: 'text-standard',
      instrument_name: floor.instrument.name,
      status: 'open',
      quantity: 6,
      // 4 at 2.4900, and 2 that the resting bid of 2.5000 took.
      average_cost: '2.4933333333',
      total_cost: '14.960000',
      current_market_value: '15.000000',
      last_trade_price: '2.5000',
      opened_at: TIME,
      closed_at: null,
      inserted_at: before?.opened_at,
      updated_at: TIME,
    });
    const body = { instrument_id: 'text-standard', quantity: 4 };
    await buyer.call('POST', '/v1/transfers/trading-to-consumption', { body });
    const [whole] = (await buyer.get('/v1/positions?status=open')).rows;
    expect([whole?.quantity, whole?.total_cost]).toEqual([6, '14.960000']);
    // The front moved, so what is left to sell are the two units that came last.
    await buyer.call('DELETE', '/v1/orders');
    const bid = { market_id: MARKET, side: 'buy', type: 'limit', quantity: 2, price: '2' };
    const poor = await floor.trader({ usdMicros: 100_000_000 });
    await poor.place(bid);
    await buyer.place({ ...bid, side: 'sell' });
    const [rest] = (await buyer.get(`/v1/positions?instrument_id=${instrumentId}`)).rows;
    expect(rest).toMatchObject({ quantity: 4, total_cost: '9.960000', average_cost: '2.49' });
    expect((await buyer.get('/v1/positions?status=closed')).rows).toEqual([]);
    expect((await buyer.get('/v1/positions?color=red')).body.errors.code).toBe('validation_failed');
    // Units of one's own issue cost nothing.
    const own = (await seller.get('/v1/positions?instrument_name=TEXT%20STANDARD')).rows;
    expect(own).toMatchObject([{ quantity: 44, total_cost: '0.000000', average_cost: '0' }]);
  });

  it('close when everything is sold', async () => {
    await traded();
    const order = { market_id: MARKET, type: 'limit', quantity: 4, price: '2' };
    await buyer.call('DELETE', '/v1/orders');
    const other = await floor.trader({ usdMicros: 100_000_000 });
    await other.place({ ...order, side: 'buy' });
    await buyer.place({ ...order, side: 'sell' });
    const [closed] = (await buyer.get('/v1/positions')).rows;
    expect(closed).toMatchObject({ status: 'closed', quantity: 0, total_cost: '0.000000', closed_at: TIME });
  });

  it('show a trade to each side with its own order and fee, and to nobody else', async () => {
    await traded();
    const [bought] = (await buyer.get('/v1/trades')).rows;
    const order = (await buyer.get('/v1/orders/by-client-id/b')).body.data;
    expect(bought).toEqual({
      trade_id: expect.stringMatching(/^trade_/),
      id: bought?.id,
      market_id: MARKET,
      market_name: 'text-standard/USD',
      instrument_id: floor.instrument.instrumentId,
      instrument_symbol: 'text-standard',
      instrument_name: floor.instrument.name,
      price: '2.4900',
      quantity: 4,
      total_value: '9.960000',
      fee: '0.049800',
      fee_bps: 50,
      fee_currency: 'USD',
      liquidity: 'taker',
      status: 'settled',
      side: 'buy',
      execution_timestamp: TIME,
      settlement_timestamp: bought?.execution_timestamp,
      order_id: order.id,
      trading_account_id: expect.stringMatching(/^trading_account_[0-9a-hjkmnp-tv-z]{26}$/),
      units: [{ from: 1, to: 4 }],
      sequence: 1,
    });
    const [sold] = (await seller.get('/v1/trades')).rows;
    expect(sold).toMatchObject({
      id: bought?.id,
      side: 'sell',
      liquidity: 'maker',
      fee: '0.000000',
      fee_bps: 0,
    });
    expect(sold?.order_id).not.toBe(order.id);
    expect((await buyer.get(`/v1/trades/${bought?.id}`)).body.data).toEqual(bought);
    const found = (query: string, who = buyer) =>
      who.get(`/v1/trades?${query}`).then(({ rows }) => rows.length);
    expect(await found(`order_id=${order.id}&buyer_order_id=${order.id}`)).toBe(1);
    expect(await found(`triggering_order_id=${order.id}&status=settled&market_id=${MARKET}`)).toBe(1);
    expect(await found(`seller_order_id=${order.id}`)).toBe(0);
    expect(await found(`order_id=${order.id}`, seller)).toBe(0);
    const stranger = await floor.trader();
    expect((await stranger.get('/v1/trades')).rows).toEqual([]);
    const foreign = await stranger.get(`/v1/trades/${bought?.id}`);
    expect([foreign.status, foreign.body.errors.code]).toEqual([404, 'trade_not_found']);
  });

  it('have one row per instrument held, and one of USD', async () => {
    await traded();
    const { rows } = await buyer.get('/v1/trading-accounts');
    expect(rows).toEqual([
      {
        account_id: expect.stringMatching(/^currency_trading_account_/),
        id: rows[0]?.account_id,
        user_id: buyer.account.userId,
        instrument_id: 'instrument-b41834ce-1e1f-536e-bf37-124a9d431a84',
        instrument_symbol: 'USD',
        instrument_name: 'US Dollar',
        currency: 'USD',
        total_balance: '89.990200',
        available_balance: '74.915200',
        locked_balance: '15.075000',
        status: 'active',
        last_trade_price: null,
        last_trading_activity_at: TIME,
        last_deposit_at: null,
        last_withdrawal_at: null,
        created_at: TIME,
        updated_at: TIME,
      },
      {
        account_id: expect.stringMatching(/^trading_account_/),
        id: rows[1]?.account_id,
        user_id: buyer.account.userId,
        instrument_id: floor.instrument.instrumentId,
        instrument_symbol: 'text-standard',
        instrument_name: floor.instrument.name,
        market_id: MARKET,
        market_name: 'text-standard/USD',
        total_balance: '4',
        available_balance: '4',
        locked_balance: '0',
        status: 'active',
        last_trade_price: '2.4900',
        last_trading_activity_at: TIME,
        last_deposit_at: TIME,
        last_withdrawal_at: null,
        created_at: TIME,
        updated_at: TIME,
      },
    ]);
    const currency = await buyer.get('/v1/currency-trading-accounts');
    expect(currency.rows).toMatchObject([
      {
        currency: 'usd',
        total_balance: '89.990200',
        credit_balance: '89.990200',
        proceeds_balance: '0.000000',
        card_balance: '0.000000',
      },
    ]);
    expect(currency.rows[0]).not.toHaveProperty('owed_usd');
  });

  it('are found one by one, by filters and page by page', async () => {
    await traded();
    const { rows } = await buyer.get('/v1/trading-accounts');
    expect((await buyer.get(`/v1/trading-accounts/${rows[1]?.id}`)).body.data).toEqual(rows[1]);
    expect((await seller.get(`/v1/trading-accounts/${rows[1]?.id}`)).body.errors.code).toBe(
      'account_not_found',
    );
    expect((await buyer.get('/v1/trading-accounts?currency=usd')).rows).toEqual([rows[0]]);
    expect((await buyer.get('/v1/trading-accounts?instrument_id=TEXT-STANDARD')).rows).toEqual([rows[1]]);
    expect((await buyer.get('/v1/trading-accounts?color=red')).status).toBe(400);
    const first = (await buyer.get('/v1/trading-accounts?limit=1')).body;
    expect([first.data, first.paging]).toEqual([
      [rows[0]],
      { next_cursor: expect.any(String), prev_cursor: null, has_more: true },
    ]);
    const second = (await buyer.get(`/v1/trading-accounts?limit=1&next=${first.paging.next_cursor}`)).body;
    expect([second.data, second.paging]).toEqual([
      [rows[1]],
      { next_cursor: null, prev_cursor: expect.any(String), has_more: false },
    ]);
    const back = await buyer.get(`/v1/trading-accounts?limit=1&prev=${second.paging.prev_cursor}`);
    expect([back.body.data, back.body.paging.has_more]).toEqual([first.data, true]);
    for (const path of ['positions?', 'trading-accounts?status=active&'])
      expect((await buyer.get(`/v1/${path}next=${first.paging.next_cursor}`)).body.errors.code).toBe(
        'invalid_cursor',
      );
  });

  it('move units to consumption, where they are lots in drawing order', async () => {
    await traded();
    const body = { instrument_id: 'TEXT-STANDARD', quantity: '3' };
    const path = '/v1/transfers/trading-to-consumption';
    const timestamp = Math.floor(Date.now() / 1000);
    const moved = await buyer.call('POST', path, { body, timestamp });
    expect(moved.status).toBe(200);
    expect(moved.body).toEqual({
      status: 'success',
      transfer_id: expect.stringMatching(/^transfer_/),
      data: {
        status: 'success',
        transfer_id: moved.body.transfer_id,
        instrument_id: floor.instrument.instrumentId,
        quantity: 3,
        lots: [expect.stringMatching(/^lot_/)],
      },
    });
    const copy = await buyer.call('POST', path, { body, timestamp });
    expect([copy.body, copy.headers.get('x-grid-idempotent-replay')]).toEqual([moved.body, 'true']);
    const { rows } = await buyer.get('/v1/consumption-accounts');
    expect(rows).toMatchObject([
      {
        instrument_symbol: 'text-standard',
        uncommitted_balance: 3,
        available_balance: 3,
        committed_balance: 0,
        total_balance: 3,
        total_deposits: 3,
        total_withdrawals: 0,
        total_transfers_in: 3,
        total_transfers_out: 0,
        total_tokens: 3_000_000,
        free_tokens: 3_000_000,
        held_tokens: 0,
      },
    ]);
    const lots = await buyer.get(`/v1/consumption-accounts/${rows[0]?.id}/lots`);
    expect(lots.rows).toMatchObject([
      {
        lot_id: (moved.body.data.lots as string[])[0],
        unit_from: 1,
        unit_to: 3,
        acquisition_price_per_unit: '2.4900',
        tokens_total: 3_000_000,
        tokens_remaining: 3_000_000,
        opened: false,
        expires_at: null,
        status: 'open',
      },
    ]);
    expect(lots.rows[0]?.trade_id).toBe((await buyer.get('/v1/trades')).rows[0]?.id);
    expect((await seller.get(`/v1/consumption-accounts/${rows[0]?.id}/lots`)).status).toBe(404);
    const history = await buyer.get('/v1/transfer-histories?direction=trading_to_consumption');
    expect(history.rows).toMatchObject([
      {
        id: moved.body.transfer_id,
        from_account_type: 'trading',
        to_account_type: 'consumption',
        account_id: rows[0]?.id,
        quantity: 3,
        status: 'completed',
        origin: 'user',
      },
    ]);
    expect((await seller.get('/v1/transfer-histories')).rows).toMatchObject([
      { direction: 'issuance_to_trading', quantity: 50 },
    ]);
  });

  it('move no more units than are free', async () => {
    await traded();
    const body = { instrument_id: 'text-standard', quantity: 5 };
    const short = await buyer.call('POST', '/v1/transfers/trading-to-consumption', { body });
    expect([short.status, short.body.errors.code, short.body.errors.context]).toEqual([
      400,
      'insufficient_balance',
      { asset: 'text-standard', required: '5', available: '4' },
    ]);
  });

  it('tell who the caller is and what limits are in force', async () => {
    await traded();
    const me = (await buyer.get('/v1/me')).body.data;
    expect(me).toEqual({
      user_id: buyer.account.userId,
      id: buyer.account.userId,
      email: buyer.account.email,
      name: 'Ada',
      email_verified: true,
      accepted_terms: true,
      account_mode: 'advanced',
      capabilities: ['consume', 'trade'],
      onboarding_complete: true,
      created_at: TIME,
      updated_at: TIME,
    });
    expect((await seller.get('/v1/me')).body.data).not.toHaveProperty('name');
    const created = await floor.keys.create(buyer.account.accountNumber, { name: 'k' });
    const headers = { authorization: `Bearer ${created.ok && created.value.key}` };
    const keyed = await send(floor.origin, { method: 'GET', path: '/v1/me', headers });
    expect([keyed.status, 'email' in keyed.body.data]).toEqual([200, false]);
    const limits = await buyer.get(`/v1/account/limits?market_id=${MARKET}`);
    expect(limits.body.data).toMatchObject({
      market_id: MARKET,
      // The floor has no limits, and says so.
      order_rate_limits: {
        scope: 'user_market',
        max_orders_per_second: 0,
        max_orders_per_minute: 0,
        burst_capacity: 20,
        window_seconds: 1,
      },
      open_orders: { max: 500, current: 1 },
      fees: { maker_bps: 0, taker_bps: 50 },
    });
    expect((await buyer.get('/v1/account/limits')).body.errors.code).toBe('validation_failed');
    expect((await buyer.get('/v1/account/limits?market_id=x')).body.errors.code).toBe('market_not_found');
  });
});
