import type { DrawEvent, SettledEvent } from '@opengrid/exchange';
import type { ReceiptFacts } from './types.ts';

/** Exact cost of draws in tenths of a nano-dollar: tokens x price in ticks. */
export function costOf(draws: readonly DrawEvent[]): { costE10: bigint; pricedTokens: number } {
  let costE10 = 0n;
  let pricedTokens = 0;
  for (const draw of draws) {
    if (draw.priceTicks === null) continue;
    costE10 += BigInt(draw.tokens) * BigInt(draw.priceTicks);
    pricedTokens += draw.tokens;
  }
  return { costE10, pricedTokens };
}

/** The row of a receipt: what was settled, and what its request was. */
export function receiptRow(
  applied: { readonly seq: number; readonly atMs: number },
  facts: ReceiptFacts,
  { settled, draws }: { settled: SettledEvent; draws: readonly DrawEvent[] },
): Record<string, number | string | boolean | bigint | null> {
  const { costE10, pricedTokens } = costOf(draws);
  const isBilled = settled.tokens > 0;
  const billedStatus = pricedTokens === settled.tokens ? 'reconciled' : 'unpriced';
  return {
    request_id: facts.requestId,
    command_seq: applied.seq,
    account_number: settled.account,
    receipt_no: settled.receipt,
    instrument_no: settled.instrument,
    spec_version: facts.specVersion,
    requested_model: facts.requestedModel,
    serving_model: facts.servingModel,
    route: facts.route,
    key_id: facts.keyId,
    status: facts.status,
    cost_status: isBilled ? billedStatus : 'cancelled',
    cost_e10: isBilled ? costE10 : null,
    priced_tokens: pricedTokens,
    error_code: facts.errorCode,
    finish_reason: facts.finishReason,
    is_stream: facts.isStream,
    input_tokens: facts.inputTokens,
    output_tokens: facts.outputTokens,
    reasoning_tokens: facts.reasoningTokens,
    cache_read_tokens: facts.cacheReadTokens,
    cache_write_tokens: facts.cacheWriteTokens,
    usage_source: facts.usageSource,
    held_tokens: facts.heldTokens,
    ttft_ms: facts.ttftMs,
    tokens_per_second: facts.tokensPerSecond,
    duration_ms: Math.max(0, Math.round(facts.endedAtMs - facts.createdAtMs)),
    supplier_id: facts.supplierId,
    endpoint_id: facts.endpointId,
    attempt_count: facts.attemptCount,
    is_substituted: facts.isSubstituted,
    qualification: facts.qualification,
    is_in_spec: facts.isInSpec,
    is_spec_waived: facts.isSpecWaived,
    created_at_ms: facts.createdAtMs,
    settled_at_ms: applied.atMs,
  };
}
