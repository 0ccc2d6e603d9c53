import type { ErrorCode } from '@opengrid/wire';
import type { ReceiptFacts, Sequencer } from '../../sequencer/types.ts';
import type { ParkedCall } from './parked-calls.ts';

/** Writes the receipt of a request whose client did not come back, and gives back what it held. Nothing is billed. */
export async function settleAbandoned(
  { sequencer, clock }: { sequencer: Sequencer; clock: () => number },
  call: ParkedCall,
  lastError: ErrorCode | null,
): Promise<void> {
  const { tokens } = call.hold;
  call.hold.close(0);
  const command = {
    kind: 'settle',
    account: call.grant.accountNumber,
    instrument: call.grant.instrumentNo,
    draws: [],
    servedBy: 0,
  } as const;
  const receipt = receiptOf(call, { heldTokens: tokens, endedAtMs: clock(), errorCode: lastError });
  await sequencer.submit(command, { receipt });
}

function receiptOf(
  call: ParkedCall,
  end: { heldTokens: number; endedAtMs: number; errorCode: ErrorCode | null },
): ReceiptFacts {
  return {
    requestId: call.grant.requestId,
    createdAtMs: call.createdAtMs,
    firstByteAtMs: null,
    endedAtMs: end.endedAtMs,
    specVersion: call.instrument.specVersion,
    requestedModel: call.instrument.symbol,
    servingModel: null,
    route: call.grant.path,
    keyId: call.grant.keyId,
    status: 'error',
    errorCode: end.errorCode ?? 'routing_abandoned',
    finishReason: null,
    isStream: call.isStream,
    inputTokens: null,
    outputTokens: null,
    reasoningTokens: null,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    usageSource: null,
    ttftMs: null,
    tokensPerSecond: null,
    supplierId: null,
    endpointId: null,
    attemptCount: 0,
    isSubstituted: false,
    qualification: null,
    isInSpec: null,
    isSpecWaived: false,
    heldTokens: end.heldTokens,
  };
}
