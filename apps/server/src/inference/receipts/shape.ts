import {
  effectivePricePerToken,
  formatDecimal,
  formatIso,
  formatPriceTicks,
  pricePerToken,
  subtotalOf,
} from '@opengrid/wire';
import type { InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { SupplierDirectory, SupplierSummary } from '../../ports/supply.ts';
import type { PendingRequest } from './pending.ts';
import type { DrawRow, ReceiptRow } from './rows.ts';

/** Names the way tokens are counted and bounded, so that receipts stay explainable when that changes. */
const METERING_POLICY = 'og-1';
const MANAGED = { supplier_id: null, supplier: 'managed' } as const;

export interface ShapeDeps {
  readonly suppliers: SupplierDirectory;
  readonly instruments: InstrumentCatalogue;
}

/** Who a supplier is to a buyer: the operator's own is not named. */
function supplierMember(
  supplier: SupplierSummary | undefined,
  supplierId: string | null,
): Record<string, unknown> {
  if (supplier?.isManaged === true) return MANAGED;
  return { supplier_id: supplier?.supplierId ?? supplierId, supplier: supplier?.displayName ?? null };
}

/** A settled receipt. Draws are given for single receipts only. */
export function settledReceipt(
  row: ReceiptRow,
  deps: ShapeDeps,
  draws?: readonly DrawRow[],
): Record<string, unknown> {
  const breakdown = draws === undefined ? {} : { breakdown: draws.map((draw) => drawMember(draw, deps)) };
  return {
    request_id: row.request_id,
    status: row.status,
    requested_model: row.requested_model,
    serving_model: row.serving_model,
    endpoint: row.route,
    api_key_id: row.key_id,
    created_at: formatIso(row.created_at_ms),
    usage: usageMember(row),
    usage_source: row.usage_source,
    cost: { ...costMember(row), ...breakdown },
    timing: {
      ttft_ms: rounded(row.ttft_ms, 1),
      tokens_per_second: rounded(row.tokens_per_second, 10),
      duration_ms: row.duration_ms,
    },
    instrument_id: deps.instruments.byNumber(row.instrument_no)?.instrumentId ?? null,
    spec_version: row.spec_version,
    served_by: servedByMember(row, deps),
    in_spec: row.is_in_spec,
    spec_waived: row.is_spec_waived,
    stream: row.is_stream,
    finish_reason: row.finish_reason,
    error_code: row.error_code,
  };
}

/** To whole parts of this size: 1 = units, 10 = tenths. */
function rounded(value: number | null, parts: number): number | null {
  return value === null ? null : Math.round(value * parts) / parts;
}

function usageMember(row: ReceiptRow): Record<string, number | null> {
  const { input_tokens: input, output_tokens: output } = row;
  return {
    input_tokens: input,
    output_tokens: output,
    total_tokens: input === null || output === null ? null : input + output,
    reasoning_tokens: row.reasoning_tokens,
    cache_read_tokens: row.cache_read_tokens,
    cache_write_tokens: row.cache_write_tokens,
    cached_input_tokens: row.cache_read_tokens,
  };
}

function costMember(row: ReceiptRow): Record<string, unknown> {
  const isCancelled = row.cost_status === 'cancelled';
  const amount = isCancelled ? null : BigInt(row.cost_e10 ?? '0');
  return {
    amount: amount === null ? null : formatDecimal(amount),
    currency: 'USD',
    status: row.cost_status,
    effective_price_per_token:
      amount === null ? null : (effectivePricePerToken(amount, row.priced_tokens) ?? null),
    metering_policy_version: METERING_POLICY,
    reconciled_at: isCancelled ? null : formatIso(row.settled_at_ms),
  };
}

function drawMember(draw: DrawRow, { suppliers }: ShapeDeps): Record<string, unknown> {
  const { price_ticks: ticks } = draw;
  const isPriced = ticks !== null;
  return {
    lot_id: isPriced ? draw.lot_id : null,
    trade_id: isPriced ? draw.trade_id : null,
    unit_from: draw.unit_from,
    unit_to: draw.unit_to,
    ...supplierMember(suppliers.supplierByAccount(draw.issuer_account), null),
    acquisition_price_per_unit: isPriced ? formatPriceTicks(ticks) : null,
    acquisition_price_per_token: isPriced ? pricePerToken(ticks) : null,
    tokens: draw.tokens,
    subtotal: isPriced ? formatDecimal(subtotalOf(draw.tokens, ticks)) : null,
  };
}

function servedByMember(row: ReceiptRow, { suppliers }: ShapeDeps): Record<string, unknown> | null {
  if (row.supplier_id === null) return null;
  return {
    ...supplierMember(suppliers.supplier(row.supplier_id), row.supplier_id),
    substituted: row.is_substituted,
    qualification: row.qualification,
  };
}

/** The receipt of a request that still runs. */
export function pendingReceipt(
  call: PendingRequest,
  options: { withBreakdown: 'yes' | 'no' },
): Record<string, unknown> {
  return {
    request_id: call.requestId,
    status: 'pending',
    requested_model: call.instrument.symbol,
    serving_model: null,
    endpoint: call.route,
    api_key_id: call.caller.keyId,
    created_at: formatIso(call.createdAtMs),
    usage: {
      input_tokens: null,
      output_tokens: null,
      total_tokens: null,
      reasoning_tokens: null,
      cache_read_tokens: null,
      cache_write_tokens: null,
      cached_input_tokens: null,
    },
    usage_source: null,
    cost: {
      amount: null,
      currency: 'USD',
      status: 'pending',
      effective_price_per_token: null,
      metering_policy_version: METERING_POLICY,
      reconciled_at: null,
      ...(options.withBreakdown === 'yes' ? { breakdown: [] } : {}),
    },
    timing: { ttft_ms: null, tokens_per_second: null, duration_ms: null },
    instrument_id: call.instrument.instrumentId,
    spec_version: call.instrument.specVersion,
    served_by: null,
    in_spec: null,
    spec_waived: false,
    stream: call.request.stream,
    finish_reason: null,
    error_code: null,
  };
}
