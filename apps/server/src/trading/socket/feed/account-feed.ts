import type { OrderEvent } from '@opengrid/exchange';
import { invariant } from '@opengrid/exchange';
import type { Instrument, InstrumentCatalogue } from '../../../ports/catalogue.ts';
import type { AccountDirectory } from '../../../ports/identity.ts';
import type { Telemetry } from '../../../ports/telemetry.ts';
import type { AccountEvent, AccountNotice, Committed } from '../../../sequencer/types.ts';
import type { Queryable } from '../../../store/database.ts';
import type { AccountOwner } from '../../accounts/account-ids.ts';
import { tradeShape } from '../../trades/routes.ts';
import { Broadcast } from '../broadcast.ts';
import type { Outlet } from '../outlet.ts';
import { orderMessage } from './order-message.ts';
import { type BalanceContext, OwnBalances } from './own-balances.ts';
import { OwnOrders } from './own-orders.ts';

export const ACCOUNT_STREAMS = ['user.orders', 'user.trades', 'user.balances'] as const;
export type AccountStreamName = (typeof ACCOUNT_STREAMS)[number];

export interface AccountFeedContext extends BalanceContext {
  readonly database: Queryable;
  readonly instruments: InstrumentCatalogue;
  readonly accounts: AccountDirectory;
  readonly telemetry: Telemetry;
}

/** Orders, trades and balances of one account as of the last commit, and whoever listens to them. */
export class AccountFeed {
  readonly orders = new OwnOrders();
  private readonly context: AccountFeedContext;
  private readonly account: number;
  private readonly balances: OwnBalances;
  private readonly listeners: Readonly<Record<AccountStreamName, Set<Outlet>>> = {
    'user.orders': new Set(),
    'user.trades': new Set(),
    'user.balances': new Set(),
  };
  private readonly lagging = new Set<Outlet>();
  /** Commits that came while the store was being read; undefined once they have been followed. */
  private early: (Committed | readonly AccountNotice[])[] | undefined = [];
  private lastUserSeq: number;

  /** Must be made while everything that the exchange has applied is durable, and follow every commit from then on. */
  constructor(context: AccountFeedContext, account: number) {
    this.context = context;
    this.account = account;
    this.balances = new OwnBalances(context, account);
    this.balances.take(context.sequencer.exchange);
    this.lastUserSeq = context.sequencer.lastUserSeq(account);
  }

  /** @param published resolves when every commit that the store may have shown by then has been followed. */
  async load(published: () => Promise<void>): Promise<void> {
    const { database, sequencer } = this.context;
    const { lastSeq } = sequencer.exchange;
    await this.orders.load(database, this.account);
    await this.balances.load(database, lastSeq);
    // An order that ended meanwhile is not among the open ones. Its end is published by now, and nobody listens yet.
    await published();
    const early = this.early ?? [];
    this.early = undefined;
    for (const one of early) {
      if ('outcome' in one) this.follow(one);
      else this.notice(one);
    }
  }

  /** Begins a stream. Balances begin with all of them. */
  join(name: AccountStreamName, outlet: Outlet): void {
    this.listeners[name].add(outlet);
    if (name === 'user.balances') this.sendBalances(outlet, { isReset: false });
  }

  leave(name: AccountStreamName, outlet: Outlet): void {
    this.listeners[name].delete(outlet);
    if (name === 'user.balances') this.lagging.delete(outlet);
  }

  /** A commit that concerns the account. */
  follow(committed: Committed): void {
    if (this.early !== undefined) {
      this.early.push(committed);
      return;
    }
    this.balances.follow(committed);
    for (const event of committed.accountEvents) {
      if (event.account === this.account) this.tell(event, committed);
    }
    // Trades of the same command name the order, so it is forgotten last.
    for (const event of committed.outcome.events) if (event.type === 'order') this.orders.forget(event.order);
  }

  /** Deliveries have moved balances. */
  notice(notices: readonly AccountNotice[]): void {
    if (this.early !== undefined) {
      this.early.push(notices);
      return;
    }
    for (const { cause, userSeq } of notices) this.tellBalances({ cause, refId: null, userSeq });
  }

  /** Whoever missed changes of balances and has caught up gets all of them. */
  recover(): void {
    for (const outlet of this.lagging) {
      if (outlet.isLagging) continue;
      this.lagging.delete(outlet);
      this.sendBalances(outlet, { isReset: true });
    }
  }

  private tell(event: AccountEvent, committed: Committed): void {
    this.lastUserSeq = event.userSeq;
    if (event.kind === 'order') this.tellOrder(event, committed);
    else if (event.kind === 'trade') this.tellTrade(event, committed);
    else {
      const refId = this.referenceOf(event, committed);
      this.tellBalances({ cause: event.cause, refId, userSeq: event.userSeq });
    }
  }

  private tellOrder({ event, userSeq }: { event: OrderEvent; userSeq: number }, committed: Committed): void {
    const order = this.orders.follow(event, committed);
    if (order === undefined || this.listeners['user.orders'].size === 0) return;
    const instrument = this.instrument(event.instrument);
    const data = orderMessage(order, { instrument, owner: this.owner, userSeq });
    const name = event.placed === undefined ? 'order_update' : 'new_order';
    this.send('user.orders', name, JSON.stringify({ data }));
  }

  private tellTrade(told: Extract<AccountEvent, { kind: 'trade' }>, { atMs }: Committed): void {
    if (this.listeners['user.trades'].size === 0) return;
    const { event, side, tradeId, userSeq } = told;
    const isBuy = side === 'buy';
    const order = this.orders.get(isBuy ? event.buyOrder : event.sellOrder);
    const rules = this.context.sequencer.exchange.rulesOf(event.instrument);
    invariant(order !== undefined && rules !== undefined, 'feed: a trade names an order and a market');
    const trade = tradeShape(
      {
        trade_seq: event.trade,
        trade_id: tradeId,
        instrument_no: event.instrument,
        price_ticks: event.priceTicks,
        quantity_units: event.quantityUnits,
        side,
        // In an auction neither side took.
        aggressor: event.isAuction ? 'auction' : event.aggressor,
        fee_micros: isBuy ? event.buyerFeeMicros : event.sellerFeeMicros,
        units: event.units,
        order_id: order.orderId,
        market_trade: event.marketTrade,
        executed_at_ms: atMs,
      },
      { instrument: this.instrument(event.instrument), owner: this.owner, rules },
    );
    this.send('user.trades', 'user_trade', JSON.stringify({ data: { ...trade, user_seq: userSeq } }));
  }

  /** The account's trade, order or transfer that moved the balances: the last one, where there were several. */
  private referenceOf({ cause }: { cause: string }, committed: Committed): string | null {
    if (cause === 'transfer') return committed.transferId ?? null;
    const own = committed.accountEvents.filter(({ account }) => account === this.account);
    const trade = own.findLast((event) => event.kind === 'trade');
    if (trade?.kind === 'trade') return trade.tradeId;
    const order = own.findLast((event) => event.kind === 'order');
    return order?.kind === 'order' ? (this.orders.get(order.event.order)?.orderId ?? null) : null;
  }

  private tellBalances(told: { cause: string; refId: string | null; userSeq: number }): void {
    const { cause, refId, userSeq } = told;
    this.lastUserSeq = userSeq;
    if (this.listeners['user.balances'].size === 0) {
      this.balances.told();
      return;
    }
    const accounts = this.balances.changed(this.owner);
    const data = { accounts, cause, ref_id: refId, user_seq: userSeq };
    const message = new Broadcast('balance_update', () => JSON.stringify({ data }));
    for (const outlet of this.listeners['user.balances']) {
      if (outlet.isLagging) this.lagging.add(outlet);
      else outlet.sendShared(message, '');
    }
  }

  private sendBalances(outlet: Outlet, { isReset }: { isReset: boolean }): void {
    const accounts = this.balances.all(this.owner);
    // A snapshot is a state and no event: it has no number of its own.
    const data = { accounts, last_user_seq: this.lastUserSeq, ...(isReset ? { reset: true } : {}) };
    const message = new Broadcast('balance_snapshot', () => JSON.stringify({ data }));
    outlet.send(message.frameFor(outlet.version));
  }

  private send(name: AccountStreamName, event: string, payload: string): void {
    const message = new Broadcast(event, () => payload);
    for (const outlet of this.listeners[name]) outlet.send(message.frameFor(outlet.version));
  }

  private get owner(): AccountOwner {
    const owner = this.context.accounts.byNumber(this.account);
    invariant(owner !== undefined, 'feed: the account exists');
    return owner;
  }

  private instrument(instrumentNo: number): Instrument {
    const instrument = this.context.instruments.byNumber(instrumentNo);
    invariant(instrument !== undefined, 'feed: an order names an instrument of the catalogue');
    return instrument;
  }
}
