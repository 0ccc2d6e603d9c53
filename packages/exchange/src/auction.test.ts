import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TradeEvent } from './events.ts';
import { KIND } from './ledger.ts';
import { checkInvariants } from './testing/invariants.ts';
import { eventsOf, MARKET, marketOrder, order, RULES, replay, Scene, ticks, usd } from './testing/scene.ts';

const [S, T, A, B] = [1, 2, 3, 4];

/** Two suppliers with stock, two users with money, and an auction of a minute that has just begun. */
function inAuction(rules = { ...RULES, makerBps: 10 }): Scene {
  const scene = Scene.open([S, T, A, B], rules);
  for (const account of [S, T, A, B]) scene.card(account, '1000');
  for (const supplier of [S, T]) scene.stock(supplier, 100);
  scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'auction', auctionMs: 60_000 });
  return scene;
}

function tradesOf(events: readonly { type: string }[]): TradeEvent[] {
  return events.filter((event): event is TradeEvent => event.type === 'trade');
}

describe('an auction', () => {
  it('collects orders that cross without trading them, whatever they promised, and tells when it ends', () => {
    const scene = Scene.open([S, A]);
    scene.card(A, '100');
    scene.stock(S, 10);
    const begun = scene.run({
      kind: 'set_trading_state',
      instrument: MARKET,
      state: 'auction',
      auctionMs: 60_000,
    });
    expect(eventsOf(begun, 'market')).toMatchObject([{ state: 'auction', endsAtMs: scene.atMs + 60_000 }]);
    scene.sell(S, 4, '2.4000');
    const bid = order({ account: A, side: 'buy', quantityUnits: 3, priceTicks: ticks('9') });
    const placed = scene.run({ ...bid, postOnly: true });
    expect(eventsOf(placed, 'order')).toMatchObject([{ status: 'active', reason: null }]);
    expect(eventsOf(placed, 'trade')).toEqual([]);
    checkInvariants(scene.exchange);
  });

  it.each([
    ['a market order', marketOrder({ account: A, side: 'buy', quantityUnits: 1 })],
    [
      'immediate or cancel',
      order({ account: A, side: 'buy', quantityUnits: 1, priceTicks: 9, timeInForce: 'ioc' }),
    ],
    ['fill or kill', order({ account: A, side: 'buy', quantityUnits: 1, priceTicks: 9, timeInForce: 'fok' })],
  ])('does not take %s', (_what, command) => {
    const outcome = inAuction().run(command);
    expect(eventsOf(outcome, 'order')).toMatchObject([{ status: 'rejected', reason: 'market_halted' }]);
  });

  it('trades at one price in price-time order, both sides at the maker fee, and opens', () => {
    const scene = inAuction();
    scene.sell(S, 5, '2.4000');
    scene.sell(T, 5, '2.3000');
    scene.buy(A, 6, '2.6000');
    scene.buy(B, 3, '2.5000');
    const events = scene.wait(60_000);
    const fee = usd('0.01225');
    const line = { priceTicks: ticks('2.45'), isAuction: true, aggressor: 'buy' };
    expect(tradesOf(events)).toMatchObject([
      { ...line, buyer: A, seller: T, quantityUnits: 5, buyerFeeMicros: fee, sellerFeeMicros: fee },
      { ...line, buyer: A, seller: S, quantityUnits: 1 },
      { ...line, buyer: B, seller: S, quantityUnits: 3 },
    ]);
    expect(events.filter((event) => event.type === 'market')).toMatchObject([
      { state: 'open', endsAtMs: null },
    ]);
    expect(scene.exchange.marketStatus(MARKET)).toMatchObject({ state: 'open', endsAtMs: null });
    expect(scene.exchange.export().markets[0]!.sells.map((row) => [row[0], row[3]])).toEqual([[1, 1]]);
    expect(scene.balance(KIND.heldCard, A)).toBe(0);
    expect(scene.available(A)).toBe(usd('1000') - usd('14.7') - usd('0.0147'));
    checkInvariants(scene.exchange, 50);
  });

  it('says of a trade the side of the newer order, counted from the last amend that cost the place', () => {
    const scene = inAuction();
    const bid = scene.buy(A, 2, '2.5000').order!;
    scene.sell(S, 2, '2.5000');
    scene.run({ kind: 'amend_order', account: A, order: bid, quantityUnits: 3 });
    expect(tradesOf(scene.wait(60_000))).toMatchObject([{ aggressor: 'buy' }]);
  });

  it('ends the newer of two orders of one account instead of trading them', () => {
    const scene = inAuction();
    scene.buy(S, 4, '2.6000');
    scene.sell(S, 4, '2.4000');
    scene.sell(T, 4, '2.5000');
    const events = scene.wait(60_000);
    expect(tradesOf(events)).toMatchObject([{ buyer: S, seller: T, quantityUnits: 4 }]);
    expect(events).toContainEqual(
      expect.objectContaining({ order: 2, status: 'cancelled', reason: 'self_trade_prevented' }),
    );
    const pair = {
      type: 'self_trade_prevented',
      instrument: MARKET,
      account: S,
      prevention: 'cancel_newest',
    };
    expect(events).toContainEqual({ ...pair, incomingOrder: 2, restingOrder: 1 });
    checkInvariants(scene.exchange, 50);
  });

  it('seeks the price again when self-trade prevention took volume from it', () => {
    const scene = inAuction();
    scene.buy(A, 5, '2.6000');
    scene.sell(S, 1, '2.5500');
    scene.buy(S, 9, '2.4500');
    scene.sell(S, 9, '2.4000');
    const events = scene.wait(60_000);
    // With S's own bid, nine would trade at 2.4500 at most; without what S cannot trade with itself, the five of A decide.
    expect(tradesOf(events)).toMatchObject([{ buyer: A, quantityUnits: 5, priceTicks: ticks('2.5') }]);
    expect(events).toContainEqual(
      expect.objectContaining({ order: 4, status: 'cancelled', filledUnits: 5, remainingUnits: 4 }),
    );
    expect(scene.balance(KIND.tradingHeld, S)).toBe(1_000_000);
    expect(scene.exchange.bestTicks(MARKET, 'buy') ?? 0).toBeLessThan(
      scene.exchange.bestTicks(MARKET, 'sell')!,
    );
    checkInvariants(scene.exchange, 50);
  });

  it('of a tie takes the price nearest to the last trade', () => {
    const scene = Scene.open([S, A]);
    scene.card(A, '100');
    scene.stock(S, 10);
    scene.sell(S, 1, '2.5000');
    scene.buy(A, 1, '2.5000');
    scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'auction' });
    scene.buy(A, 2, '2.8000');
    scene.sell(S, 2, '2.2000');
    expect(tradesOf(scene.wait(30_000))).toMatchObject([{ priceTicks: ticks('2.5') }]);
  });

  it('leaves nothing crossed, keeps every rule and replays, whatever was collected', () => {
    const quote = fc.record({
      account: fc.constantFrom(S, T, A, B),
      isBuy: fc.boolean(),
      price: fc.integer({ min: 24_990, max: 25_010 }),
      units: fc.integer({ min: 1, max: 9 }),
    });
    const property = fc.property(fc.array(quote, { minLength: 1, maxLength: 30, size: 'max' }), (quotes) => {
      const scene = inAuction();
      for (const account of [A, B])
        scene.run({ kind: 'issue', account, instrument: MARKET, quantityUnits: 300 });
      for (const account of [A, B])
        scene.run({ kind: 'transfer_issued', account, instrument: MARKET, quantityUnits: 300 });
      for (const { account, isBuy, price, units } of quotes) {
        const side = isBuy ? 'buy' : 'sell';
        scene.attempt(order({ account, side, quantityUnits: units, priceTicks: price }));
      }
      const trades = tradesOf(scene.wait(60_000));
      expect(new Set(trades.map((trade) => trade.priceTicks)).size).toBeLessThanOrEqual(1);
      expect(trades.every((trade) => trade.buyer !== trade.seller)).toBe(true);
      checkInvariants(scene.exchange, 50);
      expect(JSON.stringify(replay(scene.journal).export())).toBe(JSON.stringify(scene.exchange.export()));
    });
    void fc.assert(property, { numRuns: 150 });
  });
});
