/** The store as one simulated process sees it: behind a network that delays, loses answers and goes away. */
import {
  CommitOutcomeUnknown,
  CommitRefused,
  type Database,
  type Queryable,
  type Rows,
  type Statement,
  StoreError,
  StoreUnavailable,
} from '../../store/database.ts';
import type { Dice, Schedule, SimulatedProcess } from './schedule.ts';

/** How often what goes wrong, from 0 to 1. */
export interface Faults {
  /** A call is refused before it has an effect. */
  readonly refused: number;
  /** A call has its effect, and its answer is lost. */
  readonly answerLost: number;
  /** A commit whose connection broke has its effect later, if its fence still holds. */
  readonly straggling: number;
  /** A call takes seconds. */
  readonly slow: number;
}

export class Weather {
  faults: Faults;
  /** The store cannot be reached before this time. */
  outageUntilMs = 0;
  private readonly dice: Dice;

  constructor(dice: Dice, faults: Faults) {
    this.dice = dice;
    this.faults = faults;
  }

  fate(nowMs: number): 'done' | 'refused' | 'answer_lost' | 'straggling' {
    if (nowMs < this.outageUntilMs) return 'refused';
    if (this.dice.chance(this.faults.refused)) return 'refused';
    if (this.dice.chance(this.faults.answerLost)) return 'answer_lost';
    return this.dice.chance(this.faults.straggling) ? 'straggling' : 'done';
  }

  delayMs(): number {
    return this.dice.chance(this.faults.slow) ? this.dice.between(500, 15_000) : this.dice.between(0, 4);
  }
}

export interface RemoteStoreOptions {
  readonly schedule: Schedule;
  readonly process: SimulatedProcess;
  readonly store: Queryable;
  readonly weather: Weather;
  /** A statement that the store does not take is a fault of the program, not of the weather. */
  readonly onFault: (error: Error) => void;
}

type Answer = { readonly rows: Rows<unknown> } | { readonly error: Error };

export class RemoteStore implements Database {
  readonly engine = 'server';
  private readonly options: RemoteStoreOptions;

  constructor(options: RemoteStoreOptions) {
    this.options = options;
  }

  query<Row = Record<string, unknown>>(statement: Statement): Promise<Rows<Row>> {
    return this.call<Row>(statement, {
      refused: (error) => error,
      lost: () => new StoreUnavailable('simulated', 'wait'),
    });
  }

  commit<Row = Record<string, unknown>>(statement: Statement): Promise<Rows<Row>> {
    return this.call<Row>(statement, {
      refused: (error) => new CommitRefused(error),
      lost: () => new CommitOutcomeUnknown('simulated'),
    });
  }

  transaction(): Promise<never> {
    throw new Error('the sequencer writes in one statement');
  }

  async close(): Promise<void> {}

  /** What was sent goes its way, whether or not the process that sent it lives to see the answer. */
  private call<Row>(
    statement: Statement,
    failure: { refused: (error: StoreError) => Error; lost: () => Error },
  ): Promise<Rows<Row>> {
    const { schedule, process, weather } = this.options;
    const fate = weather.fate(schedule.nowMs);
    return new Promise((resolve, reject) => {
      const answer = (given: Answer): void => {
        schedule.at(weather.delayMs(), () => {
          process.run(() => ('rows' in given ? resolve(given.rows as Rows<Row>) : reject(given.error)));
        });
      };
      schedule.at(weather.delayMs(), () => {
        if (fate === 'refused') {
          answer({ error: failure.refused(new StoreUnavailable('simulated', 'wait')) });
          return;
        }
        if (fate === 'straggling') {
          answer({ error: failure.lost() });
          schedule.at(weather.delayMs() * 100, () => void this.effect(statement, failure));
          return;
        }
        void this.effect(statement, failure).then((given) => {
          answer(fate === 'done' ? given : { error: failure.lost() });
        });
      });
    });
  }

  private async effect(
    statement: Statement,
    failure: { refused: (error: StoreError) => Error },
  ): Promise<Answer> {
    try {
      return { rows: await this.options.schedule.hold(this.options.store.query(statement)) };
    } catch (error) {
      this.options.onFault(error as Error);
      if (error instanceof StoreError) return { error: failure.refused(error) };
      return { error: error as Error };
    }
  }
}
