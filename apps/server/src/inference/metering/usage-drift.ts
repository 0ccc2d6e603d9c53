import type { Telemetry } from '../../ports/telemetry.ts';
import type { InferenceSettings } from '../settings.ts';

/** What an answer's report was, beside the exchange's own count and its tolerance. */
export type Report = 'within' | 'beyond';

interface Record {
  /** The last answers, the oldest first. */
  readonly reports: Report[];
  isFlagged: boolean;
}

/**
 * Watches what suppliers report beside the exchange's own counts. Reports beyond the tolerance are cut, so they cost nobody
 * anything; an endpoint that sends many of them counts differently or not honestly, and its operator should know.
 */
export class UsageDrift {
  private readonly settings: InferenceSettings['usageDrift'];
  private readonly telemetry: Pick<Telemetry, 'system'>;
  private readonly records = new Map<string, Record>();

  constructor(settings: InferenceSettings['usageDrift'], telemetry: Pick<Telemetry, 'system'>) {
    this.settings = settings;
    this.telemetry = telemetry;
  }

  /** An answer whose tokens the endpoint reported. Tells of the endpoint when its share rises to the set one. */
  note(endpointId: string, report: Report): void {
    const record = this.records.get(endpointId) ?? { reports: [], isFlagged: false };
    this.records.set(endpointId, record);
    record.reports.push(report);
    if (record.reports.length > this.settings.answers) record.reports.shift();
    this.judge(endpointId, record);
  }

  private judge(endpointId: string, record: Record): void {
    const { fewestAnswers, sharePercent } = this.settings;
    const count = record.reports.length;
    if (count < fewestAnswers) return;
    const share = Math.floor((100 * record.reports.filter((report) => report === 'beyond').length) / count);
    // An endpoint near the limit would be told of again and again; it has to improve clearly first.
    if (record.isFlagged && share < sharePercent / 2) record.isFlagged = false;
    if (record.isFlagged || share < sharePercent) return;
    record.isFlagged = true;
    const fields = { endpoint_id: endpointId, share_percent: share };
    this.telemetry.system({ event: 'supplier_usage_drift', fields });
  }
}
