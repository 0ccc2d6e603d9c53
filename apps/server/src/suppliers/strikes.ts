import { newId } from '../ids.ts';
import type { Delivered, SupplierConduct } from '../ports/supply.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Database } from '../store/database.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LIFETIME_MS = 7 * 24 * HOUR_MS;
/** Below this many requests an hour says nothing. */
const FEWEST_REQUESTS = 20;
/** Share of an hour's requests that may fail or be out of specification, in percent. */
const BAD_SHARE_PERCENT = 5;
/** Tokens that may be reported beyond the exchange's own count, in percent of an hour's billable ones. */
const EXCESS_SHARE_PERCENT = 3;

export type StrikeReason = 'failed_or_out_of_spec' | 'token_inflation';

/** A strike that has not expired, or had not when it was asked for. */
export interface Strike {
  readonly strikeId: string;
  readonly supplierId: string;
  readonly endpointId: string;
  readonly instrumentNo: number;
  readonly reason: StrikeReason;
  readonly requestCount: number;
  readonly sharePercent: number;
  readonly struckAtMs: number;
  readonly expiresAtMs: number;
}

/** What was delivered within one minute. */
interface Minute {
  readonly startMs: number;
  requests: number;
  bad: number;
  billedTokens: number;
  excessTokens: number;
}

interface Record {
  minutes: Minute[];
  /** When a strike for each reason was last recorded: the same hour gives one. */
  readonly struckAtMs: Map<StrikeReason, number>;
}

/**
 * Watches the deliveries of the last hour of each endpoint and instrument, and records a strike when too many failed or were
 * out of specification, or when too many tokens were reported. Counts are those of this process; strikes are kept.
 */
export class Strikes implements SupplierConduct {
  private readonly deps: { database: Database; telemetry: Telemetry; clock: () => number };
  private readonly records = new Map<string, Record>();
  private readonly writing = new Set<Promise<void>>();

  constructor(deps: { database: Database; telemetry: Telemetry; clock?: () => number }) {
    this.deps = { ...deps, clock: deps.clock ?? Date.now };
  }

  note(delivered: Delivered): void {
    const nowMs = this.deps.clock();
    const key = `${delivered.endpoint.endpointId} ${delivered.instrumentNo}`;
    const record = this.records.get(key) ?? { minutes: [], struckAtMs: new Map() };
    this.records.set(key, record);
    count(record, delivered, nowMs);
    const sums = sumsOf(record);
    if (sums.requests < FEWEST_REQUESTS) return;
    const badPercent = (100 * sums.bad) / sums.requests;
    if (badPercent > BAD_SHARE_PERCENT)
      this.strike(record, delivered, { reason: 'failed_or_out_of_spec', percent: badPercent });
    const excessPercent = (100 * sums.excessTokens) / Math.max(1, sums.billedTokens);
    if (excessPercent > EXCESS_SHARE_PERCENT)
      this.strike(record, delivered, { reason: 'token_inflation', percent: excessPercent });
  }

  /** Strikes that count now, the latest first. */
  async active(): Promise<readonly Strike[]> {
    const { rows } = await this.deps.database.query<Strike>({
      text: `select strike_id as "strikeId", supplier_id as "supplierId", endpoint_id as "endpointId",
               instrument_no as "instrumentNo", reason, request_count as "requestCount",
               share_percent as "sharePercent", struck_at_ms as "struckAtMs", expires_at_ms as "expiresAtMs"
             from supplier_strikes where expires_at_ms > $1 order by struck_at_ms desc, strike_id`,
      values: [this.deps.clock()],
    });
    return rows;
  }

  /** Waits until what was found is kept. */
  async settled(): Promise<void> {
    await Promise.all(this.writing);
  }

  private strike(
    record: Record,
    { endpoint, instrumentNo }: Delivered,
    { reason, percent }: { reason: StrikeReason; percent: number },
  ): void {
    const nowMs = this.deps.clock();
    const lastMs = record.struckAtMs.get(reason);
    if (lastMs !== undefined && lastMs > nowMs - HOUR_MS) return;
    record.struckAtMs.set(reason, nowMs);
    const { endpointId, supplierId } = endpoint;
    const sharePercent = Math.min(Math.floor(percent), 1_000_000);
    const fields = { endpoint_id: endpointId, reason, share_percent: sharePercent };
    this.deps.telemetry.system({ event: 'supplier_strike', fields });
    const strikeId = newId('strike', nowMs);
    const { requests } = sumsOf(record);
    const values = [strikeId, supplierId, endpointId, instrumentNo, reason, requests, sharePercent, nowMs];
    const writing = this.write([...values, nowMs + LIFETIME_MS]).finally(() => this.writing.delete(writing));
    this.writing.add(writing);
  }

  private async write(values: readonly unknown[]): Promise<void> {
    try {
      await this.deps.database.query({
        text: `insert into supplier_strikes (strike_id, supplier_id, endpoint_id, instrument_no, reason, request_count,
                 share_percent, struck_at_ms, expires_at_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        values: [...values],
      });
    } catch (error) {
      this.deps.telemetry.fault('supplier strikes', error);
    }
  }
}

function count(record: Record, delivered: Delivered, nowMs: number): void {
  const startMs = nowMs - (nowMs % MINUTE_MS);
  if (record.minutes.at(-1)?.startMs !== startMs) {
    record.minutes = record.minutes.filter((minute) => minute.startMs > nowMs - HOUR_MS);
    record.minutes.push({ startMs, requests: 0, bad: 0, billedTokens: 0, excessTokens: 0 });
  }
  const minute = record.minutes.at(-1) as Minute;
  minute.requests += 1;
  minute.bad += delivered.isBad ? 1 : 0;
  minute.billedTokens += delivered.billedTokens;
  minute.excessTokens += delivered.excessTokens;
}

function sumsOf({ minutes }: Record): Omit<Minute, 'startMs'> {
  const sums = { requests: 0, bad: 0, billedTokens: 0, excessTokens: 0 };
  for (const minute of minutes) {
    sums.requests += minute.requests;
    sums.bad += minute.bad;
    sums.billedTokens += minute.billedTokens;
    sums.excessTokens += minute.excessTokens;
  }
  return sums;
}
