import type {
  Accepted,
  Command,
  DrawEvent,
  EscrowEvent,
  ExchangeEvent,
  Leg,
  LotEvent,
  OrderEvent,
  SettledEvent,
  TradeEvent,
} from '@opengrid/exchange';
import type { IdPrefix } from '@opengrid/wire';
import { CandleChanges } from './candles.ts';
import { EntryRows, mergedLegs } from './entries.ts';
import { receiptRow } from './receipt-row.ts';
import { type FenceValues, fencedStatement, TableRows } from './table-rows.ts';
import * as tables from './tables.ts';
import type { Attachment } from './types.ts';

/** A command that the exchange accepted, on its way to the store. */
export interface Applied {
  readonly seq: number;
  readonly atMs: number;
  readonly command: Command;
  readonly outcome: Accepted;
  readonly attachment: Attachment | undefined;
  orderId?: string;
  transferId?: string;
  issuanceId?: string;
  lotIds?: string[];
  /** Public ids of the trades, in the order of their events. */
  tradeIds?: string[];
  /** The legs, one per ledger account. */
  merged?: readonly Leg[];
}

type EventOf<T extends ExchangeEvent['type']> = Extract<ExchangeEvent, { type: T }>;

const TERMINAL: ReadonlySet<string> = new Set(['filled', 'cancelled', 'expired', 'rejected']);

/** What every event of an order changes of its row. */
function orderState(event: OrderEvent, atMs: number) {
  return {
    filled_units: event.filledUnits,
    remaining_units: event.remainingUnits,
    filled_value_micros: event.filledValueMicros,
    fee_micros: event.feeMicros,
    status: event.status,
    closure_reason: event.reason,
    updated_at_ms: atMs,
    closed_at_ms: TERMINAL.has(event.status) ? atMs : null,
  };
}

/** Turns the accepted commands of one batch into rows: journal, entries, balances, and the tables that people read. */
export class BatchProjection {
  private readonly batch: number;
  private readonly newId: (prefix: IdPrefix, atMs: number) => string;
  private readonly journal = new TableRows(tables.JOURNAL);
  private readonly orders = new TableRows(tables.ORDERS);
  private readonly orderUpdates = new TableRows(tables.ORDER_UPDATES);
  private readonly trades = new TableRows(tables.TRADES);
  private readonly candles = new CandleChanges();
  private readonly lots = new TableRows(tables.LOTS);
  private readonly lotUpdates = new TableRows(tables.LOT_UPDATES);
  private readonly ranges = new TableRows(tables.ESCROW_RANGES);
  private readonly issuances = new TableRows(tables.ISSUANCES);
  private readonly transfers = new TableRows(tables.TRANSFERS);
  private readonly retirements = new TableRows(tables.RETIREMENTS);
  private readonly entries = new EntryRows();
  private readonly receipts = new TableRows(tables.RECEIPTS);
  private readonly draws = new TableRows(tables.RECEIPT_DRAWS);
  private readonly replays = new TableRows(tables.SIGNATURE_REPLAYS);
  /** Where in the buffers a row of this batch stands, so that a later change of the same batch lands in it. */
  private readonly orderAt = new Map<number, { rows: TableRows; index: number }>();
  private readonly lotAt = new Map<number, { rows: TableRows; index: number }>();
  private readonly rangeAt = new Map<number, number>();

  constructor(batch: number, newId: (prefix: IdPrefix, atMs: number) => string) {
    this.batch = batch;
    this.newId = newId;
  }

  add(applied: Applied): void {
    const { seq, atMs, command, outcome } = applied;
    const body = JSON.stringify(command);
    this.journal.add({ seq, batch: this.batch, at_ms: atMs, kind: command.kind, body });
    applied.merged = mergedLegs(outcome.legs);
    this.entries.add(seq, applied.merged);
    for (const event of outcome.events) this.addEvent(applied, event);
    if (command.kind === 'settle') this.addReceipt(applied);
    this.addReplay(applied);
  }

  /** @param more rows of others that belong to the batch. */
  statement(
    fence: FenceValues,
    more: readonly TableRows[] = [],
  ): { name: string; text: string; values: unknown[] } {
    const written = [
      this.journal,
      this.orders,
      this.orderUpdates,
      this.trades,
      this.candles.rows(),
      this.lots,
      this.lotUpdates,
      this.ranges,
      this.issuances,
      this.transfers,
      this.retirements,
      ...this.entries.rows(),
      this.receipts,
      this.draws,
      this.replays,
      ...more,
    ];
    return fencedStatement(written, fence);
  }

  private addEvent(applied: Applied, event: ExchangeEvent): void {
    if (event.type === 'order') this.addOrder(applied, event);
    else if (event.type === 'trade') this.addTrade(applied, event);
    else if (event.type === 'lot') this.addLot(applied, event);
    else if (event.type === 'escrow') this.addRange(event);
    else if (event.type === 'issued') this.addIssuance(applied, event);
    else if (event.type === 'transferred') this.addTransfer(applied, event);
    else if (event.type === 'retired') this.addRetirement(applied, event);
  }

  private addOrder(applied: Applied, event: OrderEvent): void {
    const state = orderState(event, applied.atMs);
    const amended = amendedCells(event);
    const place = this.orderAt.get(event.order);
    if (place !== undefined) {
      place.rows.change(place.index, { ...amended, ...state });
    } else if (event.placed === undefined) {
      const index = this.orderUpdates.add({
        order_seq: event.order,
        is_amended: false,
        ...amended,
        ...state,
      });
      this.orderAt.set(event.order, { rows: this.orderUpdates, index });
    } else {
      this.addNewOrder(applied, event, state);
    }
  }

  private addNewOrder(applied: Applied, event: OrderEvent, state: ReturnType<typeof orderState>): void {
    const placed = event.placed!;
    const orderId = this.newId('order', applied.atMs);
    applied.orderId = orderId;
    const index = this.orders.add({
      order_seq: event.order,
      order_id: orderId,
      account_number: event.account,
      instrument_no: event.instrument,
      client_order_id: applied.attachment?.clientOrderId ?? null,
      side: event.side,
      type: placed.type,
      time_in_force: placed.timeInForce,
      origin: placed.origin,
      is_post_only: placed.postOnly,
      self_trade_prevention: placed.selfTradePrevention,
      is_autotransfer: placed.autotransfer,
      price_ticks: placed.priceTicks,
      quantity_units: placed.quantityUnits,
      expires_at_ms: placed.expiresAtMs,
      submitted_at_ms: applied.atMs,
      cancels_on_disconnect: applied.attachment?.cancelsOnDisconnect ?? false,
      filled_units: state.filled_units,
      remaining_units: state.remaining_units,
      filled_value_micros: state.filled_value_micros,
      fee_micros: state.fee_micros,
      status: state.status,
      closure_reason: state.closure_reason,
      updated_at_ms: state.updated_at_ms,
      closed_at_ms: state.closed_at_ms,
    });
    this.orderAt.set(event.order, { rows: this.orders, index });
  }

  private addTrade(applied: Applied, event: TradeEvent): void {
    this.candles.add(event, applied.atMs);
    const tradeId = this.newId('trade', applied.atMs);
    applied.tradeIds ??= [];
    applied.tradeIds.push(tradeId);
    this.trades.add({
      trade_seq: event.trade,
      trade_id: tradeId,
      instrument_no: event.instrument,
      market_trade: event.marketTrade,
      price_ticks: event.priceTicks,
      quantity_units: event.quantityUnits,
      buyer_account: event.buyer,
      seller_account: event.seller,
      buy_order_seq: event.buyOrder,
      sell_order_seq: event.sellOrder,
      aggressor: event.aggressor,
      is_auction: event.isAuction,
      buyer_fee_micros: event.buyerFeeMicros,
      seller_fee_micros: event.sellerFeeMicros,
      units: JSON.stringify(event.units),
      excluded_units: event.excludedUnits,
      executed_at_ms: applied.atMs,
    });
  }

  private addLot(applied: Applied, event: LotEvent): void {
    const state = {
      unit_to: event.unitTo,
      tokens_total: event.tokensTotal,
      tokens_remaining: event.tokensRemaining,
      status: event.status,
      updated_at_ms: applied.atMs,
    };
    const place = this.lotAt.get(event.lot);
    if (place !== undefined) {
      place.rows.change(place.index, state);
      return;
    }
    const rows = event.opened ? this.lots : this.lotUpdates;
    const index = event.opened
      ? this.lots.add({ ...this.newLot(applied, event), ...state })
      : this.lotUpdates.add({ lot_seq: event.lot, ...state });
    this.lotAt.set(event.lot, { rows, index });
  }

  private newLot(applied: Applied, event: LotEvent): Record<string, number | string | null> {
    const lotId = this.newId('lot', applied.atMs);
    applied.lotIds ??= [];
    applied.lotIds.push(lotId);
    return {
      lot_seq: event.lot,
      lot_id: lotId,
      account_number: event.account,
      instrument_no: event.instrument,
      trade_seq: event.trade,
      price_ticks: event.priceTicks,
      issuer_account: event.issuer,
      acquisition: event.acquisition,
      unit_from: event.unitFrom,
      deposited_at_ms: applied.atMs,
    };
  }

  private addRange(event: EscrowEvent): void {
    const row = {
      range_seq: event.range,
      issuer_account: event.issuer,
      instrument_no: event.instrument,
      trade_seq: event.trade,
      unit_from: event.unitFrom,
      unit_to: event.unitTo,
      escrow_micros: event.escrowMicros,
      tokens_total: event.tokensTotal,
      tokens_delivered: event.tokensDelivered,
      released_micros: event.releasedMicros,
      is_closed: event.closed,
    };
    const index = this.rangeAt.get(event.range);
    if (index === undefined) this.rangeAt.set(event.range, this.ranges.add(row));
    else this.ranges.change(index, row);
  }

  private addIssuance(applied: Applied, event: EventOf<'issued'>): void {
    applied.issuanceId = this.newId('issuance', applied.atMs);
    this.issuances.add({
      issuance_id: applied.issuanceId,
      account_number: event.account,
      instrument_no: event.instrument,
      unit_from: event.unitFrom,
      unit_to: event.unitTo,
      issued_at_ms: applied.atMs,
    });
  }

  private addTransfer(applied: Applied, event: EventOf<'transferred'>): void {
    applied.transferId = this.newId('transfer', applied.atMs);
    this.transfers.add({
      transfer_id: applied.transferId,
      command_seq: applied.seq,
      account_number: event.account,
      instrument_no: event.instrument,
      direction: event.direction,
      origin: event.origin,
      quantity_units: event.quantityUnits,
      transferred_at_ms: applied.atMs,
    });
  }

  private addRetirement(applied: Applied, event: EventOf<'retired'>): void {
    this.retirements.add({
      command_seq: applied.seq,
      account_number: event.account,
      instrument_no: event.instrument,
      unit_from: event.unitFrom,
      unit_to: event.unitTo,
      retired_at_ms: applied.atMs,
    });
  }

  private addReplay(applied: Applied): void {
    const signature = applied.attachment?.signatureReplay;
    if (signature === undefined) return;
    this.replays.add({
      key_id: signature.keyId,
      signature_hash: `\\x${signature.hash.toString('hex')}`,
      command_seq: applied.seq,
      object_id: applied.orderId ?? applied.transferId ?? applied.issuanceId ?? null,
      at_ms: applied.atMs,
    });
  }

  private addReceipt(applied: Applied): void {
    const facts = applied.attachment?.receipt;
    if (facts === undefined) return;
    const { events } = applied.outcome;
    const settled = events.find((event): event is SettledEvent => event.type === 'settled')!;
    const draws = events.filter((event): event is DrawEvent => event.type === 'draw');
    this.receipts.add(receiptRow(applied, facts, { settled, draws }));
    for (const [position, draw] of draws.entries()) {
      this.draws.add({
        request_id: facts.requestId,
        position,
        lot_seq: draw.lot,
        trade_seq: draw.trade,
        issuer_account: draw.issuer,
        unit_from: draw.unitFrom,
        unit_to: draw.unitTo,
        tokens: draw.tokens,
        price_ticks: draw.priceTicks,
        released_micros: draw.releasedMicros,
        paid_micros: draw.paidMicros,
      });
    }
  }
}

/** What an amend changes of an order's row beside its state. */
function amendedCells({ amended }: OrderEvent): Record<string, number | string | boolean | null> {
  if (amended === undefined) return {};
  return {
    is_amended: true,
    time_in_force: amended.timeInForce,
    price_ticks: amended.priceTicks,
    quantity_units: amended.quantityUnits,
    expires_at_ms: amended.expiresAtMs,
  };
}
