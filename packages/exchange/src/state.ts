import { Book, BUY, type SideCode } from './book/book.ts';
import type { MarketRules, Side, TradingState } from './commands.ts';
import { DueQueue } from './due-queue.ts';
import type { ExchangeEvent, MarketSequence } from './events.ts';
import { invariant } from './integers.ts';
import { Ledger } from './ledger.ts';
import { TradeWindow } from './trade-window.ts';

export const TOKENS_PER_UNIT = 1_000_000;
/** Range number of units that no escrow stands behind: they are still, or again, with their issuer. */
export const NO_RANGE = 0;

/** A run of whole units with one history. Trading holdings are lists of these. */
export interface Segment {
  acquisition: number;
  unitFrom: number;
  unitTo: number;
  /** Trade that brought the units; 0 for units that were never traded. */
  trade: number;
  priceTicks: number | null;
  /** What was paid for these units with promotional USD. */
  promotionalMicros: number;
  /** Fees their holder paid on buying them. */
  feeMicros: number;
  issuer: number;
  range: number;
}

/** A segment that moved to consumption. `free` lists the undrawn token offsets as flat pairs [from, to). */
export interface Lot extends Segment {
  readonly lot: number;
  readonly account: number;
  readonly instrument: number;
  tokensTotal: number;
  tokensRemaining: number;
  free: number[];
}

/** Escrow of one primary fill (clearing: released = floor(escrow x delivered / total), cumulative). */
export interface EscrowRange {
  readonly range: number;
  readonly issuer: number;
  readonly instrument: number;
  readonly trade: number;
  readonly unitFrom: number;
  readonly unitTo: number;
  readonly escrowMicros: number;
  readonly tokensTotal: number;
  tokensDelivered: number;
  releasedMicros: number;
  /**
   * Substitute account -> millionths of a micro-dollar not yet paid, so that pay is a cumulative floor. Absent until a
   * substitute is paid: there is a range for every primary fill, and hardly any ever needs one.
   */
  substituteRemainders?: Map<number, number>;
}

/** What one account has of one instrument. */
export interface Position {
  readonly segments: Segment[];
  /** Lots with tokens left, in drawing order. */
  readonly lots: Lot[];
  /** Units issued by this account and not yet moved to trading. */
  readonly issued: { unitFrom: number; unitTo: number }[];
  /** Sequence numbers of resting orders, oldest first. */
  readonly openOrders: Set<number>;
}

export interface Account {
  readonly account: number;
  /** By a dispute that is open, or was lost and is not settled. */
  suspended: boolean;
  /** By the operator. */
  frozen: boolean;
  /** Disputes that were opened and not closed yet. */
  openDisputes: number;
  receipts: number;
  readonly positions: Map<number, Position>;
  /** Instrument ({@link ANY_MARKET} for all) -> number of the armed timer. */
  readonly timers: Map<number, number>;
}

/** In place of an instrument: the orders of every market. */
export const ANY_MARKET = 0;

/** A dead man's switch that is armed. */
export interface CancelTimer {
  readonly account: number;
  readonly instrument: number;
}

/** How an auction that is running ends. */
export interface Auction {
  readonly endsAtMs: number;
  /** It must not be cut shorter than this. */
  readonly earliestMs: number;
  readonly opensAs: 'open' | 'post_only';
}

export interface Market {
  readonly instrument: number;
  rules: MarketRules;
  state: TradingState;
  /** Set in the state `auction` and in no other. */
  auction: Auction | undefined;
  /** The market was halted, or its book may be crossed: it opens through an auction only. */
  needsAuction: boolean;
  readonly book: Book;
  /** Command that gave a resting order its place in the queue, by slot: what is newer has the larger one. */
  readonly arrivals: number[];
  /** Resting orders that expire. */
  readonly expiries: DueQueue;
  /** Timers that went off while the market was halted, in that order. */
  readonly pendingCancels: { readonly account: number; readonly dueMs: number }[];
  readonly window: TradeWindow;
  /** Engine sequence: grows with every command that changed this market. */
  sequence: number;
  trades: number;
  nextUnit: number;
}

export class ExchangeState {
  readonly ledger = new Ledger();
  readonly accounts = new Map<number, Account>();
  readonly markets = new Map<number, Market>();
  readonly lots = new Map<number, Lot>();
  readonly ranges = new Map<number, EscrowRange>();
  /** Resting order -> instrument. */
  readonly orderMarket = new Map<number, number>();
  readonly timers = new Map<number, CancelTimer>();
  readonly timerDues = new DueQueue();
  lastSeq = 0;
  lastAtMs = 0;
  orderCounter = 0;
  tradeCounter = 0;
  lotCounter = 0;
  rangeCounter = 0;
  acquisitionCounter = 0;
  timerCounter = 0;

  position(account: number, instrument: number): Position {
    const holder = this.accounts.get(account);
    invariant(holder !== undefined, 'state: positions belong to open accounts');
    let position = holder.positions.get(instrument);
    if (position === undefined) {
      position = { segments: [], lots: [], issued: [], openOrders: new Set() };
      holder.positions.set(instrument, position);
    }
    return position;
  }

  market(instrument: number): Market {
    const market = this.markets.get(instrument);
    invariant(market !== undefined, 'state: the market was checked to exist');
    return market;
  }
}

export function newAccount(account: number): Account {
  return {
    account,
    suspended: false,
    frozen: false,
    openDisputes: 0,
    receipts: 0,
    positions: new Map(),
    timers: new Map(),
  };
}

/** Whether the account may not trade, whoever barred it. */
export function isBarred(holder: Account): boolean {
  return holder.suspended || holder.frozen;
}

/** Positions of an account by instrument number: an order that no refused command can change. */
export function positionsInOrder(holder: Account): [instrument: number, position: Position][] {
  return [...holder.positions].sort((a, b) => a[0] - b[0]);
}

export function newMarket(instrument: number, rules: MarketRules): Market {
  return {
    instrument,
    rules,
    state: 'open',
    auction: undefined,
    needsAuction: false,
    book: new Book(),
    arrivals: [],
    expiries: new DueQueue(),
    pendingCancels: [],
    window: new TradeWindow(),
    sequence: 0,
    trades: 0,
    nextUnit: 1,
  };
}

/** Above every price in ticks. */
const PRICE_FACTOR = 2 ** 31;

/** What a command gathers while it runs. */
export class Context {
  readonly events: ExchangeEvent[] = [];
  readonly state: ExchangeState;
  readonly atMs: number;
  /** Levels as numbers: instrument, side and price in one. A set, since most commands touch a level often. */
  private readonly touchedLevels = new Set<number>();

  constructor(state: ExchangeState, atMs: number) {
    this.state = state;
    this.atMs = atMs;
  }

  emit(event: ExchangeEvent): void {
    this.events.push(event);
  }

  /** Number of the command that runs. */
  get seq(): number {
    return this.state.lastSeq + 1;
  }

  touchLevel(instrument: number, side: SideCode, priceTicks: number): void {
    this.touchedLevels.add((instrument * 2 + side) * PRICE_FACTOR + priceTicks);
  }

  /** Emits the final state of every touched level and numbers the change of every market it concerns. */
  closeMarkets(named: Market | undefined): MarketSequence[] {
    const concerned = new Set<number>(named === undefined ? [] : [named.instrument]);
    for (const level of this.touchedLevels) {
      const priceTicks = level % PRICE_FACTOR;
      const book = (level - priceTicks) / PRICE_FACTOR;
      const side = (book % 2) as SideCode;
      const instrument = (book - side) / 2;
      concerned.add(instrument);
      const { quantity, orderCount } = this.state.market(instrument).book.levelState(side, priceTicks);
      this.emit({
        type: 'level',
        instrument,
        side: sideName(side),
        priceTicks,
        quantityUnits: quantity,
        orderCount,
      });
    }
    this.touchedLevels.clear();
    return [...concerned].sort((a, b) => a - b).map((instrument) => this.advance(instrument));
  }

  private advance(instrument: number): MarketSequence {
    const market = this.state.market(instrument);
    market.sequence += 1;
    return { instrument, sequence: market.sequence };
  }
}

export function sideName(side: SideCode): Side {
  return side === BUY ? 'buy' : 'sell';
}
