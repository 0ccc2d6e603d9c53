import { formatIso, type JsonObject } from '@opengrid/wire';
import type { Instrument } from '../../ports/catalogue.ts';
import type { Committed } from '../../sequencer/types.ts';
import type { Queryable } from '../../store/database.ts';
import type { RecordedCommand } from '../auth/replays.ts';
import { recordedOf, refusal, submit } from '../engine.ts';
import { type ActingCall, fail, invalidField, ok, parseBody, type TradingAnswer } from '../http/route.ts';
import { CANCEL_TIMER } from './order-schema.ts';
import { type OrderDeps, type Prepared, requireTrader } from './place.ts';

export interface BulkDeps extends OrderDeps {
  readonly database: Queryable;
}

/** Which resting orders of the account: of one market and one side, where given. */
export interface BulkScope {
  readonly instrument?: Instrument | undefined;
  readonly side?: 'buy' | 'sell' | undefined;
}

const MAX_IDS = 500;

/** The market of a bulk cancel or a timer. @throws GridFailure `market_not_found`. */
export function marketOf({ instruments, sequencer }: OrderDeps, reference: string): Instrument {
  const instrument = instruments.find(reference);
  if (instrument === undefined || sequencer.exchange.rulesOf(instrument.instrumentNo) === undefined)
    throw fail('market_not_found');
  return instrument;
}

/** @throws GridFailure `validation_failed`. */
export function sideOf(text: string | null): 'buy' | 'sell' | undefined {
  if (text === null || text === 'buy' || text === 'sell') return text ?? undefined;
  throw invalidField('side', 'takes buy or sell');
}

/** Cancels many orders at once and tells which. */
export function prepareBulkCancel(deps: BulkDeps, call: ActingCall, scope: BulkScope): Prepared {
  requireTrader(call);
  return () => submitBulkCancel(deps, call, scope);
}

async function submitBulkCancel(deps: BulkDeps, call: ActingCall, scope: BulkScope): Promise<TradingAnswer> {
  const { instrument, side } = scope;
  const command = {
    kind: 'cancel_orders',
    account: call.caller.accountNumber,
    ...(instrument === undefined ? {} : { instrument: instrument.instrumentNo }),
    ...(side === undefined ? {} : { side }),
    reason: 'bulk_cancel',
  } as const;
  const result = await submit(deps.sequencer, call, { command });
  if (!result.ok) throw refusal(result, instrument);
  const numbers = cancelledBy(result);
  const ids = numbers.length > MAX_IDS ? [] : await idsOf(deps.database, numbers);
  return { ...bulkAnswer(numbers.length, ids), recorded: recordedOf(result) };
}

function cancelledBy({ outcome }: Committed): number[] {
  return outcome.events.flatMap((event) =>
    event.type === 'order' && event.reason === 'bulk_cancel' ? [event.order] : [],
  );
}

async function idsOf(database: Queryable, numbers: readonly number[]): Promise<string[]> {
  if (numbers.length === 0) return [];
  const { rows } = await database.query<{ id: string }>({
    name: 'order_ids_by_number',
    text: 'select order_id as id from orders where order_seq = any($1::bigint[]) order by order_seq',
    values: [numbers],
  });
  return rows.map(({ id }) => id);
}

function bulkAnswer(cancelled: number, ids: readonly string[]): TradingAnswer {
  return ok({ cancelled, ...(cancelled > MAX_IDS ? {} : { order_ids: ids }) });
}

/** A copy of a bulk cancel: what its command ended. Only commands of one millisecond could be mixed up. */
export async function replayBulkCancel(
  deps: BulkDeps,
  call: ActingCall,
  { recorded, scope }: { recorded: RecordedCommand; scope: BulkScope },
): Promise<TradingAnswer> {
  const { rows } = await deps.database.query<{ id: string }>({
    text: `select order_id as id from orders
           where account_number = $1 and closed_at_ms = $2 and closure_reason = 'bulk_cancel'
             and instrument_no = coalesce($3::integer, instrument_no) and side = coalesce($4::text, side)
           order by order_seq`,
    values: [
      call.caller.accountNumber,
      recorded.atMs,
      scope.instrument?.instrumentNo ?? null,
      scope.side ?? null,
    ],
  });
  return bulkAnswer(
    rows.length,
    rows.map(({ id }) => id),
  );
}

/** Arms or disarms the dead man's switch of the account, or of the account in one market. @throws GridFailure */
export function prepareTimer(deps: OrderDeps, call: ActingCall, fields: JsonObject): Prepared {
  requireTrader(call);
  const body = parseBody(CANCEL_TIMER, fields);
  const reference = body.market_id ?? null;
  const instrument = reference === null ? undefined : marketOf(deps, reference);
  return async () => {
    const command = {
      kind: 'arm_cancel_timer',
      account: call.caller.accountNumber,
      ...(instrument === undefined ? {} : { instrument: instrument.instrumentNo }),
      timeoutMs: body.timeout_ms,
    } as const;
    const result = await submit(deps.sequencer, call, { command });
    if (!result.ok) throw refusal(result, instrument);
    return {
      ...timerAnswer(call, { timeoutMs: body.timeout_ms, atMs: result.atMs }),
      recorded: recordedOf(result),
    };
  };
}

/** A copy of a timer: when the first one would go off. */
export function replayTimer(call: ActingCall, fields: JsonObject, recorded: RecordedCommand): TradingAnswer {
  const { timeout_ms: timeoutMs } = parseBody(CANCEL_TIMER, fields);
  return timerAnswer(call, { timeoutMs, atMs: recorded.atMs });
}

function timerAnswer(
  call: ActingCall,
  { timeoutMs, atMs }: { timeoutMs: number; atMs: number },
): TradingAnswer {
  return ok({
    armed: timeoutMs > 0,
    timeout_ms: timeoutMs,
    trigger_at: timeoutMs > 0 ? formatIso(atMs + timeoutMs) : null,
    server_time: formatIso(call.nowMs),
  });
}
