/**
 * The queue in front of the only connection of the embedded engine. Commits go first; a query is let through
 * after a run of them, so that a busy exchange does not starve its readers.
 */
import { setImmediate as afterEvents } from 'node:timers/promises';

export type Lane = 'commit' | 'query';

type Job = () => Promise<void>;

/** Commits in a row while queries wait. A query is short by contract, so this costs the exchange little. */
const COMMITS_IN_A_ROW = 8;

export class Lanes {
  #commits: Job[] = [];
  #queries: Job[] = [];
  #commitsInARow = 0;
  #loop: Promise<void> | undefined;

  /** Runs the job alone on the connection, when its turn comes. Settles as the job does. */
  run<T>(lane: Lane, job: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const queue = lane === 'commit' ? this.#commits : this.#queries;
      queue.push(() => job().then(resolve, reject));
      this.#loop ??= this.#runAll();
    });
  }

  /** Resolves when nothing is queued or running. */
  async idle(): Promise<void> {
    await this.#loop;
  }

  async #runAll(): Promise<void> {
    for (let job = this.#next(); job !== undefined; job = this.#next()) {
      await job();
      // After a commit the sequencer has its next batch ready within this turn: let it come before the
      // queries.
      if (this.#commitsInARow > 0 && this.#commits.length === 0) await afterEvents();
    }
    this.#loop = undefined;
  }

  #next(): Job | undefined {
    const isQueryDue = this.#commitsInARow >= COMMITS_IN_A_ROW && this.#queries.length > 0;
    const commit = isQueryDue ? undefined : this.#commits.shift();
    this.#commitsInARow = commit === undefined ? 0 : this.#commitsInARow + 1;
    return commit ?? this.#queries.shift();
  }
}
