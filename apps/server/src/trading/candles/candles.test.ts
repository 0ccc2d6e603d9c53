import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFloor, type Trader, type TradingFloor } from '../../program/testing.ts';
import { CandleChanges, periodStart, RESOLUTIONS } from '../../sequencer/candles.ts';
import { verifyLedger } from '../../sequencer/verify.ts';
import { openEmbeddedStore, openServerStore } from '../../store/testing.ts';

/** A Thursday. */
const START_MS = Date.parse('2026-01-01T00:00:00.000Z');
const HOUR_MS = 3_600_000;

describe('periods', () => {
  it.each([
    ['1m', '2026-01-01T00:00:59.999Z', '2026-01-01T00:00:00.000Z'],
    ['5m', '2026-01-01T00:09:59.999Z', '2026-01-01T00:05:00.000Z'],
    ['15m', '2026-01-01T00:30:00.000Z', '2026-01-01T00:30:00.000Z'],
    ['30m', '2026-01-01T00:59:59.999Z', '2026-01-01T00:30:00.000Z'],
    ['1h', '2026-01-01T23:59:59.999Z', '2026-01-01T23:00:00.000Z'],
    ['4h', '2026-01-01T07:00:00.000Z', '2026-01-01T04:00:00.000Z'],
    ['1d', '2026-01-01T23:59:59.999Z', '2026-01-01T00:00:00.000Z'],
    ['1w', '2026-01-01T12:00:00.000Z', '2025-12-29T00:00:00.000Z'],
    ['1w', '2026-01-05T00:00:00.000Z', '2026-01-05T00:00:00.000Z'],
    ['1w', '2026-01-04T23:59:59.999Z', '2025-12-29T00:00:00.000Z'],
  ])('of %s: %s is in the one from %s', (name, at, start) => {
    expect(new Date(periodStart(Date.parse(at), RESOLUTIONS.get(name)!)).toISOString()).toBe(start);
  });

  it('are what a computation from all trades makes of them, in every resolution', () => {
    const trade = fc.record({
      instrument: fc.constantFrom(1, 2),
      atMs: fc.integer({ min: START_MS, max: START_MS + 10 * 24 * HOUR_MS }),
      priceTicks: fc.integer({ min: 1, max: 100 }),
      quantityUnits: fc.integer({ min: 1, max: 100 }),
      isExcluded: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(trade, { minLength: 1, maxLength: 50 }), (drawn) => {
        const trades = drawn
          .map(({ isExcluded, ...one }) => ({
            ...one,
            excludedUnits: isExcluded ? one.quantityUnits - 1 : 0,
          }))
          .sort((a, b) => a.atMs - b.atMs);
        const changes = new CandleChanges();
        for (const one of trades) changes.add(one, one.atMs);
        expect(lines(changes)).toEqual(naiveLines(trades));
      }),
    );
  });
});

interface Traded {
  readonly instrument: number;
  readonly atMs: number;
  readonly priceTicks: number;
  readonly quantityUnits: number;
  readonly excludedUnits: number;
}

/** The rows as text, one a candle. */
function lines(changes: CandleChanges): string[] {
  const rows = changes.rows();
  const columns = rows.literals().map((literal) => literal.slice(1, -1).replaceAll('"', '').split(','));
  return columns[0]!.map((_first, index) => columns.map((column) => column[index]).join(' ')).sort();
}

function naiveLines(trades: readonly Traded[]): string[] {
  const groups = new Map<string, Traded[]>();
  for (const trade of trades) {
    for (const [name, resolution] of RESOLUTIONS) {
      const key = `${trade.instrument} ${name} ${periodStart(trade.atMs, resolution)}`;
      groups.set(key, [...(groups.get(key) ?? []), trade]);
    }
  }
  return [...groups]
    .map(([key, group]) => {
      const prices = group.map(({ priceTicks }) => priceTicks);
      const sum = (of: (trade: Traded) => number): number => group.reduce((total, one) => total + of(one), 0);
      const figures = [
        prices[0],
        Math.max(...prices),
        Math.min(...prices),
        prices.at(-1),
        sum((one) => one.quantityUnits),
        sum((one) => one.quantityUnits * one.priceTicks),
        sum((one) => one.quantityUnits - one.excludedUnits),
        sum((one) => (one.quantityUnits - one.excludedUnits) * one.priceTicks),
        group.length,
      ];
      return [key, ...figures].join(' ');
    })
    .sort();
}

describe.each([
  ['embedded', openEmbeddedStore],
  ['server', openServerStore],
] as const)('GET /v1/price-histories (%s)', (_engine, openStore) => {
  let floor: TradingFloor;
  let seller: Trader;
  let buyer: Trader;
  let close: () => Promise<void>;

  // One market for all: each test trades later than the one before it.
  beforeAll(async () => {
    const opened = await openStore();
    floor = await openFloor(opened.database, { startMs: Date.now() - 40 * 24 * HOUR_MS });
    close = async () => {
      await floor.close();
      await opened.close();
    };
    seller = await floor.trader({ units: 1_000 });
    buyer = await floor.trader({ usdMicros: 1_000_000_000 });
  });

  afterAll(() => close());

  /** Both orders are the exchange's own commands, at the time of its clock. */
  async function trade(atMs: number, priceTicks: number, quantityUnits: number): Promise<void> {
    floor.clock.nowMs = atMs;
    const order = {
      kind: 'place_order',
      instrument: floor.instrument.instrumentNo,
      type: 'limit',
      quantityUnits,
      priceTicks,
      postOnly: false,
      selfTradePrevention: 'cancel_newest',
      autotransfer: false,
      origin: 'user',
    } as const;
    const { accountNumber: from } = seller.account;
    const { accountNumber: to } = buyer.account;
    await floor.command({ ...order, account: from, side: 'sell', timeInForce: 'gtc' });
    await floor.command({ ...order, account: to, side: 'buy', timeInForce: 'gtc' });
  }

  const path = (query: string): string => `/v1/price-histories?market_id=text-standard&${query}`;

  it('has every member, from the trades of the period', async () => {
    const dayMs = periodStart(floor.clock.nowMs, RESOLUTIONS.get('1d')!) + 24 * HOUR_MS;
    await trade(dayMs + 1_000, 25_000, 2);
    await trade(dayMs + 2_000, 26_000, 1);
    await trade(dayMs + 59_999, 24_000, 3);
    await trade(dayMs + 60_000, 25_500, 1);
    const { rows, status } = await buyer.get(path(`resolution=1m&from=${dayMs}&to=${dayMs + HOUR_MS}`));
    expect(status).toBe(200);
    expect(rows).toEqual([
      {
        market_id: floor.instrument.marketId,
        resolution: '1m',
        period_start: new Date(dayMs).toISOString(),
        period_end: new Date(dayMs + 60_000).toISOString(),
        open: '2.5000',
        high: '2.6000',
        low: '2.4000',
        close: '2.4000',
        volume: '6',
        quote_volume: '14.800000',
        num_trades: 3,
        vwap: '2.4667',
      },
      expect.objectContaining({ open: '2.5500', num_trades: 1, volume: '1', vwap: '2.5500' }),
    ]);
    for (const resolution of RESOLUTIONS.keys()) {
      const week = await buyer.get(
        path(`resolution=${resolution}&from=${dayMs - HOUR_MS}&to=${dayMs + HOUR_MS}`),
      );
      const trades = week.rows.reduce((sum, row) => sum + Number(row.num_trades), 0);
      expect([resolution, trades]).toEqual([resolution, 4]);
    }
    // What the commits wrote is what the trades say, and what a database from before candles is given.
    expect(await verifyLedger(floor.database)).toMatchObject({ ok: true });
    await refillFromTrades();
    expect(await verifyLedger(floor.database)).toMatchObject({ ok: true });
  });

  async function refillFromTrades(): Promise<void> {
    const { database } = floor;
    const file = await readFile(new URL('../../../migrations/0005_candles.sql', import.meta.url), 'utf8');
    const { rowCount: before } = await database.query({ text: 'delete from candles' });
    const { rowCount: after } = await database.query({ text: file.slice(file.indexOf('insert into')) });
    expect([after, (after ?? 0) > 0]).toEqual([before, true]);
  }

  it('fills gaps with the last close, that from before the window included, and not the future', async () => {
    const hour = RESOLUTIONS.get('1h')!;
    const firstMs = periodStart(Date.now(), hour) - 5 * HOUR_MS;
    await trade(firstMs, 25_000, 1);
    await trade(firstMs + 2 * HOUR_MS, 26_000, 1);
    const closes = async (query: string): Promise<unknown[]> =>
      (await buyer.get(path(`resolution=1h&${query}`))).rows.map(({ close, num_trades }) => [
        close,
        num_trades,
      ]);
    const all = `from=${firstMs - 3 * HOUR_MS}&to=${firstMs + 6 * HOUR_MS}`;
    expect(await closes(all)).toEqual([
      ['2.5000', 1],
      ['2.6000', 1],
    ]);
    // The last close of weeks ago goes on until the next trade.
    expect(await closes(`${all}&fill=true`)).toEqual([
      ['2.5500', 0],
      ['2.5500', 0],
      ['2.5500', 0],
      ['2.5000', 1],
      ['2.5000', 0],
      ['2.6000', 1],
      ['2.6000', 0],
      ['2.6000', 0],
      ['2.6000', 0],
    ]);
    expect(await closes(`from=${firstMs + HOUR_MS}&to=${firstMs + 2 * HOUR_MS}&fill=true`)).toEqual([
      ['2.5000', 0],
    ]);
    expect(await closes(`from=${firstMs + HOUR_MS}&to=${firstMs + 2 * HOUR_MS}`)).toEqual([]);
    const ahead = await buyer.get(
      path(`resolution=1h&from=${firstMs}&to=${Date.now() + 9 * HOUR_MS}&fill=true`),
    );
    expect(Date.parse(String(ahead.rows.at(-1)?.period_start))).toBeLessThanOrEqual(Date.now());
    const untraded = await buyer.get('/v1/price-histories?market_id=text-prime&resolution=1h&fill=true');
    expect(untraded.rows).toEqual([]);
  });

  it('has pages that meet without a gap, both ways, filled or not', async () => {
    const minute = RESOLUTIONS.get('1m')!;
    const firstMs = periodStart(Date.now(), minute) - 10 * 60_000;
    for (const at of [0, 1, 3, 4, 6]) await trade(firstMs + at * 60_000, 25_000 + at, 1);
    for (const [order, count] of [
      ['asc', 5],
      ['desc', 5],
      ['asc&fill=true', 7],
      ['desc&fill=true', 7],
    ] as const) {
      const window = `from=${firstMs}&to=${firstMs + 7 * 60_000}`;
      const query = path(`resolution=1m&${window}&order_direction=${order}`);
      const whole = await buyer.get(`${query}&limit=100`);
      expect([whole.rows.length, whole.body.paging.has_more]).toEqual([count, false]);
      const forwards: unknown[] = [];
      let page = await buyer.get(`${query}&limit=2`);
      expect(page.body.paging.prev_cursor).toBeNull();
      forwards.push(...page.rows);
      while (page.body.paging.has_more) {
        page = await buyer.get(`${query}&limit=2&next=${page.body.paging.next_cursor}`);
        expect(page.rows.length).toBeGreaterThan(0);
        forwards.push(...page.rows);
      }
      expect(forwards).toEqual(whole.rows);
      const back = await buyer.get(`${query}&limit=2&prev=${page.body.paging.prev_cursor}`);
      const last = page.rows.length;
      expect(back.rows).toEqual(whole.rows.slice(-last - 2, -last));
    }
  });

  it.each([
    ['no market', '/v1/price-histories?resolution=1h', 400, 'validation_failed'],
    ['an unknown market', '/v1/price-histories?market_id=nowhere&resolution=1h', 404, 'market_not_found'],
    ['no resolution', path(''), 400, 'validation_failed'],
    ['an unknown resolution', path('resolution=2h'), 400, 'validation_failed'],
    ['two resolutions', path('resolution=1h,4h'), 400, 'validation_failed'],
    [
      'a market that is not meant',
      `${path('resolution=1h')}&filters[0][field]=market_id&filters[0][op]=!=&filters[0][value]=text-prime`,
      400,
      'validation_failed',
    ],
    ['no time', path('resolution=1h&from=yesterday'), 400, 'validation_failed'],
    [
      'an end before the start',
      path('resolution=1h&from=2026-01-02&to=2026-01-01'),
      400,
      'validation_failed',
    ],
    ['a word for fill', path('resolution=1h&fill=maybe'), 400, 'validation_failed'],
    ['an unknown filter', path('resolution=1h&colour=red'), 400, 'validation_failed'],
    ['5,001 candles', path('resolution=1m&from=1767225600&to=1767525660'), 422, 'window_too_large'],
    ['a cursor of nobody', path('resolution=1h&next=abc'), 400, 'invalid_cursor'],
  ])('refuses %s', async (_what, target, status, code) => {
    const answer = await buyer.get(target);
    expect([answer.status, answer.body.errors.code]).toEqual([status, code]);
  });

  it('takes 5,000 candles, and filters in every spelling', async () => {
    const flat = await buyer.get(path('resolution=1m&from=1767225600&to=1767525600'));
    expect(flat.status).toBe(200);
    const hourMs = periodStart(Date.now(), RESOLUTIONS.get('1h')!);
    await trade(Math.max(hourMs, floor.clock.nowMs), 25_000, 1);
    const nested = [
      ['market_id', '==', 'text-standard'],
      ['resolution', '==', '1h'],
      ['from', '>=', String(hourMs)],
      ['to', '<', String(hourMs + HOUR_MS)],
      ['limit', '==', '5'],
    ] as const;
    for (const prefix of ['filters', 'flop[filters]']) {
      const query = nested.flatMap(([field, op, value], index) => [
        `${prefix}[${index}][field]=${field}`,
        `${prefix}[${index}][op]=${encodeURIComponent(op)}`,
        `${prefix}[${index}][value]=${value}`,
      ]);
      const { rows } = await buyer.get(`/v1/price-histories?${query.join('&')}`);
      expect(rows).toHaveLength(1);
    }
  });
});
