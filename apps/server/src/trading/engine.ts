import { type Command, type Refused, TOKENS_PER_UNIT } from '@opengrid/exchange';
import { type ErrorCode, formatMoneyMicros, type GridError, GridFailure, gridError } from '@opengrid/wire';
import type { Instrument } from '../ports/catalogue.ts';
import {
  type Attachment,
  CommandExpired,
  type Committed,
  EngineOverloaded,
  EngineUnavailable,
  OutcomeUnknown,
  type Sequencer,
} from '../sequencer/types.ts';
import type { RecordedCommand } from './auth/replays.ts';
import type { ActingCall } from './http/route.ts';

/** The error of a command that the sequencer did not take, or undefined for anything else. */
export function engineError(error: unknown): GridError | undefined {
  if (error instanceof EngineOverloaded) return gridError('overloaded');
  if (error instanceof EngineUnavailable) return gridError('engine_unavailable');
  if (error instanceof OutcomeUnknown) return gridError('outcome_unknown');
  if (error instanceof CommandExpired) return gridError('timestamp_expired');
  return undefined;
}

/** Submits a command with what the request adds to it: its signature, and the end of its window. */
export function submit(
  sequencer: Sequencer,
  call: Pick<ActingCall, 'signature' | 'notAfterMs' | 'cancelsOnDisconnect'>,
  { command, clientOrderId }: { command: Command; clientOrderId?: string | null },
): Promise<Committed | Refused> {
  const { signature: signatureReplay, notAfterMs } = call;
  const attachment: Attachment = {
    ...(signatureReplay === undefined ? {} : { signatureReplay }),
    ...(notAfterMs === undefined ? {} : { notAfterMs }),
    ...(call.cancelsOnDisconnect === true ? { cancelsOnDisconnect: true } : {}),
    ...(clientOrderId === undefined || clientOrderId === null ? {} : { clientOrderId }),
  };
  return sequencer.submit(command, attachment);
}

/** What is remembered of a command that made an object. */
export function recordedOf(committed: Committed): RecordedCommand {
  const { seq: commandSeq, atMs, orderId, transferId, issuanceId } = committed;
  return { commandSeq, atMs, objectId: orderId ?? transferId ?? issuanceId ?? null };
}

const REFUSALS: Readonly<Partial<Record<Refused['code'], ErrorCode>>> = {
  account_suspended: 'account_suspended',
  market_not_found: 'market_not_found',
  market_not_open: 'market_not_open',
  validation_failed: 'validation_failed',
  order_not_found: 'order_not_found',
  order_not_amendable: 'order_not_amendable',
  post_only_would_cross: 'post_only_would_cross',
  price_outside_collar: 'price_outside_collar',
  transfer_not_allowed: 'transfer_not_allowed',
  supplier_not_approved: 'supplier_not_approved',
};

/** A refusal of the exchange as the client is told it. Nothing changed. */
export function refusal(refused: Refused, instrument: Instrument | undefined): GridFailure {
  if (refused.code === 'insufficient_balance') return insufficient(refused, instrument);
  const code = REFUSALS[refused.code];
  if (code === undefined) throw new Error(`the exchange refused a command with ${refused.code}`);
  return new GridFailure(gridError(code));
}

function insufficient({ context = {} }: Refused, instrument: Instrument | undefined): GridFailure {
  const [required, available] = [Number(context.required), Number(context.available)];
  if (context.asset !== 'USD') return insufficientUnits(instrument, { required, available });
  const amounts = { required: formatMoneyMicros(required), available: formatMoneyMicros(available) };
  const message = `insufficient balance: the order needs ${amounts.required} USD, ${amounts.available} USD is available`;
  return new GridFailure(
    gridError('insufficient_balance', { message, context: { asset: 'USD', ...amounts } }),
  );
}

/** Too few tokens, told in whole units. */
export function insufficientUnits(
  instrument: Instrument | undefined,
  tokens: { required: number; available: number },
): GridFailure {
  const asset = instrument?.symbol ?? 'units';
  const [required, available] = [tokens.required, tokens.available].map((amount) =>
    String(Math.floor(amount / TOKENS_PER_UNIT)),
  ) as [string, string];
  const message = `insufficient balance: ${required} units of ${asset} are needed, ${available} are available`;
  return new GridFailure(
    gridError('insufficient_balance', { message, context: { asset, required, available } }),
  );
}
