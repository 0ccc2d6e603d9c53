/** Processes that come and go over one store, clients that trade through them, and a record of what each was told. */
import type { Command, Refused } from '@opengrid/exchange';
import type { Queryable } from '../../store/database.ts';
import { startSequencer } from '../sequencer.ts';
import { silentTelemetry } from '../testing.ts';
import type { Attachment, Committed, CommittedBatch, Sequencer } from '../types.ts';
import { RemoteStore, type Weather } from './remote-store.ts';
import { type Dice, type Schedule, SimulatedProcess } from './schedule.ts';

/** What a client was told about a command; `unknown` where nobody could say, or nobody was left to say it. */
export type Told = Committed | Refused | 'not_done' | 'unknown';

/** A command as the journal will know it: the tag is kept in its body. */
export interface Sent {
  readonly tag: number;
  readonly leader: Leader;
  told: Told | undefined;
}

/** One life of the program. */
export interface Leader {
  readonly process: SimulatedProcess;
  sequencer: Sequencer | undefined;
  /** The last command that was durable when its state was rebuilt at the start. */
  startedAtSeq: number;
  readonly published: Committed[];
  readonly batches: number[];
  /** A settlement whose end nobody knows keeps its tokens held until the process ends. */
  hasOpenHolds: boolean;
  lost: 'fenced' | 'broken' | undefined;
}

export interface WorldOptions {
  readonly schedule: Schedule;
  readonly dice: Dice;
  readonly weather: Weather;
  readonly store: Queryable;
  /** Says where the journal ends now. */
  readonly durableSeq: () => number;
  readonly snapshotEvery: number;
  readonly batchLimit: number;
  readonly recoveryPatienceMs: number;
}

export class World {
  readonly sent: Sent[] = [];
  readonly leaders: Leader[] = [];
  readonly faults: Error[] = [];
  /** Publications that ran ahead of the store, as sentences. */
  readonly wrong: string[] = [];
  private readonly options: WorldOptions;

  constructor(options: WorldOptions) {
    this.options = options;
  }

  get schedule(): Schedule {
    return this.options.schedule;
  }

  /** What a process takes for the time. */
  clockOf({ process }: Leader): number {
    return this.schedule.nowMs + process.skewMs;
  }

  /** Those that a client may reach, the newest last. */
  get reachable(): Leader[] {
    return this.leaders.filter((leader) => !leader.process.isDead && leader.sequencer !== undefined);
  }

  get newest(): Leader | undefined {
    return this.leaders.at(-1);
  }

  /** Starts a process. It takes the lease from whoever has it. */
  start(): Leader {
    const process = new SimulatedProcess();
    const leader: Leader = {
      process,
      sequencer: undefined,
      startedAtSeq: 0,
      published: [],
      batches: [],
      hasOpenHolds: false,
      lost: undefined,
    };
    this.leaders.push(leader);
    process.run(() => void this.boot(leader));
    return leader;
  }

  private async boot(leader: Leader): Promise<void> {
    const { process } = leader;
    const { schedule, weather, store, snapshotEvery, batchLimit, recoveryPatienceMs } = this.options;
    try {
      const sequencer = await startSequencer({
        database: new RemoteStore({
          schedule,
          process,
          store,
          weather,
          onFault: (error) => this.note(error),
        }),
        telemetry: { ...silentTelemetry, fault: (_where, error) => this.note(error) },
        clock: () => this.clockOf(leader),
        onLost: (reason) => {
          leader.lost = reason;
          // What was answered before the end still reaches its client.
          schedule.at(0, () => process.die());
        },
        snapshotEvery,
        batchLimit,
        recoveryPatienceMs,
      });
      leader.startedAtSeq = sequencer.exchange.lastSeq;
      sequencer.onCommitted((batch) => this.publish(leader, batch));
      leader.sequencer = sequencer;
    } catch (error) {
      this.note(error);
      process.die();
    }
  }

  /** Errors of the store are the weather; everything else is a find. */
  private note(error: unknown): void {
    const name = error instanceof Error ? error.constructor.name : '';
    if (!/^(StoreUnavailable|CommitRefused|CommitOutcomeUnknown)$/.test(name))
      this.faults.push(error as Error);
  }

  private publish(leader: Leader, { batch, entries }: CommittedBatch): void {
    leader.batches.push(batch);
    for (const entry of entries) {
      if (entry.seq > this.options.durableSeq()) this.wrong.push(`${entry.seq} was published too early`);
      leader.published.push(entry);
    }
  }

  /** Sends a command through `leader` and keeps what it was told. */
  async send(leader: Leader, command: Command, attachment: Attachment = {}): Promise<Told> {
    const tag = this.sent.length + 1;
    const sent: Sent = { tag, leader, told: undefined };
    this.sent.push(sent);
    const tagged = { ...command, tag };
    const withName =
      command.kind === 'place_order' ? { clientOrderId: `order-${tag}`, ...attachment } : attachment;
    const answer = new Promise<Told>((resolve) => {
      leader.process.run(() => {
        leader.sequencer!.submit(tagged, withName).then(resolve, (error: Error) => {
          resolve(error.constructor.name === 'OutcomeUnknown' ? 'unknown' : this.notDone(error));
        });
      });
    });
    sent.told = (await leader.process.until(answer)) ?? 'unknown';
    return sent.told;
  }

  private notDone(error: Error): 'not_done' {
    if (!/^(EngineUnavailable|EngineOverloaded|CommandExpired)$/.test(error.constructor.name)) {
      this.faults.push(error);
    }
    return 'not_done';
  }
}
