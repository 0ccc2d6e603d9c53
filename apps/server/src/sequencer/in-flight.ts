import { type Command, type Exchange, invariant, type Refused } from '@opengrid/exchange';
import type { Applied } from './projection.ts';
import type { AccountEvent, Attachment, Committed } from './types.ts';

/** A command and whoever waits for its outcome. */
export interface Waiting {
  readonly command: Command;
  readonly attachment: Attachment | undefined;
  readonly resolve: (result: Committed | Refused) => void;
  readonly reject: (error: Error) => void;
}

/** A command that was applied and is not durable yet. */
export interface InFlight {
  readonly applied: Applied;
  readonly waiting: Waiting;
  /** What the private streams will tell of it; numbered just before the commit. */
  told: readonly AccountEvent[];
}

const ELAPSE: Command = { kind: 'elapse' };
/** What is due by the clock is asked for by nobody. */
const NOBODY: Waiting = { command: ELAPSE, attachment: undefined, resolve: () => {}, reject: () => {} };

/**
 * Applies what is due at `atMs` before anything else may be applied at that time: orders that expire, timers that go off,
 * auctions that end.
 */
export function elapseUntil(atMs: number, exchange: Exchange, batch: InFlight[]): void {
  while ((exchange.nextDueMs() ?? Infinity) <= atMs) {
    const seq = exchange.lastSeq + 1;
    const outcome = exchange.apply({ seq, atMs, command: ELAPSE });
    invariant(outcome.ok, 'sequencer: what is due can be done');
    const applied = { seq, atMs, command: ELAPSE, outcome, attachment: undefined };
    batch.push({ applied, waiting: NOBODY, told: [] });
  }
}

/** What callers and listeners are told of a durable command. */
export function committedOf(applied: Applied, accountEvents: readonly AccountEvent[]): Committed {
  const { seq, atMs, outcome, orderId, transferId, issuanceId, lotIds, tradeIds } = applied;
  const { clientOrderId, receipt } = applied.attachment ?? {};
  return {
    ok: true,
    seq,
    atMs,
    outcome,
    ...(orderId === undefined ? {} : { orderId }),
    ...(transferId === undefined ? {} : { transferId }),
    ...(issuanceId === undefined ? {} : { issuanceId }),
    ...(lotIds === undefined ? {} : { lotIds }),
    ...(tradeIds === undefined ? {} : { tradeIds }),
    ...(clientOrderId === undefined ? {} : { clientOrderId }),
    ...(receipt === undefined ? {} : { receipt }),
    accountEvents,
  };
}
