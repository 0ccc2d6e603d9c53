import { type Exchange, KIND } from '@opengrid/exchange';
import type { InstrumentCatalogue } from '../../../ports/catalogue.ts';
import type { SupplierDirectory } from '../../../ports/supply.ts';
import type { Committed, ReceiptFacts, Sequencer } from '../../../sequencer/types.ts';
import type { Queryable } from '../../../store/database.ts';
import type { AccountOwner } from '../../accounts/account-ids.ts';
import {
  type Commitments,
  consumptionShape,
  currencyShape,
  unitTradingShape,
  usdTradingShape,
} from '../../accounts/account-shapes.ts';
import { type Activity, readActivity } from '../../accounts/activity.ts';
import { type BalanceRow, balancesOf } from '../../accounts/balances.ts';
import { readCommitments } from '../../accounts/commitments.ts';
import type { MarketView } from '../../market-view.ts';

export interface BalanceContext {
  readonly sequencer: Sequencer;
  readonly instruments: InstrumentCatalogue;
  readonly suppliers: SupplierDirectory;
  readonly view: MarketView;
}

type Row = Record<string, unknown>;
/** Instrument number of what changed; 0 = USD. */
const USD = 0;

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** The balances of one account as its rows show them, followed from commit to commit. */
export class OwnBalances {
  private readonly context: BalanceContext;
  private readonly account: number;
  private readonly balances = new Map<number, Mutable<BalanceRow>>();
  private activity = new Map<number, Mutable<Activity>>();
  private commitments = new Map<number, Mutable<Commitments>>();
  /** What changed since it was last told. */
  private readonly traded = new Set<number>();
  private readonly consumed = new Set<number>();

  constructor(context: BalanceContext, account: number) {
    this.context = context;
    this.account = account;
  }

  /** Takes the balances over from the exchange. Only while everything that it has applied is durable. */
  take(exchange: Exchange): void {
    for (const kind of Object.values(KIND)) {
      const numbers = kind < 100 && kind !== KIND.escrow ? [USD] : this.instrumentNumbers();
      for (const no of numbers) {
        const amount = exchange.balance(kind, this.account, no);
        if (amount !== 0) this.balances.set(keyOf(kind, no), { kind, no, amount });
      }
    }
  }

  /** Reads what the exchange does not keep, as of the command at which the balances were taken over. */
  async load(store: Queryable, throughSeq: number): Promise<void> {
    const { rows } = await store.query<{ kind: number; no: number }>({
      name: 'account_balance_kinds',
      text: 'select kind, instrument_no as no from balances where account_number = $1',
      values: [this.account],
    });
    // An account that is empty is still there.
    for (const { kind, no } of rows) this.balanceOf(kind, no);
    const activityOf = await readActivity(store, this.account, throughSeq);
    const commitmentsOf = await readCommitments(store, this.account, throughSeq);
    for (const no of this.instrumentNumbers()) {
      this.activity.set(no, { ...activityOf(no) });
      this.commitments.set(no, { ...commitmentsOf(no) });
    }
  }

  follow({ outcome, atMs, receipt }: Committed): void {
    for (const { kind, account, instrument, amount } of outcome.legs) {
      if (account !== this.account) continue;
      this.balanceOf(kind, instrument).amount += amount;
      if (kind === KIND.consumption) this.consumed.add(instrument);
      else if (kind === KIND.trading || kind === KIND.tradingHeld) this.traded.add(instrument);
      else if (kind < 100) this.traded.add(USD);
    }
    for (const event of outcome.events) {
      if (event.type === 'trade' && (event.buyer === this.account || event.seller === this.account))
        this.tradedAt(event.instrument, { isBought: event.buyer === this.account, atMs });
      else if (event.type === 'transferred' && event.account === this.account)
        this.moved(event.instrument, { ...event, atMs });
      else if (event.type === 'settled' && event.account === this.account)
        this.settled(event.instrument, { receipt, atMs });
    }
  }

  /** Every row. */
  all(owner: AccountOwner): Row[] {
    const numbers = this.instrumentNumbers();
    return this.rows(owner, { traded: new Set([USD, ...numbers]), consumed: new Set(numbers) });
  }

  /** Rows that changed since the last call. */
  changed(owner: AccountOwner): Row[] {
    const { traded, consumed } = this;
    const rows = this.rows(owner, { traded, consumed });
    this.told();
    return rows;
  }

  /** What has changed so far needs not be told any more. */
  told(): void {
    this.traded.clear();
    this.consumed.clear();
  }

  private rows(
    owner: AccountOwner,
    { traded, consumed }: { traded: ReadonlySet<number>; consumed: ReadonlySet<number> },
  ): Row[] {
    const { usd, units } = balancesOf([...this.balances.values()]);
    const rows: Row[] = [];
    if (traded.has(USD)) {
      const isSupplier = this.context.suppliers.supplierByAccount(this.account) !== undefined;
      rows.push(usdTradingShape(owner, usd, { isSupplier, lastTradeAtMs: this.lastTradeAtMs }));
    }
    for (const unit of units) {
      const no = unit.instrumentNo;
      const isHeld = unit.kinds.has(KIND.trading) || unit.kinds.has(KIND.tradingHeld);
      if (!isHeld || !traded.has(no)) continue;
      const lastTicks = this.context.view.quote(no).lastTicks;
      const context = { instrument: this.instrument(no), activity: this.activityOf(no), lastTicks };
      rows.push(unitTradingShape(owner, unit, context));
    }
    if (traded.has(USD)) rows.push(currencyShape(owner, usd, this.lastTradeAtMs));
    for (const unit of units) {
      const no = unit.instrumentNo;
      if (!unit.kinds.has(KIND.consumption) || !consumed.has(no)) continue;
      rows.push(
        consumptionShape(owner, {
          instrument: this.instrument(no),
          totalTokens: unit.consumptionTokens,
          heldTokens: this.context.sequencer.earmarks.heldTokens(this.account, no),
          activity: this.activityOf(no),
          commitments: this.commitmentsOf(no),
        }),
      );
    }
    return rows;
  }

  private get lastTradeAtMs(): number | null {
    const times = [...this.activity.values()].map(({ lastTradeAtMs }) => lastTradeAtMs ?? 0);
    return Math.max(0, ...times) || null;
  }

  private tradedAt(no: number, { isBought, atMs }: { isBought: boolean; atMs: number }): void {
    const activity = this.activityOf(no);
    activity.lastTradeAtMs = atMs;
    if (isBought) activity.inToTradingAtMs = atMs;
    else activity.outOfTradingAtMs = atMs;
  }

  private moved(no: number, event: { direction: string; quantityUnits: number; atMs: number }): void {
    const activity = this.activityOf(no);
    const { direction, quantityUnits, atMs } = event;
    if (direction === 'trading_to_consumption') {
      activity.outOfTradingAtMs = atMs;
      activity.toConsumptionAtMs = atMs;
      activity.toConsumptionUnits += quantityUnits;
    } else {
      activity.inToTradingAtMs = atMs;
      if (direction !== 'consumption_to_trading') return;
      activity.toTradingAtMs = atMs;
      activity.toTradingUnits += quantityUnits;
    }
  }

  private settled(no: number, { receipt, atMs }: { receipt: ReceiptFacts | undefined; atMs: number }): void {
    const commitments = this.commitmentsOf(no);
    commitments.lastSettledAtMs = atMs;
    commitments.tokens += receipt?.heldTokens ?? 0;
    commitments.lastAtMs = Math.max(commitments.lastAtMs ?? 0, receipt?.createdAtMs ?? 0);
  }

  private instrumentNumbers(): number[] {
    return this.context.instruments.list().map(({ instrumentNo }) => instrumentNo);
  }

  private instrument(no: number) {
    const instrument = this.context.instruments.byNumber(no);
    if (instrument === undefined) throw new Error('a balance names an instrument of the catalogue');
    return instrument;
  }

  private balanceOf(kind: number, no: number): Mutable<BalanceRow> {
    const key = keyOf(kind, no);
    let balance = this.balances.get(key);
    if (balance === undefined) {
      balance = { kind, no, amount: 0 };
      this.balances.set(key, balance);
    }
    return balance;
  }

  private activityOf(no: number): Mutable<Activity> {
    let activity = this.activity.get(no);
    if (activity === undefined) {
      activity = { ...NO_ACTIVITY };
      this.activity.set(no, activity);
    }
    return activity;
  }

  private commitmentsOf(no: number): Mutable<Commitments> {
    let commitments = this.commitments.get(no);
    if (commitments === undefined) {
      commitments = { tokens: 0, lastAtMs: null, lastSettledAtMs: null };
      this.commitments.set(no, commitments);
    }
    return commitments;
  }
}

function keyOf(kind: number, no: number): number {
  return no * 1_000 + kind;
}

const NO_ACTIVITY: Activity = {
  lastTradeAtMs: null,
  inToTradingAtMs: null,
  outOfTradingAtMs: null,
  toConsumptionUnits: 0,
  toTradingUnits: 0,
  toConsumptionAtMs: null,
  toTradingAtMs: null,
};
