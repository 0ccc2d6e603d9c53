import type { Exchange } from '../exchange.ts';
import { isTokenKind, KIND, mayBeNegative } from '../ledger.ts';
import type { StateExport } from '../snapshot.ts';

const TOKENS_PER_UNIT = 1_000_000;
const MICROS_PER_TICK = 100;

type OrderRow = StateExport['markets'][number]['buys'][number];

function need(condition: boolean, message: string): void {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}

/** Sums by text key. */
class Sums {
  private readonly sums = new Map<string, number>();

  add(key: string, amount: number): void {
    this.sums.set(key, (this.sums.get(key) ?? 0) + amount);
  }

  expectEqual(other: Sums, what: string): void {
    const keys = new Set([...this.sums.keys(), ...other.sums.keys()]);
    for (const key of keys) {
      const [a, b] = [this.sums.get(key) ?? 0, other.sums.get(key) ?? 0];
      need(a === b, `${what} of ${key}: ledger ${a}, rows ${b}`);
    }
  }
}

function ledgerSums(state: StateExport, kinds: readonly number[]): Sums {
  const sums = new Sums();
  for (const [kind, account, instrument, amount] of state.balances) {
    if (kinds.includes(kind)) sums.add(`${account}/${instrument}`, amount);
  }
  return sums;
}

function checkBalances(state: StateExport): void {
  const totals = new Map<number, number>();
  for (const [kind, account, instrument, amount] of state.balances) {
    need(Number.isSafeInteger(amount), `balance ${kind}/${account} is a safe integer`);
    need(amount >= 0 || mayBeNegative(kind), `balance ${kind}/${account} is not negative`);
    const asset = isTokenKind(kind) ? instrument : 0;
    totals.set(asset, (totals.get(asset) ?? 0) + amount);
  }
  for (const [asset, total] of totals) need(total === 0, `asset ${asset} is conserved, off by ${total}`);
}

/** A hold is made at the taker fee of its time, which `highestTakerBps` bounds where rules change. */
function checkBuys(
  market: StateExport['markets'][number],
  held: readonly Sums[],
  highestTakerBps: number,
): void {
  for (const row of market.buys) {
    const [, account, priceTicks, remaining, , , , , ...tail] = row;
    const origins = tail.slice(0, 3);
    origins.forEach((micros, origin) => {
      held[origin]!.add(`${account}/0`, micros);
    });
    const value = remaining * priceTicks * MICROS_PER_TICK;
    const total = origins.reduce((sum, micros) => sum + micros, 0);
    const takerBps = Math.max(market.rules.takerBps, highestTakerBps);
    const fee = Math.floor((2 * value * takerBps + 10_000) / 20_000);
    need(total >= value, `the hold of order ${row[0]} covers its value`);
    need(total <= value + fee, `the hold of order ${row[0]} is no more than value and fee`);
  }
}

function checkPriority(rows: readonly OrderRow[], isBetter: (a: number, b: number) => boolean): void {
  rows.forEach((row, index) => {
    const before = rows[index - 1];
    need(row[3] > 0, `resting order ${row[0]} has something left`);
    if (before === undefined) return;
    const inOrder = isBetter(before[2], row[2]) || (before[2] === row[2] && before[12] < row[12]);
    need(inOrder, `order ${row[0]} rests in price-time order`);
  });
}

function checkOrders(state: StateExport, highestTakerBps: number): void {
  const held = [new Sums(), new Sums(), new Sums()];
  const units = new Sums();
  for (const market of state.markets) {
    checkBuys(market, held, highestTakerBps);
    for (const row of market.sells) units.add(`${row[1]}/${market.instrument}`, row[3] * TOKENS_PER_UNIT);
    checkPriority(market.buys, (a, b) => a > b);
    checkPriority(market.sells, (a, b) => a < b);
    const [bid, ask] = [market.buys[0]?.[2], market.sells[0]?.[2]];
    const isCrossed = bid !== undefined && ask !== undefined && bid >= ask;
    // While an auction collects orders, and after one that was broken off, until the next.
    need(!isCrossed || market.needsAuction, `market ${market.instrument} is not crossed`);
    need(!isCrossed || market.state !== 'open', `market ${market.instrument} does not trade crossed`);
  }
  const kinds = [KIND.heldPromotional, KIND.heldProceeds, KIND.heldCard];
  for (const [origin, kind] of kinds.entries())
    ledgerSums(state, [kind]).expectEqual(held[origin]!, `hold ${kind}`);
  ledgerSums(state, [KIND.tradingHeld]).expectEqual(units, 'units held for sells');
}

/** What is due belongs to what rests, and waits only where the market is halted. */
function checkDue(exchange: Exchange, state: StateExport): void {
  // One elapse may leave more to do at the same time to the next.
  const isDone = (exchange.nextDueMs() ?? Infinity) > state.lastAtMs;
  for (const market of state.markets) {
    need((market.auction !== null) === (market.state === 'auction'), 'an auction runs in its own state only');
    need(market.pendingCancels.length === 0 || market.state === 'halted', 'nothing waits but for a halt');
    for (const row of [...market.buys, ...market.sells]) {
      const expires = (row[11] >> 5) % 4 !== 0;
      need(expires === row[13] > 0, `order ${row[0]} says when it ends exactly if it does`);
      const isLate = expires && row[13] <= state.lastAtMs;
      need(!isLate || !isDone || market.state === 'halted', `order ${row[0]} ended on time`);
    }
  }
  for (const [number, , , dueMs] of state.timers)
    need(!isDone || dueMs > state.lastAtMs, `timer ${number} went off`);
}

function unitsOf(run: { unitFrom: number; unitTo: number }): number {
  return run.unitTo - run.unitFrom + 1;
}

/** Every holding is a run of its own serials; no unit is in two places. */
function checkSerials(state: StateExport): void {
  const runs = new Map<number, { unitFrom: number; unitTo: number }[]>();
  for (const { positions } of state.accounts) {
    for (const { instrument, segments, lots, issued } of positions) {
      const list = runs.get(instrument) ?? [];
      list.push(...segments, ...lots, ...issued);
      runs.set(instrument, list);
    }
  }
  for (const market of state.markets) {
    const sorted = (runs.get(market.instrument) ?? []).sort((a, b) => a.unitFrom - b.unitFrom);
    let last = 0;
    for (const run of sorted) {
      need(run.unitFrom > last && run.unitTo >= run.unitFrom, `unit ${run.unitFrom} is in one place`);
      last = run.unitTo;
    }
    need(last < market.nextUnit, 'no unit exists that was not issued');
  }
}

function checkLot(lot: StateExport['accounts'][number]['positions'][number]['lots'][number]): void {
  let free = 0;
  for (let index = 0; index < lot.free.length; index += 2) {
    const [from, to] = [lot.free[index]!, lot.free[index + 1]!];
    need(from < to && from >= (index === 0 ? 0 : lot.free[index - 1]!), `lot ${lot.lot} lists ordered runs`);
    free += to - from;
  }
  need(free === lot.tokensRemaining && free > 0, `lot ${lot.lot} has what it lists`);
  need(lot.tokensTotal === unitsOf(lot) * TOKENS_PER_UNIT, `lot ${lot.lot} spans its units`);
}

function checkOrdered(runs: readonly { acquisition: number; unitFrom: number }[]): void {
  runs.forEach((run, index) => {
    const before = runs[index - 1];
    if (before === undefined) return;
    const inOrder =
      before.acquisition < run.acquisition ||
      (before.acquisition === run.acquisition && before.unitFrom < run.unitFrom);
    need(inOrder, 'holdings are ordered by acquisition, then serial');
  });
}

function checkHoldings(state: StateExport): void {
  const [trading, consumption, issuance] = [new Sums(), new Sums(), new Sums()];
  for (const { account, positions } of state.accounts) {
    for (const { instrument, segments, lots, issued } of positions) {
      const key = `${account}/${instrument}`;
      for (const segment of segments) trading.add(key, unitsOf(segment) * TOKENS_PER_UNIT);
      for (const run of issued) issuance.add(key, unitsOf(run) * TOKENS_PER_UNIT);
      for (const lot of lots) {
        checkLot(lot);
        consumption.add(key, lot.tokensRemaining);
      }
      checkOrdered(segments);
      checkOrdered(lots);
    }
  }
  ledgerSums(state, [KIND.trading, KIND.tradingHeld]).expectEqual(trading, 'trading balance');
  ledgerSums(state, [KIND.consumption]).expectEqual(consumption, 'consumption balance');
  ledgerSums(state, [KIND.issuance]).expectEqual(issuance, 'issuance balance');
}

/** Escrow equals its ranges, and each range owes exactly the tokens that somebody holds. */
function checkEscrow(state: StateExport): void {
  const escrow = new Sums();
  const owed = new Map<number, number>();
  for (const range of state.ranges) {
    escrow.add(`${range.issuer}/${range.instrument}`, range.escrowMicros - range.releasedMicros);
    owed.set(range.range, range.tokensTotal - range.tokensDelivered);
  }
  ledgerSums(state, [KIND.escrow]).expectEqual(escrow, 'escrow');
  for (const { account, positions } of state.accounts) {
    for (const { segments, lots } of positions) {
      const runs = [
        ...segments.map((segment) => ({ ...segment, tokens: unitsOf(segment) * TOKENS_PER_UNIT })),
        ...lots.map((lot) => ({ ...lot, tokens: lot.tokensRemaining })),
      ];
      for (const { range, issuer, tokens } of runs) {
        need(range !== 0 || issuer === account, 'units outside their issuer have escrow behind them');
        if (range !== 0) owed.set(range, owed.get(range)! - tokens);
      }
    }
  }
  for (const [range, tokens] of owed)
    need(tokens === 0, `range ${range} owes what is held, off by ${tokens}`);
}

/** Throws with a sentence when the exported state contradicts itself. */
export function checkInvariants(exchange: Exchange, highestTakerBps = 0): void {
  const state = exchange.export();
  checkBalances(state);
  checkOrders(state, highestTakerBps);
  checkSerials(state);
  checkHoldings(state);
  checkEscrow(state);
  checkDue(exchange, state);
}
