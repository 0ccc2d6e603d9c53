import { afterEach, expect, it } from 'vitest';
import {
  type Answer,
  openFloor,
  secondsBack,
  type Trader,
  type TradingFloor,
} from '../../program/testing.ts';
import { verifyLedger } from '../../sequencer/verify.ts';
import { forEachStore } from '../../store/testing.ts';

const ORDER = { market_id: 'text-standard', type: 'limit', price: '2' };

forEachStore('units back from consumption', (open) => {
  let floor: TradingFloor;
  let trader: Trader;
  const nextSecond = secondsBack();
  afterEach(() => floor.close());

  /** A trader with two lots in consumption: 3 units bought first, then 2. */
  async function setUp(settings = {}): Promise<void> {
    floor = await openFloor((await open()).database, { settings });
    const seller = await floor.trader({ units: 20 });
    trader = await floor.trader({ usdMicros: 100_000_000 });
    await seller.place({ ...ORDER, side: 'sell', quantity: 20 });
    for (const quantity of [3, 2]) {
      const bought = await trader.place({ ...ORDER, side: 'buy', quantity, should_autotransfer: true });
      expect(bought.body.data.status).toBe('filled');
    }
  }

  function back(body: unknown): Promise<Answer> {
    return trader.call('POST', '/v1/transfers/consumption-to-trading', { body, timestamp: nextSecond() });
  }

  async function lots(): Promise<[unknown, unknown, unknown][]> {
    const [account] = (await trader.get('/v1/consumption-accounts')).rows;
    const { rows } = await trader.get(`/v1/consumption-accounts/${account?.id}/lots`);
    return rows.map(({ id, tokens_total, status }) => [id, tokens_total, status]);
  }

  it('come from the newest lots, whole, and can be sold again', async () => {
    await setUp();
    const [older, newer] = (await lots()).map(([id]) => id);
    const answer = await back({ instrument_id: 'TEXT-STANDARD', quantity: 3 });
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        status: 'success',
        transfer_id: expect.stringMatching(/^transfer_/),
        data: {
          status: 'success',
          transfer_id: answer.body.transfer_id,
          instrument_id: floor.instrument.instrumentId,
          quantity: 3,
          lots: [newer, older],
        },
      },
    ]);
    expect(await lots()).toEqual([
      [older, 2_000_000, 'open'],
      [newer, 0, 'moved'],
    ]);
    const [held] = (await trader.get('/v1/trading-accounts?instrument_id=text-standard')).rows;
    expect(held).toMatchObject({ available_balance: '3' });
    const [consumption] = (await trader.get('/v1/consumption-accounts')).rows;
    expect(consumption).toMatchObject({
      total_deposits: 5,
      total_transfers_out: 3,
      total_balance: 2,
      held_tokens: 0,
    });
    const history = await trader.get('/v1/transfer-histories?direction=consumption_to_trading');
    expect(history.rows).toMatchObject([
      {
        id: answer.body.transfer_id,
        from_account_type: 'consumption',
        to_account_type: 'trading',
        quantity: 3,
      },
    ]);
    expect((await trader.place({ ...ORDER, side: 'sell', quantity: 3, price: '9' })).status).toBe(201);
    expect((await verifyLedger(floor.database)).ok).toBe(true);
  });

  it('are not taken from requests in flight, nor from opened units', async () => {
    await setUp();
    const { earmarks } = floor.sequencer;
    const { accountNumber } = trader.account;
    const { instrumentNo } = floor.instrument;
    const hold = earmarks.reserve(accountNumber, instrumentNo, 3_500_000)!;
    const opened = await back({ instrument_id: 'text-standard', quantity: 2 });
    expect([opened.status, opened.body.errors.code]).toEqual([409, 'transfer_not_allowed']);
    expect((await back({ instrument_id: 'text-standard', quantity: 1 })).status).toBe(200);
    earmarks.close(hold, 0);
    expect(earmarks.heldTokens(accountNumber, instrumentNo)).toBe(0);
    const [, newer] = await lots();
    const one = await back({ instrument_id: 'text-standard', quantity: 1, lot_id: newer![0] });
    expect(one.body.data).toMatchObject({ quantity: 1, lots: [newer![0]] });
    const again = await back({ instrument_id: 'text-standard', quantity: 1, lot_id: newer![0] });
    expect(again.body.errors.code).toBe('transfer_not_allowed');
    const tooMany = await back({ instrument_id: 'text-standard', quantity: 4 });
    expect([tooMany.status, tooMany.body]).toMatchObject([
      400,
      {
        code: 'INSUFFICIENT_BALANCE',
        errors: { context: { asset: 'text-standard', required: '4', available: '3' } },
      },
    ]);
  });

  it('are refused in easy mode, where the operator disabled it, and for lots of others', async () => {
    await setUp({ isTransferBackOn: false });
    const body = { instrument_id: 'text-standard', quantity: 1 };
    expect((await back(body)).body.errors.code).toBe('transfer_not_allowed');
    const easy = await floor.trader({ mode: 'easy' });
    const refused = await easy.call('POST', '/v1/transfers/consumption-to-trading', { body });
    expect([refused.status, refused.body.errors.detail]).toEqual([403, 'auto_mode_trading_restricted']);
    await floor.close();
    await setUp();
    const [mine] = await lots();
    const other = await floor.trader();
    const path = '/v1/transfers/consumption-to-trading';
    const foreign = await other.call('POST', path, { body: { ...body, lot_id: mine![0] } });
    expect([foreign.status, foreign.body.errors.code]).toEqual([409, 'transfer_not_allowed']);
    for (const bad of [
      { ...body, lot_id: 'x' },
      { ...body, quantity: 0 },
      { ...body, quantity: '1e1' },
    ])
      expect((await back(bad)).body.errors.code).toBe('validation_failed');
    expect((await back({ ...body, instrument_id: 'nothing' })).body.errors.code).toBe('instrument_not_found');
  });

  it('are moved once by two copies of one request', async () => {
    await setUp();
    const timestamp = Math.floor(Date.now() / 1000);
    const call = { body: { instrument_id: 'text-standard', quantity: 1 }, timestamp };
    const path = '/v1/transfers/consumption-to-trading';
    const [first, copy] = await Promise.all([0, 1].map(() => trader.call('POST', path, call)));
    expect(copy!.body).toEqual(first!.body);
    expect((await trader.get('/v1/transfer-histories?direction=consumption_to_trading')).rows).toHaveLength(
      1,
    );
  });
});
