/** Helpers of the sequencer's tests. Nothing of the program imports this file. */
import type { Command, MarketRules, Refused } from '@opengrid/exchange';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Database } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import { type SequencerOptions, startSequencer } from './sequencer.ts';
import type { Attachment, Committed, ReceiptFacts, Sequencer } from './types.ts';

export const RULES: MarketRules = {
  takerBps: 50,
  makerBps: 0,
  minOrderUnits: 1,
  maxOrderUnits: 10_000,
  maxOpenOrders: 500,
  marketCollarBps: 1_000,
  limitCollarBps: 5_000,
  autoBuyCollarBps: 1_000,
  referencePriceTicks: 25_000,
};

export const SUPPLIER = 101;
export const BUYER = 202;
export const INSTRUMENT = 1;

export const silentTelemetry: Telemetry = {
  request: () => {},
  delivery: () => {},
  system: () => {},
  fault: () => {},
};

export async function openSequencer(
  database: Database,
  options: Partial<SequencerOptions> = {},
): Promise<Sequencer> {
  await migrate({ database });
  return startSequencer({ database, telemetry: silentTelemetry, onLost: () => {}, ...options });
}

/** Submits and insists on acceptance. */
export async function accepted(
  sequencer: Sequencer,
  command: Command,
  attachment?: Attachment,
): Promise<Committed> {
  const result: Committed | Refused = await sequencer.submit(command, attachment);
  if (!result.ok) throw new Error(`refused: ${result.code}`);
  return result;
}

/** A market with 100 units on offer at 2.5000 and a buyer with USD 25. */
export async function seedMarket(sequencer: Sequencer): Promise<void> {
  const setUp: Command[] = [
    { kind: 'open_market', instrument: INSTRUMENT, rules: RULES },
    { kind: 'open_account', account: SUPPLIER },
    { kind: 'open_account', account: BUYER },
    { kind: 'credit', account: BUYER, origin: 'promotional', amountMicros: 25_000_000 },
    { kind: 'issue', account: SUPPLIER, instrument: INSTRUMENT, quantityUnits: 100 },
    { kind: 'transfer_issued', account: SUPPLIER, instrument: INSTRUMENT, quantityUnits: 100 },
    {
      kind: 'place_order',
      account: SUPPLIER,
      instrument: INSTRUMENT,
      side: 'sell',
      type: 'limit',
      quantityUnits: 100,
      priceTicks: 25_000,
      timeInForce: 'gtc',
    },
  ];
  for (const command of setUp) await accepted(sequencer, command);
}

export function buy(quantityUnits: number): Command {
  return {
    kind: 'place_order',
    account: BUYER,
    instrument: INSTRUMENT,
    side: 'buy',
    type: 'market',
    quantityUnits,
    priceTicks: null,
    timeInForce: 'ioc',
    autotransfer: true,
    origin: 'auto_buy',
    easyMode: true,
  };
}

export function receiptFacts(requestId: string, tokens: { input: number; output: number }): ReceiptFacts {
  return {
    requestId,
    createdAtMs: 1_767_225_600_000,
    firstByteAtMs: 1_767_225_600_400,
    endedAtMs: 1_767_225_602_000,
    specVersion: 1,
    requestedModel: 'text-prime',
    servingModel: 'opengrid/embedded-ngram',
    route: '/v1/chat/completions',
    keyId: null,
    status: 'reconciled',
    errorCode: null,
    finishReason: 'stop',
    isStream: false,
    inputTokens: tokens.input,
    outputTokens: tokens.output,
    reasoningTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    usageSource: 'supplier',
    ttftMs: 12.5,
    tokensPerSecond: 140,
    supplierId: null,
    endpointId: null,
    attemptCount: 1,
    isSubstituted: false,
    qualification: 'waived',
    isInSpec: true,
    isSpecWaived: true,
    heldTokens: tokens.input + tokens.output,
  };
}

/** Holds, draws and settles `tokens` for the buyer, as the inference room does. */
export async function consume(sequencer: Sequencer, requestId: string, tokens: number): Promise<Committed> {
  const hold = sequencer.earmarks.reserve(BUYER, INSTRUMENT, tokens);
  if (hold === undefined) throw new Error('no tokens to hold');
  const draws = sequencer.earmarks.close(hold, tokens);
  const settled = await accepted(
    sequencer,
    { kind: 'settle', account: BUYER, instrument: INSTRUMENT, draws, servedBy: SUPPLIER },
    { receipt: receiptFacts(requestId, { input: 10, output: tokens - 10 }) },
  );
  sequencer.earmarks.spent({ account: BUYER, instrument: INSTRUMENT }, draws);
  return settled;
}
