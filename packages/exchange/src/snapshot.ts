import { BUY, PREVENTION, SELL, type SideCode } from './book/book.ts';
import type { MarketRules, TradingState } from './commands.ts';
import type { BalanceRow } from './ledger.ts';
import {
  type Account,
  type Auction,
  type EscrowRange,
  ExchangeState,
  type Lot,
  type Market,
  newAccount,
  newMarket,
  positionsInOrder,
  type Segment,
} from './state.ts';
import type { WindowTrade } from './trade-window.ts';

/** Bumped whenever the shape below changes, so that an old snapshot is never read as a new one. */
export const SNAPSHOT_VERSION = 2;

type OrderRow = readonly [
  order: number,
  account: number,
  priceTicks: number,
  remaining: number,
  quantity: number,
  filled: number,
  filledValueMicros: number,
  feeMicros: number,
  heldPromotional: number,
  heldProceeds: number,
  heldCard: number,
  flags: number,
  arrival: number,
  /** 0: does not expire. */
  expiresAtMs: number,
];

type TimerRow = readonly [number: number, account: number, instrument: number, dueMs: number];

interface PositionExport {
  readonly instrument: number;
  readonly segments: readonly Segment[];
  readonly lots: readonly Lot[];
  readonly issued: readonly { unitFrom: number; unitTo: number }[];
}

interface AccountExport {
  readonly account: number;
  readonly suspended: boolean;
  readonly frozen: boolean;
  readonly openDisputes: number;
  readonly receipts: number;
  readonly positions: readonly PositionExport[];
}

interface MarketExport {
  readonly instrument: number;
  readonly rules: MarketRules;
  readonly state: TradingState;
  readonly auction: Auction | null;
  readonly needsAuction: boolean;
  readonly pendingCancels: readonly (readonly [account: number, dueMs: number])[];
  readonly sequence: number;
  readonly trades: number;
  readonly nextUnit: number;
  readonly window: readonly WindowTrade[];
  readonly buys: readonly OrderRow[];
  readonly sells: readonly OrderRow[];
}

export interface StateExport {
  readonly version: number;
  readonly lastSeq: number;
  readonly lastAtMs: number;
  readonly counters: readonly number[];
  readonly balances: readonly BalanceRow[];
  readonly accounts: readonly AccountExport[];
  readonly markets: readonly MarketExport[];
  readonly timers: readonly TimerRow[];
  readonly ranges: readonly (Omit<EscrowRange, 'substituteRemainders'> & {
    readonly remainders: readonly (readonly [number, number])[];
  })[];
}

export function exportState(state: ExchangeState): StateExport {
  return {
    version: SNAPSHOT_VERSION,
    lastSeq: state.lastSeq,
    lastAtMs: state.lastAtMs,
    counters: [
      state.orderCounter,
      state.tradeCounter,
      state.lotCounter,
      state.rangeCounter,
      state.acquisitionCounter,
      state.timerCounter,
    ],
    balances: state.ledger.rows(),
    accounts: [...state.accounts.values()].map(exportAccount),
    markets: [...state.markets.values()].map((market) => exportMarket(market, state.lastAtMs)),
    timers: exportTimers(state),
    ranges: [...state.ranges.values()].map(({ substituteRemainders, ...range }) => ({
      ...range,
      remainders: [...(substituteRemainders ?? [])],
    })),
  };
}

function exportTimers(state: ExchangeState): TimerRow[] {
  return [...state.timers].map(([number, { account, instrument }]) => {
    return [number, account, instrument, state.timerDues.dueMsOf(number)!];
  });
}

/** Positions in a fixed order; an empty one is the same as none, since a refused command may have made it. */
function exportAccount(holder: Account): AccountExport {
  const positions = positionsInOrder(holder)
    .map(([instrument, position]) => ({
      instrument,
      segments: position.segments.map((segment) => ({ ...segment })),
      lots: position.lots.map((lot) => ({ ...lot, free: [...lot.free] })),
      issued: position.issued.map((run) => ({ ...run })),
    }))
    .filter(({ segments, lots, issued }) => segments.length + lots.length + issued.length > 0);
  const { account, suspended, frozen, openDisputes, receipts } = holder;
  return { account, suspended, frozen, openDisputes, receipts, positions };
}

/** Members in a fixed order, whatever order the journal's reader gave them in. */
function exportRules(rules: MarketRules): MarketRules {
  return {
    takerBps: rules.takerBps,
    makerBps: rules.makerBps,
    minOrderUnits: rules.minOrderUnits,
    maxOrderUnits: rules.maxOrderUnits,
    maxOpenOrders: rules.maxOpenOrders,
    marketCollarBps: rules.marketCollarBps,
    limitCollarBps: rules.limitCollarBps,
    autoBuyCollarBps: rules.autoBuyCollarBps,
    referencePriceTicks: rules.referencePriceTicks,
  };
}

function exportMarket(market: Market, nowMs: number): MarketExport {
  const { instrument, rules, state, auction, needsAuction, sequence, trades, nextUnit } = market;
  return {
    instrument,
    rules: exportRules(rules),
    state,
    auction: auction === undefined ? null : { ...auction },
    needsAuction,
    pendingCancels: market.pendingCancels.map(({ account, dueMs }) => [account, dueMs]),
    sequence,
    trades,
    nextUnit,
    window: market.window.export(nowMs),
    buys: exportOrders(market, BUY),
    sells: exportOrders(market, SELL),
  };
}

function exportOrders(market: Market, side: SideCode): OrderRow[] {
  const { orders } = market.book;
  return [...market.book.slots(side)].map((slot) => [
    orders.orderSeq[slot]!,
    orders.account[slot]!,
    orders.priceTicks[slot]!,
    orders.remaining[slot]!,
    orders.quantity[slot]!,
    orders.filledQuantity[slot]!,
    orders.filledValueMicros[slot]!,
    orders.feeMicros[slot]!,
    orders.heldPromotionalMicros[slot]!,
    orders.heldProceedsMicros[slot]!,
    orders.heldCardMicros[slot]!,
    orders.flags[slot]!,
    market.arrivals[slot]!,
    market.expiries.dueMsOf(orders.orderSeq[slot]!) ?? 0,
  ]);
}

export function importState(data: StateExport): ExchangeState {
  if (data.version !== SNAPSHOT_VERSION) throw new Error(`unknown snapshot version ${data.version}`);
  const state = new ExchangeState();
  state.lastSeq = data.lastSeq;
  state.lastAtMs = data.lastAtMs;
  const [orders, trades, lots, ranges, acquisitions, timers] = data.counters as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  state.orderCounter = orders;
  state.tradeCounter = trades;
  state.lotCounter = lots;
  state.rangeCounter = ranges;
  state.acquisitionCounter = acquisitions;
  state.timerCounter = timers;
  state.ledger.restore(data.balances);
  for (const { remainders, ...range } of data.ranges) {
    const restored: EscrowRange = { ...range };
    if (remainders.length > 0) restored.substituteRemainders = new Map(remainders);
    state.ranges.set(range.range, restored);
  }
  for (const holder of data.accounts) importAccount(state, holder);
  for (const market of data.markets) importMarket(state, market);
  for (const timer of data.timers) importTimer(state, timer);
  importOpenOrders(state);
  return state;
}

function importAccount(state: ExchangeState, data: AccountExport): void {
  const { account, suspended, frozen, openDisputes, receipts } = data;
  const holder: Account = { ...newAccount(account), suspended, frozen, openDisputes, receipts };
  state.accounts.set(account, holder);
  for (const position of data.positions) {
    const lots = position.lots.map((lot) => ({ ...lot, free: [...lot.free] }));
    for (const lot of lots) state.lots.set(lot.lot, lot);
    holder.positions.set(position.instrument, {
      segments: position.segments.map((segment) => ({ ...segment })),
      lots,
      issued: position.issued.map((run) => ({ ...run })),
      openOrders: new Set(),
    });
  }
}

function importTimer(state: ExchangeState, [number, account, instrument, dueMs]: TimerRow): void {
  state.timers.set(number, { account, instrument });
  state.timerDues.set(number, dueMs);
  state.accounts.get(account)!.timers.set(instrument, number);
}

function importMarket(state: ExchangeState, data: MarketExport): void {
  const market = newMarket(data.instrument, data.rules);
  market.state = data.state;
  market.auction = data.auction === null ? undefined : { ...data.auction };
  market.needsAuction = data.needsAuction;
  for (const [account, dueMs] of data.pendingCancels) market.pendingCancels.push({ account, dueMs });
  market.sequence = data.sequence;
  market.trades = data.trades;
  market.nextUnit = data.nextUnit;
  market.window.restore(data.window, state.lastAtMs);
  for (const row of data.buys) importOrder(market, BUY, row);
  for (const row of data.sells) importOrder(market, SELL, row);
  state.markets.set(data.instrument, market);
}

function importOrder(market: Market, side: SideCode, row: OrderRow): void {
  const [
    order,
    account,
    limitTicks,
    remaining,
    quantity,
    filled,
    value,
    fee,
    promotional,
    proceeds,
    card,
    flags,
    arrival,
    expiresAtMs,
  ] = row;
  const incoming = { account, side, limitTicks, quantity, prevention: PREVENTION.cancelNewest };
  const slot = market.book.rest(order, incoming, remaining);
  const { orders } = market.book;
  orders.quantity[slot] = quantity;
  orders.filledQuantity[slot] = filled;
  orders.filledValueMicros[slot] = value;
  orders.feeMicros[slot] = fee;
  orders.heldPromotionalMicros[slot] = promotional;
  orders.heldProceedsMicros[slot] = proceeds;
  orders.heldCardMicros[slot] = card;
  orders.flags[slot] = flags;
  market.arrivals[slot] = arrival;
  if (expiresAtMs > 0) market.expiries.set(order, expiresAtMs);
}

/**
 * Open orders are listed per account and market in the order they were placed. Numbers are sorted as flat columns: a market
 * may have a million of them, and a start waits for this.
 */
function importOpenOrders(state: ExchangeState): void {
  for (const { book, instrument } of state.markets.values()) {
    const placed = new Float64Array(book.orderCount);
    let count = 0;
    for (const side of [BUY, SELL] as const) {
      for (const slot of book.slots(side)) {
        placed[count] = book.orders.orderSeq[slot]!;
        count += 1;
      }
    }
    for (const order of placed.sort()) {
      state.orderMarket.set(order, instrument);
      state.position(book.orders.account[book.find(order)]!, instrument).openOrders.add(order);
    }
  }
}
