import { afterEach, expect, it } from 'vitest';
import { catalogueOf } from '../../platform/catalogue.ts';
import { openFloor, send, type TradingFloor } from '../../program/testing.ts';
import { forEachStore } from '../../store/testing.ts';
import { OpenInterest } from './open-interest.ts';

const DAY_MS = 86_400_000;

forEachStore('what instruments are and were worth', (open) => {
  let floor: TradingFloor;
  afterEach(() => floor.close());

  function get(path: string) {
    return send(floor.origin, { method: 'GET', path });
  }

  it('the index has averages, volumes and open units of every period since the first trade', async () => {
    const { database } = await open();
    floor = await openFloor(database);
    const interest = new OpenInterest({
      database,
      sequencer: floor.sequencer,
      instruments: catalogueOf([floor.instrument]),
      clock: () => floor.clock.nowMs,
    });
    const { instrumentNo: instrument } = floor.instrument;
    const nowMs = Date.now();
    const today = Math.floor(nowMs / DAY_MS) * DAY_MS;
    expect((await get('/v1/instruments/text-standard/index')).rows).toEqual([]);
    const [seller, buyer] = [
      await floor.trader({ units: 50 }),
      await floor.trader({ usdMicros: 500_000_000 }),
    ];
    const accounts = { seller: seller.account.accountNumber, buyer: buyer.account.accountNumber };
    const trade = async (quantityUnits: number, priceTicks: number): Promise<void> => {
      const common = { kind: 'place_order', instrument, type: 'limit', quantityUnits, priceTicks } as const;
      await floor.command({ ...common, account: accounts.seller, side: 'sell', timeInForce: 'gtc' });
      await floor.command({ ...common, account: accounts.buyer, side: 'buy', timeInForce: 'gtc' });
    };
    await trade(3, 20_000);
    await trade(1, 30_000);
    await interest.record();
    const [row, ...others] = (await get('/v1/instruments/TEXT-STANDARD/index')).rows;
    expect(others).toEqual([]);
    expect(row).toEqual({
      period_start: new Date(today).toISOString(),
      vwap: '2.2500',
      vwap_7d: '2.2500',
      volume: 4,
      num_trades: 2,
      open_interest_units: 4,
    });
    floor.clock.nowMs += 2 * DAY_MS;
    await trade(4, 40_000);
    await interest.record();
    const { rows } = await database.query<{ tokens: number }>({
      text: 'select outstanding_tokens as tokens from open_interest order by hour_start_ms',
    });
    expect(rows.map(({ tokens }) => tokens)).toEqual([4_000_000, 8_000_000]);
    const at = await interest.unitsAt(instrument, [today, today + DAY_MS, today + 3 * DAY_MS]);
    expect([today, today + DAY_MS, today + 2 * DAY_MS, today + 3 * DAY_MS].map(at)).toEqual([
      undefined,
      4,
      4,
      8,
    ]);
  });

  it('queries that cannot be are refused by name, and specifications are public', async () => {
    floor = await openFloor((await open()).database);
    const bad: [string, number, string][] = [
      ['?resolution=1m', 400, 'validation_failed'],
      ['?resolution=1d&resolution=1h', 400, 'validation_failed'],
      ['?from=yesterday', 400, 'validation_failed'],
      ['?color=red', 400, 'validation_failed'],
      ['?from=2026-01-02&to=2026-01-01', 400, 'validation_failed'],
      ['?resolution=1h&from=2020-01-01', 422, 'window_too_large'],
    ];
    for (const [query, status, code] of bad) {
      const answer = await get(`/v1/instruments/text-standard/index${query}`);
      expect([query, answer.status, answer.body.errors?.code]).toEqual([query, status, code]);
    }
    for (const path of ['nothing/index', 'nothing/specs', 'usd/specs'])
      expect((await get(`/v1/instruments/${path}`)).body.errors.code).toBe('instrument_not_found');
    const specs = await get('/v1/instruments/text-standard/specs');
    expect(specs.body.paging.has_more).toBe(false);
    expect(specs.rows).toMatchObject([
      {
        spec_version: 1,
        effective_from: expect.stringMatching(/Z$/),
        changes: [],
        thresholds: {
          context_window: 128_000,
          ttft_ms_max: 1320,
          tokens_per_second_min: 100,
          uptime_min: 0.99,
          quality_index: 'aa_intelligence',
          quality_score_min: 18,
        },
      },
    ]);
    const trader = await floor.trader();
    expect((await trader.get('/v1/instruments/text-standard/specs')).status).toBe(200);
  });
});
