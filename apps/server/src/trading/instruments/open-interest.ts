import { TOKENS_PER_UNIT } from '@opengrid/exchange';
import type { InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { Sequencer } from '../../sequencer/types.ts';
import type { Database } from '../../store/database.ts';

const HOUR_MS = 3_600_000;
/** Adding up what every issuer owes walks over all sold ranges, so a figure serves everybody for a while. */
const FRESH_MS = 60_000;

export interface OpenInterestOptions {
  readonly database: Database;
  readonly sequencer: Sequencer;
  readonly instruments: InstrumentCatalogue;
  readonly clock?: () => number;
}

/** Units that were bought and are not consumed: now from the engine, in the past from hourly records. */
export class OpenInterest {
  private readonly options: OpenInterestOptions;
  private readonly clock: () => number;
  private readonly fresh = new Map<number, { tokens: number; atMs: number }>();
  private readonly recorded = new Map<number, number>();

  constructor(options: OpenInterestOptions) {
    this.options = options;
    this.clock = options.clock ?? Date.now;
  }

  /** At most a minute old. */
  currentUnits(instrumentNo: number): number {
    const nowMs = this.clock();
    let figure = this.fresh.get(instrumentNo);
    if (figure === undefined || nowMs - figure.atMs >= FRESH_MS) {
      figure = { tokens: this.count(instrumentNo), atMs: nowMs };
      this.fresh.set(instrumentNo, figure);
    }
    return Math.floor(figure.tokens / TOKENS_PER_UNIT);
  }

  /** Keeps what changed since the last call, under the hour that runs. */
  async record(): Promise<void> {
    const hourStartMs = Math.floor(this.clock() / HOUR_MS) * HOUR_MS;
    for (const { instrumentNo } of this.options.instruments.list()) {
      const tokens = this.count(instrumentNo);
      if (this.recorded.get(instrumentNo) === tokens) continue;
      await this.options.database.query({
        name: 'open_interest_record',
        text: `insert into open_interest values ($1, $2, $3)
               on conflict (instrument_no, hour_start_ms) do update set outstanding_tokens = excluded.outstanding_tokens`,
        values: [instrumentNo, hourStartMs, tokens],
      });
      this.recorded.set(instrumentNo, tokens);
    }
  }

  /** What was open at the end of each period: from the last record before it. Undefined before the first record. */
  async unitsAt(
    instrumentNo: number,
    endsMs: readonly number[],
  ): Promise<(endMs: number) => number | undefined> {
    const [first = 0, last = 0] = [endsMs[0], endsMs.at(-1)];
    const { rows } = await this.options.database.query<{ at: number; tokens: number }>({
      name: 'open_interest_window',
      text: `select hour_start_ms as at, outstanding_tokens as tokens from open_interest
             where instrument_no = $1 and hour_start_ms < $3 and hour_start_ms >= (
               select coalesce(max(hour_start_ms), $2) from open_interest where instrument_no = $1 and hour_start_ms < $2)
             order by 1`,
      values: [instrumentNo, first, last],
    });
    return (endMs) => {
      const record = rows.findLast(({ at }) => at < endMs);
      return record === undefined ? undefined : Math.floor(record.tokens / TOKENS_PER_UNIT);
    };
  }

  private count(instrumentNo: number): number {
    let tokens = 0;
    for (const owed of this.options.sequencer.exchange.liabilities(instrumentNo).values()) tokens += owed;
    return tokens;
  }
}
