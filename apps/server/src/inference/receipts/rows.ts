import type { Database } from '../../store/database.ts';
import type { Place } from './cursor.ts';
import type { Condition } from './query.ts';

/** A receipt as the database has it. */
export interface ReceiptRow {
  request_id: string;
  instrument_no: number;
  spec_version: number;
  requested_model: string;
  serving_model: string | null;
  route: string;
  key_id: string | null;
  status: string;
  cost_status: string;
  /** Digits of an integer of 10^-10 USD. */
  cost_e10: string | null;
  priced_tokens: number;
  error_code: string | null;
  finish_reason: string | null;
  is_stream: boolean;
  input_tokens: number | null;
  output_tokens: number | null;
  reasoning_tokens: number | null;
  cache_read_tokens: number | null;
  cache_write_tokens: number | null;
  usage_source: string | null;
  ttft_ms: number | null;
  tokens_per_second: number | null;
  duration_ms: number;
  supplier_id: string | null;
  is_substituted: boolean;
  qualification: string | null;
  is_in_spec: boolean | null;
  is_spec_waived: boolean;
  created_at_ms: number;
  settled_at_ms: number;
}

/** A draw with the public ids of its lot and trade. */
export interface DrawRow {
  lot_id: string | null;
  trade_id: string | null;
  issuer_account: number;
  unit_from: number;
  unit_to: number;
  tokens: number;
  price_ticks: number | null;
}

const COLUMNS = `request_id, instrument_no, spec_version, requested_model, serving_model, route, key_id, status,
  cost_status, cost_e10::text as cost_e10, priced_tokens, error_code, finish_reason, is_stream, input_tokens,
  output_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, usage_source, ttft_ms, tokens_per_second,
  duration_ms, supplier_id, is_substituted, qualification, is_in_spec, is_spec_waived, created_at_ms, settled_at_ms`;

const TOTAL = '(coalesce(input_tokens, 0) + coalesce(output_tokens, 0))';

/** Names of filters to columns. Nothing else of a query gets into a statement. */
const FILTER_COLUMNS: ReadonlyMap<string, string> = new Map([
  ['status', 'status'],
  ['cost_status', 'cost_status'],
  ['model', 'requested_model'],
  ['api_key_id', 'key_id'],
]);

export interface ReceiptSelection {
  readonly account: number;
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly conditions: readonly Condition[];
}

export interface ReceiptPage {
  readonly orderBy: 'inserted_at' | 'total_tokens';
  readonly direction: 'asc' | 'desc';
  readonly after: Place | undefined;
  readonly limit: number;
}

/** Collects conditions of a statement, each value as a parameter. */
class Where {
  readonly values: unknown[] = [];
  private readonly parts: string[] = [];

  add(text: (...placeholders: string[]) => string, ...values: unknown[]): void {
    const placeholders = values.map((value) => `$${this.values.push(value)}`);
    this.parts.push(text(...placeholders));
  }

  get text(): string {
    return this.parts.join(' and ');
  }
}

/** The conditions that choose receipts of an account. */
function whereOf(selection: ReceiptSelection): Where {
  const where = new Where();
  where.add((account) => `account_number = ${account}`, selection.account);
  const { fromMs, toMs } = selection;
  if (fromMs !== undefined) where.add((from) => `created_at_ms >= ${from}`, fromMs);
  if (toMs !== undefined) where.add((to) => `created_at_ms < ${to}`, toMs);
  for (const { field, isNegated, values } of selection.conditions) {
    const column = FILTER_COLUMNS.get(field);
    if (column === undefined) continue;
    const negation = isNegated ? 'not ' : '';
    where.add((list) => `${negation}(coalesce(${column}, '') = any(${list}::text[]))`, [...values]);
  }
  return where;
}

/** One page of receipts; one row more than the limit tells that there are more. */
export async function selectReceipts(
  database: Database,
  selection: ReceiptSelection,
  page: ReceiptPage,
): Promise<ReceiptRow[]> {
  const where = whereOf(selection);
  const key = page.orderBy === 'inserted_at' ? 'created_at_ms' : TOTAL;
  const comparison = page.direction === 'desc' ? '<' : '>';
  if (page.after !== undefined) {
    const place = (at: string, id: string) => `(${key}, request_id) ${comparison} (${at}::bigint, ${id})`;
    where.add(place, page.after.key, page.after.id);
  }
  const limit = `$${where.values.push(page.limit + 1)}`;
  const order = `${key} ${page.direction}, request_id ${page.direction}`;
  const text = `select ${COLUMNS} from receipts where ${where.text} order by ${order} limit ${limit}`;
  return (await database.query<ReceiptRow>({ text, values: where.values })).rows;
}

export async function selectReceipt(
  database: Database,
  account: number,
  requestId: string,
): Promise<ReceiptRow | undefined> {
  const text = `select ${COLUMNS} from receipts where request_id = $1 and account_number = $2`;
  const { rows } = await database.query<ReceiptRow>({
    name: 'receipt_by_id',
    text,
    values: [requestId, account],
  });
  return rows[0];
}

export async function selectDraws(database: Database, requestId: string): Promise<DrawRow[]> {
  const text = `select lots.lot_id, trades.trade_id, draws.issuer_account, draws.unit_from, draws.unit_to,
      draws.tokens, draws.price_ticks
    from receipt_draws draws
    left join lots on lots.lot_seq = draws.lot_seq
    left join trades on trades.trade_seq = draws.trade_seq
    where draws.request_id = $1 order by draws.position`;
  return (await database.query<DrawRow>({ name: 'draws_by_request', text, values: [requestId] })).rows;
}

/** Sums over receipts that share a key. */
export interface SummaryRow {
  key: string | null;
  request_count: number;
  input_tokens: number;
  output_tokens: number;
  cost_e10: string;
  priced_tokens: number;
  reconciled_requests: number;
  unpriced_requests: number;
  cancelled_requests: number;
  unpriced_tokens: number;
}

const GROUP_COLUMNS = { none: 'null::text', model: 'requested_model', api_key: 'key_id' } as const;

/** Sums of a selection. Ask for a day at a time: on the embedded engine long reads hold up everybody. */
export async function sumReceipts(
  database: Database,
  selection: ReceiptSelection,
  groupBy: keyof typeof GROUP_COLUMNS,
): Promise<SummaryRow[]> {
  const where = whereOf(selection);
  const billed = `filter (where cost_status <> 'cancelled')`;
  const unpriced = `filter (where cost_status = 'unpriced')`;
  const text = `select ${GROUP_COLUMNS[groupBy]} as key, count(*) as request_count,
      coalesce(sum(input_tokens) ${billed}, 0)::bigint as input_tokens,
      coalesce(sum(output_tokens) ${billed}, 0)::bigint as output_tokens,
      coalesce(sum(cost_e10) ${billed}, 0)::text as cost_e10,
      coalesce(sum(priced_tokens) ${billed}, 0)::bigint as priced_tokens,
      count(*) filter (where cost_status = 'reconciled') as reconciled_requests,
      count(*) ${unpriced} as unpriced_requests,
      count(*) filter (where cost_status = 'cancelled') as cancelled_requests,
      coalesce(sum(${TOTAL} - priced_tokens) ${unpriced}, 0)::bigint as unpriced_tokens
    from receipts where ${where.text} group by 1`;
  return (await database.query<SummaryRow>({ text, values: where.values })).rows;
}
