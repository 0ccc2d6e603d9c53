import type {
  Accepted,
  DrawEvent,
  ExchangeEvent,
  JournalEntry,
  LotEvent,
  OrderEvent,
  TradeEvent,
} from '@opengrid/exchange';
import type { Queryable } from '../store/database.ts';
import { mergedLegs } from './entries.ts';
import { costOf } from './receipt-row.ts';

type Cell = number | string | boolean | bigint | null | readonly (readonly number[])[];
type EventOf<T extends ExchangeEvent['type']> = Extract<ExchangeEvent, { type: T }>;

/** Expected rows that are compared at once. Tables without an index on the key are read once for each lot of these. */
const FLUSH_KEYS = 50_000;
const TERMINAL: ReadonlySet<string> = new Set(['filled', 'cancelled', 'expired', 'rejected']);

/** One table: its rows by a number that the journal knows, and the columns that follow from the journal alone. */
interface TableText {
  readonly name: string;
  readonly key: string;
  readonly columns: string;
  readonly from: string;
}

const TABLES = {
  entries: {
    name: 'every entry is a leg of its command',
    key: 'command_seq',
    columns: 'position, kind, account_number, instrument_no, amount',
    from: 'entries',
  },
  orders: {
    name: 'every order is what the journal made of it',
    key: 'order_seq',
    columns: `account_number, instrument_no, side, type, origin, is_post_only, self_trade_prevention, is_autotransfer,
      submitted_at_ms, time_in_force, price_ticks, quantity_units, expires_at_ms, filled_units, remaining_units, filled_value_micros,
      fee_micros, status, closure_reason, updated_at_ms, closed_at_ms`,
    from: 'orders',
  },
  trades: {
    name: 'every trade is one of the journal, price, parties, fees and units included',
    key: 'trade_seq',
    columns: `instrument_no, market_trade, price_ticks, quantity_units, buyer_account, seller_account, buy_order_seq,
      sell_order_seq, aggressor, is_auction, buyer_fee_micros, seller_fee_micros, (
        select json_agg(json_build_array(run -> 'from', run -> 'to') order by at)
        from jsonb_array_elements(units) with ordinality as runs (run, at)
      ), excluded_units, executed_at_ms`,
    from: 'trades',
  },
  lots: {
    name: 'every lot is what the journal made of it, price and issuer included',
    key: 'lot_seq',
    columns: `account_number, instrument_no, trade_seq, price_ticks, issuer_account, acquisition, unit_from, unit_to,
      tokens_total, tokens_remaining, status, deposited_at_ms, updated_at_ms`,
    from: 'lots',
  },
  ranges: {
    name: 'every escrow range is what the journal made of it',
    key: 'range_seq',
    columns: `issuer_account, instrument_no, trade_seq, unit_from, unit_to, escrow_micros, tokens_total,
      tokens_delivered, released_micros, is_closed`,
    from: 'escrow_ranges',
  },
  issuances: {
    name: 'every issuance is one of the journal',
    key: 'unit_from',
    columns: 'account_number, instrument_no, unit_to, issued_at_ms',
    from: 'issuances',
  },
  transfers: {
    name: 'every transfer is one of the journal',
    key: 'command_seq',
    columns: 'account_number, instrument_no, direction, origin, quantity_units, transferred_at_ms',
    from: 'transfers',
  },
  retirements: {
    name: 'every run of retired units is one of the journal',
    key: 'command_seq',
    columns: 'account_number, instrument_no, unit_from, unit_to, retired_at_ms',
    from: 'retirements',
  },
  // What is said of the delivery comes from outside of the journal; what is billed does not.
  receipts: {
    name: 'every settlement has its one receipt, with the tokens and the cost that were settled',
    key: 'command_seq',
    columns: `account_number, receipt_no, instrument_no, cost_status, cost_e10::text, priced_tokens, settled_at_ms,
      case when cost_status = 'cancelled' then 0 else input_tokens + output_tokens end,
      case when cost_status = 'cancelled' then '' else status end`,
    from: 'receipts',
  },
  draws: {
    name: 'every draw of a receipt is one of its settlement, price, issuer and pay included',
    key: 'command_seq',
    columns: `d.position, d.lot_seq, d.trade_seq, d.issuer_account, d.unit_from, d.unit_to, d.tokens, d.price_ticks,
      d.released_micros, d.paid_micros`,
    from: 'receipt_draws d left join receipts using (request_id)',
  },
} as const satisfies Readonly<Record<string, TableText>>;

function printed(cells: readonly Cell[]): string {
  return JSON.stringify(cells.map((cell) => (typeof cell === 'bigint' ? String(cell) : cell)));
}

/** The rows that one table must have. Rows that cannot change any more are compared and forgotten on the way. */
class ExpectedTable {
  readonly text: TableText;
  violations = 0;
  private live = new Map<number, Cell[]>();
  private settled = new Map<number, string[]>();
  private total = 0;

  constructor(text: TableText) {
    this.text = text;
  }

  /** A row that is final. A key may have several. */
  add(key: number, cells: readonly Cell[]): void {
    this.total += 1;
    const rows = this.settled.get(key);
    if (rows === undefined) this.settled.set(key, [printed(cells)]);
    else rows.push(printed(cells));
  }

  /** A row that may change: the cells as they are now, until they are said to be final. */
  change(key: number, cells: Cell[], { isFinal }: { isFinal: boolean }): void {
    if (isFinal) {
      this.live.delete(key);
      this.add(key, cells);
    } else this.live.set(key, cells);
  }

  cellsOf(key: number): readonly Cell[] | undefined {
    return this.live.get(key);
  }

  async flush(store: Queryable): Promise<void> {
    if (this.settled.size >= FLUSH_KEYS) await this.compare(store);
  }

  /** Compares what is left, and finds rows that nothing accounts for. */
  async end(store: Queryable): Promise<void> {
    for (const [key, cells] of this.live) this.add(key, cells);
    this.live.clear();
    await this.compare(store);
    const { rows } = await store.query<{ n: number }>({
      text: `select count(*) as n from ${this.text.from}`,
      values: [],
    });
    this.violations += Math.max(0, rows[0]!.n - this.total);
  }

  private async compare(store: Queryable): Promise<void> {
    const { key, columns, from } = this.text;
    const { rows } = await store.query<{ key: number; cells: Cell[] }>({
      text: `select ${key} as key, json_build_array(${columns}) as cells from ${from}
             where ${key} = any($1::bigint[])`,
      values: [[...this.settled.keys()]],
    });
    const found = new Map<number, string[]>();
    for (const row of rows) found.set(row.key, [...(found.get(row.key) ?? []), printed(row.cells)]);
    for (const [at, expected] of this.settled) {
      const same = expected.sort().join('\n') === (found.get(at) ?? []).sort().join('\n');
      if (!same) this.violations += 1;
    }
    this.settled = new Map();
  }
}

/**
 * Follows a replay of the journal and compares what comes out of it with the rows that people read: what a lot cost, who was
 * paid for it, what a receipt bills. Ids are not compared: they were drawn when the rows were written.
 */
export class ReplayedRows {
  private readonly tables = {
    entries: new ExpectedTable(TABLES.entries),
    orders: new ExpectedTable(TABLES.orders),
    trades: new ExpectedTable(TABLES.trades),
    lots: new ExpectedTable(TABLES.lots),
    ranges: new ExpectedTable(TABLES.ranges),
    issuances: new ExpectedTable(TABLES.issuances),
    transfers: new ExpectedTable(TABLES.transfers),
    retirements: new ExpectedTable(TABLES.retirements),
    receipts: new ExpectedTable(TABLES.receipts),
    draws: new ExpectedTable(TABLES.draws),
  };

  applied({ seq, atMs }: JournalEntry, outcome: Accepted): void {
    for (const [position, leg] of mergedLegs(outcome.legs).entries()) {
      this.tables.entries.add(seq, [position, leg.kind, leg.account, leg.instrument, leg.amount]);
    }
    const draws: DrawEvent[] = [];
    for (const event of outcome.events) {
      if (event.type === 'order') this.order(event, atMs);
      else if (event.type === 'trade') this.trade(event, atMs);
      else if (event.type === 'lot') this.lot(event, atMs);
      else if (event.type === 'escrow') this.range(event);
      else if (event.type === 'issued') this.issuance(event, atMs);
      else if (event.type === 'transferred') this.transfer(event, { seq, atMs });
      else if (event.type === 'retired') this.retirement(event, { seq, atMs });
      else if (event.type === 'draw') draws.push(event);
      else if (event.type === 'settled') this.receipt(event, draws, { seq, atMs });
    }
  }

  /** Called between pages of the journal, so that memory does not grow with its length. */
  async pageEnd(store: Queryable): Promise<void> {
    for (const table of Object.values(this.tables)) await table.flush(store);
  }

  /** Ends the comparison: per table the rule and how many rows break it. */
  async end(store: Queryable): Promise<{ name: string; violations: number }[]> {
    const found: { name: string; violations: number }[] = [];
    for (const table of Object.values(this.tables)) {
      await table.end(store);
      found.push({ name: table.text.name, violations: table.violations });
    }
    return found;
  }

  private order(event: OrderEvent, atMs: number): void {
    const { orders } = this.tables;
    const isFinal = TERMINAL.has(event.status);
    const state = [
      event.filledUnits,
      event.remainingUnits,
      event.filledValueMicros,
      event.feeMicros,
      event.status,
      event.reason,
      atMs,
      isFinal ? atMs : null,
    ];
    const known = orders.cellsOf(event.order);
    const first = known?.slice(0, FIRST_CELLS) ?? firstCells(event, atMs);
    const terms = termsOf(event) ?? known!.slice(FIRST_CELLS, -state.length);
    orders.change(event.order, [...first, ...terms, ...state], { isFinal });
  }

  private trade(event: TradeEvent, atMs: number): void {
    this.tables.trades.add(event.trade, [
      event.instrument,
      event.marketTrade,
      event.priceTicks,
      event.quantityUnits,
      event.buyer,
      event.seller,
      event.buyOrder,
      event.sellOrder,
      event.aggressor,
      event.isAuction,
      event.buyerFeeMicros,
      event.sellerFeeMicros,
      event.units.map(({ from, to }) => [from, to]),
      event.excludedUnits,
      atMs,
    ]);
  }

  private lot(event: LotEvent, atMs: number): void {
    const { lots } = this.tables;
    const depositedAtMs = lots.cellsOf(event.lot)?.at(-2) ?? atMs;
    const cells = [
      event.account,
      event.instrument,
      event.trade,
      event.priceTicks,
      event.issuer,
      event.acquisition,
      event.unitFrom,
      event.unitTo,
      event.tokensTotal,
      event.tokensRemaining,
      event.status,
      depositedAtMs,
      atMs,
    ];
    lots.change(event.lot, cells, { isFinal: event.status !== 'open' });
  }

  private range(event: EventOf<'escrow'>): void {
    const cells = [
      event.issuer,
      event.instrument,
      event.trade,
      event.unitFrom,
      event.unitTo,
      event.escrowMicros,
      event.tokensTotal,
      event.tokensDelivered,
      event.releasedMicros,
      event.closed,
    ];
    this.tables.ranges.change(event.range, cells, { isFinal: event.closed });
  }

  private issuance(event: EventOf<'issued'>, atMs: number): void {
    this.tables.issuances.add(event.unitFrom, [event.account, event.instrument, event.unitTo, atMs]);
  }

  private transfer(event: EventOf<'transferred'>, { seq, atMs }: { seq: number; atMs: number }): void {
    const { account, instrument, direction, origin, quantityUnits } = event;
    this.tables.transfers.add(seq, [account, instrument, direction, origin, quantityUnits, atMs]);
  }

  private retirement(event: EventOf<'retired'>, { seq, atMs }: { seq: number; atMs: number }): void {
    const { account, instrument, unitFrom, unitTo } = event;
    this.tables.retirements.add(seq, [account, instrument, unitFrom, unitTo, atMs]);
  }

  private receipt(
    event: EventOf<'settled'>,
    draws: readonly DrawEvent[],
    { seq, atMs }: { seq: number; atMs: number },
  ): void {
    const { costE10, pricedTokens } = costOf(draws);
    const isBilled = event.tokens > 0;
    const billed = pricedTokens === event.tokens ? 'reconciled' : 'unpriced';
    this.tables.receipts.add(seq, [
      event.account,
      event.receipt,
      event.instrument,
      isBilled ? billed : 'cancelled',
      isBilled ? costE10 : null,
      pricedTokens,
      atMs,
      event.tokens,
      isBilled ? 'reconciled' : '',
    ]);
    for (const [position, draw] of draws.entries()) {
      const { lot, trade, issuer, unitFrom, unitTo, tokens, priceTicks } = draw;
      const { releasedMicros, paidMicros } = draw;
      const cells = [position, lot, trade, issuer, unitFrom, unitTo, tokens, priceTicks];
      this.tables.draws.add(seq, [...cells, releasedMicros, paidMicros]);
    }
  }
}

/** Cells of an order's row that never change. */
const FIRST_CELLS = 9;

function firstCells({ account, instrument, side, placed }: OrderEvent, atMs: number): Cell[] {
  return [
    account,
    instrument,
    side,
    placed?.type ?? null,
    placed?.origin ?? null,
    placed?.postOnly ?? null,
    placed?.selfTradePrevention ?? null,
    placed?.autotransfer ?? null,
    atMs,
  ];
}

/** Cells that only an amend changes; undefined on an event that says nothing of them. */
function termsOf({ placed, amended }: OrderEvent): Cell[] | undefined {
  const terms = amended ?? placed;
  return terms && [terms.timeInForce, terms.priceTicks, terms.quantityUnits, terms.expiresAtMs];
}
