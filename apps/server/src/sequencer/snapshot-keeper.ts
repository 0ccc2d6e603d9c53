import type { Exchange } from '@opengrid/exchange';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Database } from '../store/database.ts';
import { writeSnapshot } from './recovery.ts';

/**
 * Nothing else runs while the state is turned into text, a second for fifty megabytes. A large state is therefore kept less
 * often: one command more for every so many bytes.
 */
const BYTES_PER_COMMAND = 100;
/** A start must not replay for long either, however large the state. */
const LONGEST_INTERVAL = 8;

export interface SnapshotKeeperOptions {
  readonly database: Database;
  readonly telemetry: Telemetry;
  /** Commands from one snapshot to the next, at least. */
  readonly every: number;
}

/** Keeps the state from time to time, so that a start need not replay the whole journal. */
export class SnapshotKeeper {
  private readonly options: SnapshotKeeperOptions;
  private sinceLast = 0;
  private lastBytes = 0;
  private writing: Promise<void> | undefined;

  constructor(options: SnapshotKeeperOptions) {
    this.options = options;
  }

  /**
   * Counts commands, all of which must be durable. The state is taken before this returns where it is due, and written while
   * commands go on.
   */
  count(commands: number, exchange: Exchange): void {
    this.sinceLast += commands;
    if (this.writing !== undefined || this.sinceLast < this.interval) return;
    this.writing = this.write(exchange)
      .catch((error) => this.options.telemetry.fault('sequencer snapshot', error))
      .finally(() => {
        this.writing = undefined;
      });
  }

  /** Keeps the last state, if anything changed since the last snapshot. */
  async close(exchange: Exchange): Promise<void> {
    await this.writing;
    if (this.sinceLast > 0) await this.write(exchange);
  }

  private get interval(): number {
    const { every } = this.options;
    return Math.max(every, Math.min(LONGEST_INTERVAL * every, this.lastBytes / BYTES_PER_COMMAND));
  }

  private async write(exchange: Exchange): Promise<void> {
    this.sinceLast = 0;
    this.lastBytes = await writeSnapshot(this.options.database, exchange);
  }
}
