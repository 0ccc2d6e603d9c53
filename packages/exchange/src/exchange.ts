import { BUY, type DepthLevel, SELL } from './book/book.ts';
import { NONE } from './book/price-ladder.ts';
import { cancelOrder } from './cancel-order.ts';
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
import { substituteCapTicks } from './escrow.ts';
import type { Accepted, Outcome, Refused } from './events.ts';
import { invariant, isPositiveInteger } from './integers.ts';
import type { Kind } from './ledger.ts';
import { configureMarket, openMarket, setTradingState } from './markets.ts';
import { placeOrder, requiredMicros } from './place-order.ts';
import { autoBuyCeilingTicks } from './prices.ts';
import { settle } from './settle.ts';
import { exportState, importState, type StateExport } from './snapshot.ts';
import { Context, ExchangeState, type Lot } from './state.ts';
import { issue, terminateSupplier, transferIssued, transferToConsumption } from './supply.ts';
import { availableUsd } from './usd.ts';

/** Commands that a suspended account may not give. What was delivered is still settled. */
const NEEDS_STANDING: ReadonlySet<Command['kind']> = new Set([
  'place_order',
  'issue',
  'transfer_issued',
  'transfer_to_consumption',
  'lock_collateral',
  'open_refund',
]);

type Handled = Refused | { order?: number; instrument?: number } | undefined;

/**
 * The market as a deterministic function of its journal: same entries in, same events and same state out. It reads no
 * clock, draws no random number and does no I/O; time and identities come in with the command.
 */
export class Exchange {
  private state = new ExchangeState();

  get lastSeq(): number {
    return this.state.lastSeq;
  }

  get lastAtMs(): number {
    return this.state.lastAtMs;
  }

  /**
   * Applies the next command. A refusal changes nothing and uses up no sequence number; anything accepted must be kept in
   * the journal under `entry.seq`.
   */
  apply(entry: JournalEntry): Outcome {
    invariant(entry.seq === this.state.lastSeq + 1, 'exchange: the journal is dense');
    invariant(entry.atMs >= this.state.lastAtMs, 'exchange: command time never decreases');
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
    const marketSequences = context.closeMarkets(command.kind === 'settle' ? undefined : market);
    const marketSeq = marketSequences.find((one) => one.instrument === instrument)?.sequence ?? 0;
    this.state.lastSeq = entry.seq;
    this.state.lastAtMs = entry.atMs;
    const legs = this.state.ledger.closeTransaction();
    const order = handled.order === undefined ? {} : { order: handled.order };
    return { ok: true, events: context.events, legs, marketSeq, marketSequences, ...order };
  }

  private precheck(command: Command): Refused | undefined {
    if ('account' in command && command.kind !== 'open_account') {
      const holder = this.state.accounts.get(command.account);
      if (holder === undefined) return { ok: false, code: 'account_not_found' };
      if (holder.suspended && NEEDS_STANDING.has(command.kind))
        return { ok: false, code: 'account_suspended' };
    }
    if (
      'instrument' in command &&
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
      { kind: 'open_account' | 'open_market' | 'configure_market' | 'set_trading_state' }
    >,
  ): Handled {
    if (command.kind === 'open_account') return this.openAccount(context, command.account);
    if (command.kind === 'open_market') return openMarket(context, command);
    if (command.kind === 'configure_market') return configureMarket(context, command);
    return setTradingState(context, command);
  }

  private openAccount(context: Context, account: number): Handled {
    if (!isPositiveInteger(account)) return { ok: false, code: 'validation_failed' };
    if (this.state.accounts.has(account)) return { ok: false, code: 'account_exists' };
    this.state.accounts.set(account, {
      account,
      suspended: false,
      openDisputes: 0,
      receipts: 0,
      positions: new Map(),
    });
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
    return this.state.accounts.get(account)?.suspended ?? false;
  }

  rulesOf(instrument: number): MarketRules | undefined {
    return this.state.markets.get(instrument)?.rules;
  }

  /** Engine sequence and trading state of a market. */
  marketStatus(instrument: number): { sequence: number; state: TradingState } | undefined {
    const market = this.state.markets.get(instrument);
    return market === undefined ? undefined : { sequence: market.sequence, state: market.state };
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
    return exchange;
  }
}
