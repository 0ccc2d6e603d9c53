import { amendOrder } from './amend-order.ts';
import { BUY, type DepthLevel, SELL } from './book/book.ts';
import { NONE } from './book/price-ladder.ts';
import { cancelOrder, cancelOrders } from './cancel-order.ts';
import type { Command, JournalEntry, MarketRules, Side, TradingState } from './commands.ts';
import {
  closeDispute,
  closeRefund,
  credit,
  fundReserve,
  lockCollateral,
  openDispute,
  openRefund,
} from './credit.ts';
import { elapse, nextDueMs } from './elapse.ts';
import { substituteCapTicks } from './escrow.ts';
import type { Accepted, Outcome, Refused } from './events.ts';
import { requiredMicros } from './incoming.ts';
import { invariant, isPositiveInteger } from './integers.ts';
import type { Kind } from './ledger.ts';
import { configureMarket, openMarket, setTradingState } from './markets.ts';
import { placeOrder } from './place-order.ts';
import { type PositionView, viewPosition } from './position-view.ts';
import { autoBuyCeilingTicks } from './prices.ts';
import { settle } from './settle.ts';
import { exportState, importState, type StateExport } from './snapshot.ts';
import { setStanding } from './standing.ts';
import { ANY_MARKET, Context, ExchangeState, isBarred, type Lot, newAccount } from './state.ts';
import { issue, retireIssued, terminateSupplier, transferIssued, transferToConsumption } from './supply.ts';
import { armCancelTimer } from './timers.ts';
import { transferToTrading } from './transfer-back.ts';
import { availableUsd } from './usd.ts';

/** Commands that a suspended account may not give. What was delivered is still settled. */
const NEEDS_STANDING: ReadonlySet<Command['kind']> = new Set([
  'place_order',
  'issue',
  'transfer_issued',
  'transfer_to_consumption',
  'transfer_to_trading',
  'retire_issued',
  'amend_order',
  'lock_collateral',
  'open_refund',
]);

/** Commands that name a market without changing what is public of it. */
const CHANGES_NO_MARKET: ReadonlySet<Command['kind']> = new Set(['settle', 'arm_cancel_timer']);

type Handled = Refused | { order?: number; instrument?: number } | undefined;

/**
 * The market as a deterministic function of its journal: same entries in, same events and same state out. It reads no
 * clock, draws no random number and does no I/O; time and identities come in with the command.
 */
export class Exchange {
  private state = new ExchangeState();
  private dueMs = Infinity;

  get lastSeq(): number {
    return this.state.lastSeq;
  }

  get lastAtMs(): number {
    return this.state.lastAtMs;
  }

  /**
   * When an `elapse` command is due, in Unix milliseconds; undefined where nothing is. No other command is taken at that
   * time or later before it is given.
   */
  nextDueMs(): number | undefined {
    return this.dueMs === Infinity ? undefined : this.dueMs;
  }

  /**
   * Applies the next command. A refusal changes nothing and uses up no sequence number; anything accepted must be kept in
   * the journal under `entry.seq`.
   */
  apply(entry: JournalEntry): Outcome {
    invariant(entry.seq === this.state.lastSeq + 1, 'exchange: the journal is dense');
    invariant(entry.atMs >= this.state.lastAtMs, 'exchange: command time never decreases');
    const isDueDone = this.dueMs > entry.atMs || entry.command.kind === 'elapse';
    invariant(isDueDone, 'exchange: what is due is done before anything else');
    const refusal = this.precheck(entry.command);
    if (refusal !== undefined) return refusal;
    const context = new Context(this.state, entry.atMs);
    const handled = this.dispatch(context, entry.command);
    if (handled !== undefined && 'ok' in handled) {
      invariant(this.state.ledger.closeTransaction().length === 0, 'exchange: a refusal moves nothing');
      return handled;
    }
    return this.accept(context, entry, handled ?? {});
  }

  private accept(
    context: Context,
    entry: JournalEntry,
    handled: { order?: number; instrument?: number },
  ): Accepted {
    const { command } = entry;
    const instrument = handled.instrument ?? ('instrument' in command ? command.instrument : undefined);
    const market = instrument === undefined ? undefined : this.state.markets.get(instrument);
    const marketSequences = context.closeMarkets(CHANGES_NO_MARKET.has(command.kind) ? undefined : market);
    const marketSeq = marketSequences.find((one) => one.instrument === instrument)?.sequence ?? 0;
    this.state.lastSeq = entry.seq;
    this.state.lastAtMs = entry.atMs;
    this.dueMs = nextDueMs(this.state);
    const legs = this.state.ledger.closeTransaction();
    const order = handled.order === undefined ? {} : { order: handled.order };
    return { ok: true, events: context.events, legs, marketSeq, marketSequences, ...order };
  }

  private precheck(command: Command): Refused | undefined {
    if ('account' in command && command.kind !== 'open_account') {
      const holder = this.state.accounts.get(command.account);
      if (holder === undefined) return { ok: false, code: 'account_not_found' };
      if (isBarred(holder) && NEEDS_STANDING.has(command.kind))
        return { ok: false, code: 'account_suspended' };
    }
    if (
      'instrument' in command &&
      command.instrument !== undefined &&
      command.kind !== 'open_market' &&
      !this.state.markets.has(command.instrument)
    ) {
      return { ok: false, code: 'market_not_found' };
    }
    return undefined;
  }

  private dispatch(context: Context, command: Command): Handled {
    switch (command.kind) {
      case 'place_order':
        return placeOrder(context, command);
      case 'cancel_order':
        return cancelOrder(context, command);
      case 'amend_order':
        return amendOrder(context, command);
      case 'cancel_orders':
        return cancelOrders(context, command);
      case 'settle':
        return settle(context, command);
      case 'credit':
        return credit(context, command);
      case 'issue':
        return issue(context, command);
      case 'transfer_issued':
        return transferIssued(context, command);
      case 'transfer_to_consumption':
        return transferToConsumption(context, command);
      case 'transfer_to_trading':
        return transferToTrading(context, command);
      case 'retire_issued':
        return retireIssued(context, command);
      case 'arm_cancel_timer':
        return armCancelTimer(context, command);
      case 'elapse':
        return elapse(context);
      case 'terminate_supplier':
        return terminateSupplier(context, command) as undefined;
      case 'fund_reserve':
        return fundReserve(context, command);
      case 'lock_collateral':
        return lockCollateral(context, command);
      case 'open_refund':
        return openRefund(context, command);
      case 'close_refund':
        return closeRefund(context, command);
      case 'open_dispute':
        return openDispute(context, command);
      case 'close_dispute':
        return closeDispute(context, command);
      default:
        return this.administer(context, command);
    }
  }

  private administer(
    context: Context,
    command: Extract<
      Command,
      { kind: 'open_account' | 'open_market' | 'configure_market' | 'set_trading_state' | 'set_standing' }
    >,
  ): Handled {
    if (command.kind === 'open_account') return this.openAccount(context, command.account);
    if (command.kind === 'open_market') return openMarket(context, command);
    if (command.kind === 'configure_market') return configureMarket(context, command);
    if (command.kind === 'set_standing') return setStanding(context, command);
    return setTradingState(context, command);
  }

  private openAccount(context: Context, account: number): Handled {
    if (!isPositiveInteger(account)) return { ok: false, code: 'validation_failed' };
    if (this.state.accounts.has(account)) return { ok: false, code: 'account_exists' };
    this.state.accounts.set(account, newAccount(account));
    context.emit({ type: 'account', account, suspended: false, opened: true });
    return undefined;
  }

  /** USD that can be spent at once, in micro-dollars. */
  availableUsdMicros(account: number): number {
    return availableUsd(this.state.ledger, account);
  }

  balance(kind: Kind, account = 0, instrument = 0): number {
    return this.state.ledger.balance(kind, account, instrument);
  }

  hasAccount(account: number): boolean {
    return this.state.accounts.has(account);
  }

  isSuspended(account: number): boolean {
    const holder = this.state.accounts.get(account);
    return holder !== undefined && isBarred(holder);
  }

  rulesOf(instrument: number): MarketRules | undefined {
    return this.state.markets.get(instrument)?.rules;
  }

  /** Engine sequence, trading state, and when the auction that is running ends (Unix milliseconds). */
  marketStatus(
    instrument: number,
  ): { sequence: number; state: TradingState; endsAtMs: number | null } | undefined {
    const market = this.state.markets.get(instrument);
    if (market === undefined) return undefined;
    const { sequence, state, auction } = market;
    return { sequence, state, endsAtMs: auction?.endsAtMs ?? null };
  }

  /** What an account has of one instrument; undefined where it never had any. */
  positionOf(account: number, instrument: number): PositionView | undefined {
    const position = this.state.accounts.get(account)?.positions.get(instrument);
    return position === undefined ? undefined : viewPosition(position);
  }

  /** Number of resting orders of an account in one market. */
  openOrderCount(account: number, instrument: number): number {
    return this.state.accounts.get(account)?.positions.get(instrument)?.openOrders.size ?? 0;
  }

  /** When the dead man's switch of an account goes off, in Unix milliseconds; of one market where one is given. */
  timerOf(account: number, instrument: number = ANY_MARKET): number | undefined {
    const number = this.state.accounts.get(account)?.timers.get(instrument);
    return number === undefined ? undefined : this.state.timerDues.dueMsOf(number);
  }

  /** Ceiling of automatic purchases at the time of the last command; undefined: nothing may be bought. */
  autoBuyCeilingTicks(instrument: number, mode: { easyMode: boolean }): number | undefined {
    const market = this.state.markets.get(instrument);
    return market === undefined ? undefined : autoBuyCeilingTicks(market, this.lastAtMs, mode);
  }

  vwap24hTicks(instrument: number): number | undefined {
    return this.state.markets.get(instrument)?.window.vwap24hTicks(this.lastAtMs);
  }

  /** Highest price a substitute may be paid for this instrument. */
  substituteCapTicks(instrument: number): number | undefined {
    return substituteCapTicks(this.vwap24hTicks(instrument));
  }

  bestTicks(instrument: number, side: Side): number | undefined {
    const best = this.state.markets.get(instrument)?.book.bestTicks(side === 'buy' ? BUY : SELL) ?? NONE;
    return best === NONE ? undefined : best;
  }

  depth(instrument: number, side: Side, limit: number): DepthLevel[] {
    return this.state.markets.get(instrument)?.book.depth(side === 'buy' ? BUY : SELL, limit) ?? [];
  }

  /** What a buy of `quantityUnits` at `limitTicks` must find available: value and taker fee, in micro-dollars. */
  buyRequirementMicros(instrument: number, quantityUnits: number, limitTicks: number): number {
    return requiredMicros(this.state.market(instrument), quantityUnits, limitTicks);
  }

  /** Every lot with tokens left, account by account in drawing order. */
  *openLots(): Generator<Lot> {
    for (const holder of this.state.accounts.values()) {
      for (const position of holder.positions.values()) yield* position.lots;
    }
  }

  /** Issuers that owe undelivered units of an instrument, with the tokens they owe. */
  liabilities(instrument: number): Map<number, number> {
    const owed = new Map<number, number>();
    for (const range of this.state.ranges.values()) {
      if (range.instrument !== instrument) continue;
      owed.set(range.issuer, (owed.get(range.issuer) ?? 0) + range.tokensTotal - range.tokensDelivered);
    }
    return owed;
  }

  /** Issuer of a lot that still has tokens. */
  issuerOfLot(lot: number): number | undefined {
    return this.state.lots.get(lot)?.issuer;
  }

  /** The whole state as plain data in a canonical order; equal states give equal exports. */
  export(): StateExport {
    return exportState(this.state);
  }

  static restore(data: StateExport): Exchange {
    const exchange = new Exchange();
    exchange.state = importState(data);
    exchange.dueMs = nextDueMs(exchange.state);
    return exchange;
  }
}
