import type { MarketRules } from '@opengrid/exchange';
import { formatIso, formatMoneyMicros, formatPriceTicks } from '@opengrid/wire';
import type { Instrument } from '../ports/catalogue.ts';
import type { BookLevel } from './book-side.ts';
import type { MarketView } from './market-view.ts';
import type { DayStatistics } from './trade-history.ts';

/** JSON shapes of public market data. Prices are strings with four digits, USD amounts strings with six. */

export const USD_INSTRUMENT_ID = 'instrument-b41834ce-1e1f-536e-bf37-124a9d431a84';
const TOKENS_PER_UNIT = 1_000_000;

function price(ticks: number | undefined): string | null {
  return ticks === undefined ? null : formatPriceTicks(ticks);
}

export function usdInstrument(nowMs: number): Record<string, unknown> {
  return {
    instrument_id: USD_INSTRUMENT_ID,
    id: USD_INSTRUMENT_ID,
    symbol: 'USD',
    name: 'US Dollar',
    description: 'US Dollar',
    instrument_type: 'currency',
    precision: 6,
    is_active: true,
    status: 'active',
    basic_info: { currency_code: 'USD', precision: 6 },
    // Nullable members are always there, also where no market could fill them.
    last_trade_price: null,
    last_trade_at: null,
    last_quote_at: null,
    price_range_24h_high: null,
    price_range_24h_low: null,
    volume_24h: null,
    total_volume: null,
    total_trades: null,
    total_quotes: null,
    created_at: formatIso(nowMs),
    updated_at: formatIso(nowMs),
  };
}

function statusOf(instrument: Instrument): { status: string; is_active: boolean } {
  return { status: instrument.status, is_active: instrument.status !== 'inactive' };
}

export interface InstrumentContext {
  readonly view: MarketView;
  readonly rules: MarketRules;
  readonly servedModels: readonly string[];
  readonly nowMs: number;
}

export function instrumentShape(instrument: Instrument, context: InstrumentContext): Record<string, unknown> {
  const market = context.view.market(instrument.instrumentNo);
  const day = market?.history.dayStatistics(context.nowMs);
  const last = market?.history.last;
  return {
    instrument_id: instrument.instrumentId,
    id: instrument.instrumentId,
    symbol: instrument.symbol,
    name: instrument.name,
    description: instrument.name,
    instrument_type: 'ai_commodity',
    precision: 0,
    ...statusOf(instrument),
    market_id: instrument.marketId,
    family: instrument.family,
    tier: instrument.tier,
    stage: instrument.stage,
    spec_version: instrument.specVersion,
    basic_info: { service_type: 'inference', precision: 0 },
    ...specificationShape(instrument, context),
    lot_ttl_seconds: null,
    last_trade_price: price(last?.priceTicks),
    last_trade_at: last === undefined ? null : formatIso(last.atMs),
    last_quote_at: market?.updatedAtMs === undefined ? null : formatIso(market.updatedAtMs),
    price_range_24h_high: price(day?.highTicks),
    price_range_24h_low: price(day?.lowTicks),
    volume_24h: day?.volumeUnits ?? 0,
    total_volume: market?.totalVolumeUnits ?? 0,
    total_trades: market?.totalTrades ?? 0,
    total_quotes: market?.sequence ?? 0,
    created_at: formatIso(instrument.createdAtMs),
    updated_at: formatIso(instrument.updatedAtMs),
  };
}

function specificationShape(instrument: Instrument, context: InstrumentContext): Record<string, unknown> {
  const { specification: spec } = instrument;
  return {
    ai_specs: {
      context_window: spec.contextTokens,
      max_input_tokens: spec.maxInputTokens,
      max_output_tokens: spec.maxOutputTokens,
      token_throughput: spec.tokensPerSecondMin,
      tokens_per_unit: TOKENS_PER_UNIT,
      unit_definition: '1,000,000 tokens, input and output alike',
      input_modalities: spec.acceptsImages ? ['text', 'image'] : ['text'],
      output_modalities: ['text'],
      reasoning_efforts: spec.reasoningEfforts,
      reasoning_toggle: spec.hasReasoningToggle,
      temperature: spec.acceptsTemperature,
      qualifying_models: context.servedModels,
    },
    sla_requirements: {
      availability_target: spec.uptimeMin,
      max_latency_ms: spec.ttftMsMax,
      quality_index: spec.qualityIndex,
      quality_score_min: spec.qualityFloor,
      tokens_per_second_min: spec.tokensPerSecondMin,
      error_rate_max: spec.errorRateMax,
    },
    trading_params: {
      min_quantity: context.rules.minOrderUnits,
      max_quantity: context.rules.maxOrderUnits,
      quantity_increment: 1,
      tick_size: '0.0001',
    },
  };
}

/** The contract's three states of a market by its trading state. */
export function marketStatus(tradingState: string): string {
  if (tradingState === 'closed') return 'inactive';
  return tradingState === 'halted' || tradingState === 'cancel_only' ? 'suspended' : 'active';
}

export function marketShape(
  instrument: Instrument,
  context: InstrumentContext & { qualification: string | null },
): Record<string, unknown> {
  const { rules } = context;
  const tradingState = context.view.market(instrument.instrumentNo)?.tradingState ?? 'closed';
  const { instrumentId: instrument_id, symbol, name } = instrument;
  return {
    market_id: instrument.marketId,
    id: instrument.marketId,
    name: `${symbol}/USD`,
    symbol,
    description: `Spot market for ${name} units`,
    market_type: 'spot',
    status: marketStatus(tradingState),
    trading_state: tradingState,
    associated_instruments: [instrument_id, USD_INSTRUMENT_ID],
    instruments: [{ instrument_id, instrument_type: 'ai_commodity', symbol, name }],
    order_controls: {
      tick_size: '0.0001',
      lot_size: 1,
      min_order_size: rules.minOrderUnits,
      max_order_size: rules.maxOrderUnits,
      market_collar_bps: rules.marketCollarBps,
      limit_collar_bps: rules.limitCollarBps,
      auto_buy_collar_bps: rules.autoBuyCollarBps,
      reference_price: price(rules.referencePriceTicks ?? undefined),
      max_open_orders: rules.maxOpenOrders,
    },
    qualification: context.qualification,
    fees: { maker_bps: rules.makerBps, taker_bps: rules.takerBps },
    created_at: formatIso(instrument.createdAtMs),
    updated_at: formatIso(instrument.updatedAtMs),
  };
}

export function tickerShape(
  instrument: Instrument,
  view: MarketView,
  nowMs: number,
): Record<string, unknown> {
  const market = view.market(instrument.instrumentNo);
  const quote = view.quote(instrument.instrumentNo);
  const day = market?.history.dayStatistics(nowMs);
  const last = market?.history.last;
  return {
    market_id: instrument.marketId,
    symbol: instrument.symbol,
    last_price: price(last?.priceTicks),
    last_trade_quantity: last?.quantityUnits ?? null,
    last_trade_timestamp: last === undefined ? null : formatIso(last.atMs),
    highest_bid: price(quote.bidTicks),
    lowest_ask: price(quote.askTicks),
    bid: price(quote.bidTicks),
    ask: price(quote.askTicks),
    volume_24h: day?.volumeUnits ?? 0,
    ...(day === undefined || day.tradeCount === 0 ? {} : dayTicker(day)),
    timestamp: formatIso(nowMs),
    sequence: market?.sequence ?? 0,
  };
}

function dayTicker(day: DayStatistics): Record<string, unknown> {
  const open = day.openTicks!;
  const change = day.closeTicks! - open;
  return {
    high_24h: price(day.highTicks),
    low_24h: price(day.lowTicks),
    quote_volume_24h: formatMoneyMicros(day.valueMicros),
    price_change_24h: signedPrice(change),
    price_change_percent_24h: percentOf(change, open),
  };
}

/** Two decimals, half away from zero, computed in whole numbers. */
function percentOf(change: number, open: number): string {
  const hundredths = Math.floor((Math.abs(change) * 20_000 + open) / (2 * open));
  const text = `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`;
  return change < 0 && hundredths > 0 ? `-${text}` : text;
}

function signedPrice(ticks: number): string {
  return ticks < 0 ? `-${formatPriceTicks(-ticks)}` : formatPriceTicks(ticks);
}

export function statsShape(instrument: Instrument, view: MarketView, nowMs: number): Record<string, unknown> {
  const quote = view.quote(instrument.instrumentNo);
  const day = view.market(instrument.instrumentNo)?.history.dayStatistics(nowMs);
  const hasTrades = day !== undefined && day.tradeCount > 0;
  const change = hasTrades ? dayTicker(day) : undefined;
  const value = formatMoneyMicros(day?.valueMicros ?? 0);
  const volume = day?.volumeUnits ?? 0;
  return {
    market_id: instrument.marketId,
    symbol: instrument.symbol,
    open: price(day?.openTicks),
    high: price(day?.highTicks),
    low: price(day?.lowTicks),
    close: price(day?.closeTicks),
    current_price: price(quote.lastTicks),
    volume: String(volume),
    volume_24h: volume,
    volume_24h_tokens: String(volume * TOKENS_PER_UNIT),
    volume_24h_value: value,
    quote_volume: value,
    num_trades: day?.tradeCount ?? 0,
    price_change_24h: change?.price_change_24h ?? null,
    price_change_24h_percent: change?.price_change_percent_24h ?? null,
    high_24h: price(day?.highTicks),
    low_24h: price(day?.lowTicks),
    vwap_24h: price(quote.vwap24hTicks),
    vwap_7d: price(quote.vwap7dTicks),
    period_start: formatIso(nowMs - 86_400_000),
    period_end: formatIso(nowMs),
  };
}

/** Levels of one side with their cumulative quantity. */
export function levelShapes(levels: readonly BookLevel[]): Record<string, unknown>[] {
  let total = 0;
  return levels.map((level) => {
    total += level.quantityUnits;
    return {
      price: formatPriceTicks(level.priceTicks),
      quantity: level.quantityUnits,
      size: level.quantityUnits,
      order_count: level.orderCount,
      total,
    };
  });
}

/** Text whose CRC-32 is the checksum of a book: up to ten levels a side, asks first. */
export function checksumText(asks: readonly BookLevel[], bids: readonly BookLevel[]): string {
  const side = (levels: readonly BookLevel[]): string =>
    levels
      .slice(0, 10)
      .map((level) => `${formatPriceTicks(level.priceTicks)}:${level.quantityUnits}`)
      .join(',');
  return `${side(asks)};${side(bids)}`;
}
