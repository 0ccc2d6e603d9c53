import { Book, BUY, type SideCode } from './book/book.ts';
import type { MarketRules, Side, TradingState } from './commands.ts';
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
  suspended: boolean;
  /** Disputes that were opened and not closed yet. */
  openDisputes: number;
  receipts: number;
  readonly positions: Map<number, Position>;
}

export interface Market {
  readonly instrument: number;
  rules: MarketRules;
  state: TradingState;
  readonly book: Book;
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
  lastSeq = 0;
  lastAtMs = 0;
  orderCounter = 0;
  tradeCounter = 0;
  lotCounter = 0;
  rangeCounter = 0;
  acquisitionCounter = 0;

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

/** Positions of an account by instrument number: an order that no refused command can change. */
export function positionsInOrder(holder: Account): [instrument: number, position: Position][] {
  return [...holder.positions].sort((a, b) => a[0] - b[0]);
}

export function newMarket(instrument: number, rules: MarketRules): Market {
  return {
    instrument,
    rules,
    state: 'open',
    book: new Book(),
    window: new TradeWindow(),
    sequence: 0,
    trades: 0,
    nextUnit: 1,
  };
}

/** What a command gathers while it runs. */
export class Context {
  readonly events: ExchangeEvent[] = [];
  readonly state: ExchangeState;
  readonly atMs: number;
  private readonly touchedLevels = new Map<
    string,
    { instrument: number; side: SideCode; priceTicks: number }
  >();

  constructor(state: ExchangeState, atMs: number) {
    this.state = state;
    this.atMs = atMs;
  }

  emit(event: ExchangeEvent): void {
    this.events.push(event);
  }

  touchLevel(instrument: number, side: SideCode, priceTicks: number): void {
    this.touchedLevels.set(`${instrument}:${side}:${priceTicks}`, { instrument, side, priceTicks });
  }

  /** Emits the final state of every touched level and numbers the change of every market it concerns. */
  closeMarkets(named: Market | undefined): MarketSequence[] {
    const concerned = new Set<number>(named === undefined ? [] : [named.instrument]);
    for (const { instrument, side, priceTicks } of this.touchedLevels.values()) {
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
