import type { Command, Earmarks, Exchange, Refused } from '@opengrid/exchange';
import { newId } from '../ids.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { CommitOutcomeUnknown, CommitRefused, type Database } from '../store/database.ts';
import { AccountEvents } from './account-events.ts';
import { committedOf, elapseUntil, type InFlight, type Waiting } from './in-flight.ts';
import { type Lease, renewLease, takeLease } from './lease.ts';
import { BatchProjection } from './projection.ts';
import { earmarksOf, type ReplayProgress, recover, writeSnapshot } from './recovery.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import type { FenceValues } from './table-rows.ts';
import {
  type AccountNotice,
  type Attachment,
  CommandExpired,
  type Committed,
  type CommittedBatch,
  EngineOverloaded,
  EngineUnavailable,
  OutcomeUnknown,
  type Sequencer,
  type SequencerStatus,
} from './types.ts';

export interface SequencerOptions {
  readonly database: Database;
  readonly telemetry: Telemetry;
  /** Another writer has taken over, or the state is broken: the process must end at once. */
  readonly onLost: (reason: 'fenced' | 'broken') => void;
  readonly onProgress?: ReplayProgress;
  readonly clock?: () => number;
  /** Commands one commit may carry. */
  readonly batchLimit?: number;
  /** Commands that may wait; beyond it callers are told that the engine is overloaded. */
  readonly queueLimit?: number;
  /** Commands after which the state is kept as a snapshot. */
  readonly snapshotEvery?: number;
  /** How long an unknown outcome is looked into before its callers are told so. */
  readonly recoveryPatienceMs?: number;
}

const DEFAULTS = {
  batchLimit: 500,
  queueLimit: 20_000,
  snapshotEvery: 50_000,
  recoveryPatienceMs: 10_000,
};
/** Replays longer than this are cut short for the next start by a snapshot. */
const SNAPSHOT_AFTER_REPLAY = 5_000;
/** The longest time that a timer of Node can be set to. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;
const RECOVERY_PAUSE_MS = 200;
/** An outage that lasts is told every ten seconds. */
const TOLD_EVERY_ATTEMPTS = 50;

export async function startSequencer(options: SequencerOptions): Promise<Sequencer> {
  const lease = await takeLease(options.database);
  const { exchange, replayed } = await recover(options.database, lease.lastSeq, options.onProgress);
  if (replayed > SNAPSHOT_AFTER_REPLAY) await writeSnapshot(options.database, exchange);
  const events = await AccountEvents.load(options.database);
  const sequencer = new MarketSequencer(options, { lease, exchange, events });
  await sequencer.begin();
  return sequencer;
}

/**
 * The one writer. Commands queue while a commit runs; what has queued is applied and becomes the next commit, so batches
 * grow with the load and nobody waits for a timer. A command is acknowledged and published only when it is durable.
 */
class MarketSequencer implements Sequencer {
  exchange: Exchange;
  earmarks: Earmarks;
  private readonly options: SequencerOptions & typeof DEFAULTS;
  private readonly clock: () => number;
  private lease: Lease;
  private queue: Waiting[] = [];
  private readonly listeners: ((batch: CommittedBatch) => void)[] = [];
  private readonly events: AccountEvents;
  /** Notices of the commit that runs. */
  private notices: readonly AccountNotice[] = [];
  private wakeTimer: NodeJS.Timeout | undefined;
  /** The commit that runs. */
  private committing: Promise<void> | undefined;
  private state: 'leading' | 'recovering' | 'closing' | 'lost' = 'leading';
  private running: Promise<void> | undefined;
  private readonly snapshots: SnapshotKeeper;
  /** Set while the store cannot be reached and callers are no longer kept waiting. */
  private isStalled = false;
  /** Set by `close`: what is queued is still done, but a store that is out of reach is not waited for. */
  private isEnding = false;

  constructor(
    options: SequencerOptions,
    { lease, exchange, events }: { lease: Lease; exchange: Exchange; events: AccountEvents },
  ) {
    this.options = { ...DEFAULTS, ...options };
    this.clock = options.clock ?? Date.now;
    this.lease = lease;
    this.exchange = exchange;
    this.events = events;
    this.earmarks = earmarksOf(exchange);
    const { database, telemetry, snapshotEvery: every } = this.options;
    this.snapshots = new SnapshotKeeper({ database, telemetry, every });
  }

  get status(): SequencerStatus {
    return {
      isLeading: this.state === 'leading',
      isAccepting: this.isAccepting,
      epoch: this.lease.epoch,
      queueLength: this.queue.length,
      committedSeq: this.lease.lastSeq,
    };
  }

  lastUserSeq(account: number): number {
    const coming = this.notices.filter((notice) => notice.account === account).length;
    return this.events.lastOf(account) - coming;
  }

  /** Does first what came due while nobody led: timers that went off fire before anything is matched. */
  async begin(): Promise<void> {
    this.running ??= this.run();
    await this.running;
  }

  async settled(): Promise<void> {
    await this.committing;
    if (this.state === 'lost') throw new EngineUnavailable();
  }

  private get isAccepting(): boolean {
    return (this.state === 'leading' || this.state === 'recovering') && !this.isStalled && !this.isEnding;
  }

  onCommitted(listener: (batch: CommittedBatch) => void): void {
    this.listeners.push(listener);
  }

  submit(command: Command, attachment?: Attachment): Promise<Committed | Refused> {
    if (!this.isAccepting) return Promise.reject(new EngineUnavailable());
    if (this.queue.length >= this.options.queueLimit) return Promise.reject(new EngineOverloaded());
    return new Promise((resolve, reject) => {
      this.queue.push({ command, attachment, resolve, reject });
      this.running ??= this.run();
    });
  }

  async close(): Promise<void> {
    this.isEnding = true;
    while (this.running !== undefined) await this.running;
    clearTimeout(this.wakeTimer);
    if (this.state === 'lost') return;
    if (this.events.dueInMs(this.clock()) !== undefined) await this.commit([]);
    this.state = 'closing';
    await this.snapshots.close(this.exchange);
  }

  private async run(): Promise<void> {
    // One turn of the event loop lets everything that arrived with the first command share its commit.
    await Promise.resolve();
    try {
      while (this.state === 'leading' && (this.queue.length > 0 || this.dueInMs() === 0))
        await this.runBatch();
    } finally {
      this.running = undefined;
      if (this.state === 'lost') this.rejectQueue();
      else this.wakeWhenDue();
    }
  }

  private get isNoticeDue(): boolean {
    return this.events.dueInMs(this.clock()) === 0;
  }

  /** Milliseconds until something is to be done without a command: a notice, or what the exchange has due. */
  private dueInMs(): number | undefined {
    const nowMs = this.clock();
    const noticeMs = this.events.dueInMs(nowMs) ?? Infinity;
    const exchangeMs = Math.max(0, (this.exchange.nextDueMs() ?? Infinity) - nowMs);
    const dueInMs = Math.min(noticeMs, exchangeMs);
    return dueInMs === Infinity ? undefined : dueInMs;
  }

  /** Notices go out within a second and what is due happens on time, also when no command comes that could take it along. */
  private wakeWhenDue(): void {
    clearTimeout(this.wakeTimer);
    const dueInMs = this.dueInMs();
    if (dueInMs === undefined || this.isEnding) return;
    const wake = (): void => {
      this.running ??= this.run();
    };
    this.wakeTimer = setTimeout(wake, Math.min(Math.ceil(dueInMs), LONGEST_SLEEP_MS));
    this.wakeTimer.unref();
  }

  private async runBatch(): Promise<void> {
    const waiting = this.queue.splice(0, this.options.batchLimit);
    let batch: InFlight[];
    try {
      batch = this.apply(waiting);
    } catch (error) {
      this.fail(error, waiting);
      return;
    }
    if (batch.length === 0 && !this.isNoticeDue) return;
    this.committing = this.commit(batch);
    await this.committing;
    this.committing = undefined;
  }

  /** Applies commands in order. Refusals are answered at once: they changed nothing. */
  private apply(waiting: readonly Waiting[]): InFlight[] {
    const batch: InFlight[] = [];
    for (const item of waiting) {
      const atMs = this.now();
      elapseUntil(atMs, this.exchange, batch);
      const seq = this.exchange.lastSeq + 1;
      if (atMs > (item.attachment?.notAfterMs ?? Number.POSITIVE_INFINITY)) {
        item.reject(new CommandExpired());
        continue;
      }
      const outcome = this.exchange.apply({ seq, atMs, command: item.command });
      if (outcome.ok) {
        const applied = { seq, atMs, command: item.command, outcome, attachment: item.attachment };
        batch.push({ applied, waiting: item, told: [] });
      } else {
        item.resolve(outcome);
      }
    }
    elapseUntil(this.now(), this.exchange, batch);
    return batch;
  }

  /** Command time never goes back, whatever the clock does. */
  private now(): number {
    return Math.max(Math.floor(this.clock()), this.exchange.lastAtMs, this.lease.atMs);
  }

  private async commit(batch: readonly InFlight[]): Promise<void> {
    const number = this.lease.batch + 1;
    const { epoch, lastSeq, atMs } = this.lease;
    // A batch of notices alone has no command: the journal stays where it is.
    const last = batch.at(-1)?.applied ?? { seq: lastSeq, atMs };
    const statement = this.statementOf(batch, { epoch, batch: number, lastSeq: last.seq, atMs: last.atMs });
    try {
      const { rows } = await this.options.database.commit(statement);
      if (rows.length === 0) {
        this.lose('fenced', batch);
        return;
      }
    } catch (error) {
      await this.recoverFrom(error, batch, number);
      return;
    }
    this.lease = { epoch, batch: number, lastSeq: last.seq, atMs: last.atMs };
    this.publish(batch, number);
    this.snapshots.count(batch.length, this.exchange);
  }

  private statementOf(
    batch: readonly InFlight[],
    fence: FenceValues,
  ): ReturnType<BatchProjection['statement']> {
    const projection = new BatchProjection(fence.batch, newId);
    for (const item of batch) {
      projection.add(item.applied);
      item.told = this.events.number(item.applied);
    }
    this.notices = this.isNoticeDue || this.isEnding ? this.events.takeNotices(this.clock()) : [];
    return projection.statement(fence, [this.events.rows()]);
  }

  private publish(batch: readonly InFlight[], number: number): void {
    const entries: Committed[] = [];
    const { notices } = this;
    this.notices = [];
    for (const { applied, told } of batch) {
      for (const event of applied.outcome.events) if (event.type === 'lot') this.earmarks.follow(event);
      this.events.delivered(applied);
      entries.push(committedOf(applied, told));
    }
    for (const listener of this.listeners) {
      try {
        listener({ batch: number, entries, notices });
      } catch (error) {
        this.options.telemetry.fault('sequencer listener', error);
      }
    }
    for (const [index, { waiting }] of batch.entries()) waiting.resolve(entries[index]!);
  }

  /**
   * A commit failed or its outcome is unknown. A new epoch makes a straggler of the old one fail its fence; then the store says
   * what is true, the state is rebuilt from it, and the batch is answered from that.
   */
  private async recoverFrom(cause: unknown, batch: readonly InFlight[], number: number): Promise<void> {
    this.state = 'recovering';
    const isUnknown = cause instanceof CommitOutcomeUnknown;
    this.options.telemetry.system({
      event: 'commit_failed',
      fields: { reason: reasonOf(cause), is_unknown: isUnknown, batch: number },
    });
    const deadlineMs = this.clock() + this.options.recoveryPatienceMs;
    const answer = isUnknown ? new OutcomeUnknown() : new EngineUnavailable();
    let isAnswered = false;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const lease = await renewLease(this.options.database, this.lease.epoch);
        if (lease === undefined) {
          // Whoever took over may have found the batch in the store.
          this.lose('fenced', isAnswered ? [] : batch, answer);
          return;
        }
        await this.rebuild(lease, batch, { number, isAnswered });
        return;
      } catch (error) {
        if (attempt % TOLD_EVERY_ATTEMPTS === 0) this.options.telemetry.fault('sequencer recovery', error);
      }
      if (!isAnswered && this.clock() > deadlineMs) {
        isAnswered = true;
        this.isStalled = true;
        for (const { waiting } of batch) waiting.reject(answer);
        this.rejectQueue();
      }
      if (isAnswered && this.isEnding) {
        this.state = 'lost';
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, RECOVERY_PAUSE_MS));
    }
  }

  private async rebuild(
    lease: Lease,
    batch: readonly InFlight[],
    { number, isAnswered }: { number: number; isAnswered: boolean },
  ): Promise<void> {
    // The lease moves first: whatever fails below, the next try must start from the epoch that is in the store.
    this.lease = lease;
    const { exchange } = await recover(this.options.database, lease.lastSeq);
    const isCommitted = lease.batch >= number;
    this.exchange = exchange;
    this.isStalled = false;
    this.state = 'leading';
    if (!isCommitted) this.events.putBack(this.notices);
    if (isAnswered && isCommitted) this.publishSilently(batch, number);
    else if (isCommitted) this.publish(batch, number);
    else if (!isAnswered) for (const { waiting } of batch) waiting.reject(new EngineUnavailable());
    this.options.telemetry.system({
      event: 'recovered',
      fields: { epoch: lease.epoch, is_committed: isCommitted },
    });
  }

  /** The batch turned out to be durable after its callers were told that this was unknown: views must still follow. */
  private publishSilently(batch: readonly InFlight[], number: number): void {
    const silent = batch.map((item) => ({ ...item, waiting: { ...item.waiting, resolve: () => {} } }));
    this.publish(silent, number);
  }

  private fail(error: unknown, waiting: readonly Waiting[]): void {
    this.options.telemetry.fault('sequencer apply', error);
    this.state = 'lost';
    for (const item of waiting) item.reject(new EngineUnavailable());
    this.options.onLost('broken');
  }

  private lose(
    reason: 'fenced' | 'broken',
    batch: readonly InFlight[],
    answer: Error = new EngineUnavailable(),
  ): void {
    this.state = 'lost';
    for (const { waiting } of batch) waiting.reject(answer);
    this.options.onLost(reason);
  }

  private rejectQueue(): void {
    for (const item of this.queue.splice(0)) item.reject(new EngineUnavailable());
  }
}

/** The class of a failure, such as `DiskFull`: its message stays out of logs. */
function reasonOf(cause: unknown): string {
  const reason = cause instanceof CommitRefused ? cause.reason : cause;
  return reason instanceof Error ? reason.constructor.name : typeof reason;
}
