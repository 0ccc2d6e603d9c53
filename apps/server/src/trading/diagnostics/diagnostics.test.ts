import { afterEach, expect, it } from 'vitest';
import { openFloor, send, type TradingFloor } from '../../program/testing.ts';
import { forEachStore } from '../../store/testing.ts';

interface Report {
  readonly status: string;
  readonly service: string;
  readonly checks: readonly { name: string; status: string; code: string; detail: string }[];
  readonly summary: unknown;
}

forEachStore('diagnostics', (open) => {
  let floor: TradingFloor;
  afterEach(() => floor.close());

  function codes({ checks }: Report): Record<string, string> {
    return Object.fromEntries(checks.map(({ name, status, code }) => [name, `${status} ${code}`]));
  }

  it('tell a signer how its key, clock, mode, balances and markets stand', async () => {
    floor = await openFloor((await open()).database);
    const trader = await floor.trader({ usdMicros: 3_000_000 });
    const answer = await trader.get('/v1/diagnostics');
    const report = answer.body.data as unknown as Report;
    expect([answer.status, report.service, report.summary]).toEqual([
      200,
      'trading',
      { account_mode: 'advanced' },
    ]);
    expect(codes(report)).toEqual({
      signature: 'ok signature_valid',
      clock_skew: 'ok clock_in_step',
      key_age: 'ok key_recent',
      account_mode: 'ok mode_advanced',
      balances: 'ok usd_available',
      market_status: 'ok markets_open',
      engine: 'ok engine_ready',
    });
    expect(report.status).toBe('ok');
    expect(report.checks.find(({ name }) => name === 'balances')?.detail).toBe('3.000000 USD can be spent.');
    const late = await trader.call('GET', '/v1/diagnostics', {
      timestamp: Math.floor(Date.now() / 1000) - 15,
    });
    expect(codes(late.body.data as unknown as Report).clock_skew).toBe('warn clock_skewed');
    const { instrumentNo: instrument } = floor.instrument;
    await floor.command({ kind: 'set_trading_state', instrument, state: 'cancel_only' });
    const easy = await floor.trader({ mode: 'easy' });
    const other = (await easy.get('/v1/trading/diagnostics')).body.data as unknown as Report;
    expect(other.status).toBe('warn');
    expect(codes(other)).toMatchObject({
      account_mode: 'warn mode_easy',
      balances: 'warn usd_empty',
      market_status: 'warn markets_not_open',
    });
  });

  it('tell the holder of any consumption key what inference would meet, and a stranger nothing', async () => {
    floor = await openFloor((await open()).database);
    const trader = await floor.trader({ usdMicros: 50_000_000 });
    const { accountNumber } = trader.account;
    const made = await floor.keys.create(accountNumber, { name: 'k', scopes: ['usage:read'] });
    if (!made.ok) throw new Error(made.error.code);
    const headers = { authorization: `Bearer ${made.value.key}` };
    const read = () => send(floor.origin, { method: 'GET', path: '/v1/diagnostics', headers });
    const first = (await read()).body.data as unknown as Report;
    expect([first.status, first.service]).toEqual(['fail', 'consumption']);
    expect(codes(first)).toEqual({
      credential: 'ok api_key_valid',
      scopes: 'fail scope_missing',
      account_standing: 'ok account_active',
      balance: 'warn balance_empty',
      usd_credits: 'ok usd_available',
      auto_buy: 'ok auto_buy_off',
      instrument_availability: 'warn instruments_unserved',
      rate_limits: 'ok rate_limits_told',
      engine: 'ok engine_ready',
    });
    const seller = await floor.trader({ units: 2 });
    const order = { market_id: 'text-standard', type: 'limit', quantity: 1, price: '2' };
    await seller.place({ ...order, side: 'sell' });
    await trader.place({ ...order, side: 'buy', should_autotransfer: true });
    const funded = (await read()).body.data as unknown as Report;
    const balance = funded.checks.find(({ name }) => name === 'balance');
    expect([balance?.status, balance?.detail]).toEqual(['ok', 'text-standard has 1000000 tokens left.']);
    floor.sequencer.earmarks.reserve(accountNumber, floor.instrument.instrumentNo, 988_000);
    expect(codes((await read()).body.data as unknown as Report).balance).toBe('warn balance_low');
    const stranger = await send(floor.origin, { method: 'GET', path: '/v1/diagnostics' });
    expect([stranger.status, stranger.body.errors.code]).toEqual([401, 'missing_credentials']);
  });
});
