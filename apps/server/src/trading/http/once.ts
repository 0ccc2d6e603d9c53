import {
  type ErrorCode,
  errorHeaders,
  formatIso,
  type GridError,
  httpStatusOf,
  tradingErrorBody,
} from '@opengrid/wire';
import {
  type IdempotencyKeys,
  KEEP_MS,
  type KeptAnswer,
  type PerformedAnswer,
} from '../../http/idempotency/idempotency-keys.ts';
import { OutcomeUnknown } from '../../sequencer/types.ts';
import type { SignatureReplays } from '../auth/replays.ts';
import type { TradingAnswer, TradingCall, TradingRoute } from './route.ts';

export interface OnceOptions {
  readonly idempotency: IdempotencyKeys;
  readonly replays: SignatureReplays;
  readonly clock: () => number;
  readonly key: string;
  readonly raw: Buffer;
  readonly errorOf: (error: unknown) => GridError;
}

/** Carries out a call under its Idempotency-Key: once, and a repeat gets the first answer. */
export async function answerOnce(
  route: TradingRoute,
  call: TradingCall,
  options: OnceOptions,
): Promise<TradingAnswer> {
  const { clock, replays, errorOf } = options;
  let own: TradingAnswer | undefined;
  let fault: unknown;
  const perform = async (): Promise<PerformedAnswer> => {
    try {
      own = await route.handle(call);
    } catch (error) {
      fault = error;
      return {
        ...textOf({ status: 0, error: errorOf(error) }, clock()),
        isUnknown: error instanceof OutcomeUnknown,
      };
    }
    return { ...textOf(own, clock()), isUnknown: false };
  };
  const kept = await options.idempotency.run(keyedRequest(route, call, options), {
    perform,
    recover: async (signature) => {
      const recorded = await replays.recorded(signature);
      if (recorded === undefined || route.replay === undefined) return undefined;
      return textOf(await route.replay(call, recorded), clock());
    },
  });
  if (kept.isReplay) return keptAnswer(kept, { 'x-grid-idempotent-replay': 'true' });
  if (fault instanceof OutcomeUnknown) throw fault;
  const answer = keptAnswer(kept, own?.headers ?? {});
  return own?.recorded === undefined ? answer : { ...answer, recorded: own.recorded };
}

function keyedRequest(route: TradingRoute, call: TradingCall, { key, raw }: OnceOptions) {
  return {
    accountNumber: call.caller.accountNumber,
    method: route.method,
    path: JSON.stringify([route.path, Object.entries(call.params)]),
    key,
    query: call.query.toString(),
    body: raw,
    signature: call.signature,
    keepMs: KEEP_MS[route.keep ?? 'usual'],
  };
}

/** The answer as it goes over the wire. */
function textOf(answer: TradingAnswer, nowMs: number): KeptAnswer {
  const { status, body, error } = answer;
  if (error !== undefined) {
    const text = JSON.stringify(tradingErrorBody(error, formatIso(nowMs)));
    return { status: httpStatusOf(error.code, 'trading'), text };
  }
  return { status, text: body === undefined ? undefined : JSON.stringify(body) };
}

/** The answer as it was kept, so that the first one and its repeats are the same to the byte. */
function keptAnswer({ status, text }: KeptAnswer, own: Readonly<Record<string, string>>): TradingAnswer {
  const headers = { ...errorHeadersOf(text), ...own };
  return text === undefined ? { status, headers } : { status, text, headers };
}

/** An error has the headers of its code. */
function errorHeadersOf(text: string | undefined): Readonly<Record<string, string>> {
  const kept = JSON.parse(text ?? '{}') as { errors?: { code: ErrorCode } };
  return kept.errors === undefined ? {} : errorHeaders({ code: kept.errors.code });
}
