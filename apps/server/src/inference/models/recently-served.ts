import type { Database } from '../../store/database.ts';

const WINDOW_MS = 30 * 86_400_000;

interface ServedRow {
  instrument_no: number;
  serving_model: string;
  last_at_ms: number;
}

/** Which models served each instrument in the last 30 days: read once from the receipts, then kept up by what is served. */
export class RecentlyServed {
  private readonly database: Database;
  private readonly lastServed = new Map<number, Map<string, number>>();
  private loading: Promise<void> | undefined;

  constructor(database: Database) {
    this.database = database;
  }

  note(instrumentNo: number, model: string, atMs: number): void {
    let models = this.lastServed.get(instrumentNo);
    if (models === undefined) {
      models = new Map();
      this.lastServed.set(instrumentNo, models);
    }
    models.set(model, Math.max(atMs, models.get(model) ?? 0));
  }

  /** Distinct models, the latest first. */
  async models(instrumentNo: number, nowMs: number): Promise<readonly string[]> {
    this.loading ??= this.load(nowMs);
    await this.loading;
    const models = [...(this.lastServed.get(instrumentNo) ?? [])];
    const recent = models.filter(([, atMs]) => atMs > nowMs - WINDOW_MS);
    return recent.sort(([, a], [, b]) => b - a).map(([model]) => model);
  }

  private async load(nowMs: number): Promise<void> {
    try {
      const { rows } = await this.database.query<ServedRow>({
        text: `select instrument_no, serving_model, max(created_at_ms) as last_at_ms from receipts
               where created_at_ms > $1 and serving_model is not null group by 1, 2`,
        values: [nowMs - WINDOW_MS],
      });
      for (const row of rows) this.note(row.instrument_no, row.serving_model, row.last_at_ms);
    } catch (error) {
      // The next caller tries again.
      this.loading = undefined;
      throw error;
    }
  }
}
