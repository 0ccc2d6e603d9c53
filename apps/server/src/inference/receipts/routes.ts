import { formatIso, type GridError, gridError, isId, type Result } from '@opengrid/wire';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../../ports/identity.ts';
import type { InferenceDeps } from '../deps.ts';
import { authenticate } from '../http/authenticate.ts';
import { contextOf } from '../http/context.ts';
import { sendError } from '../http/errors.ts';
import { refuseOtherMethods } from '../http/methods.ts';
import { sendJson } from '../http/send.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { PendingReceipts } from './pending.ts';
import { type Condition, limitParam, parseListQuery, timeParam, wordParam } from './query.ts';
import {
  type ReceiptRow,
  type ReceiptSelection,
  selectDraws,
  selectReceipt,
  selectReceipts,
  sumReceipts,
} from './rows.ts';
import { pendingReceipt, settledReceipt } from './shape.ts';
import { type GroupBy, Summary } from './summary.ts';

export interface ReceiptsDeps extends InferenceDeps {
  readonly clock: () => number;
  readonly pending: PendingReceipts;
}

const DAY_MS = 86_400_000;
const DEFAULT_WINDOW_DAYS = 30;
const LONGEST_WINDOW_DAYS = 31;
const LIST_NAMES = {
  filters: ['status', 'cost_status', 'model', 'api_key_id'],
  params: ['from', 'to', 'order_by', 'order_direction', 'limit', 'page_size', 'page', 'next', 'prev'],
};
const SUMMARY_NAMES = { filters: ['api_key_id'], params: ['from', 'to', 'group_by'] };

/** Mounts `GET /usage`, `/usage/summary` and `/usage/:requestId`. */
export function registerReceipts(scope: FastifyInstance, deps: ReceiptsDeps): void {
  const receipts = new Receipts(deps);
  const read =
    (answer: (request: FastifyRequest, caller: Caller) => Promise<Result<unknown>>) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const context = contextOf(request);
      const authentication = authenticate(deps.keys, request.headers, 'usage');
      if (!authentication.ok) return sendError(reply, context, authentication.error);
      context.caller = authentication.caller;
      const result = await answer(request, authentication.caller);
      return result.ok ? sendJson(reply, context, result.value) : sendError(reply, context, result.error);
    };
  scope.get(
    '/usage',
    read((request, caller) => receipts.list(searchOf(request), caller)),
  );
  scope.get(
    '/usage/summary',
    read((request, caller) => receipts.summary(searchOf(request), caller)),
  );
  scope.get(
    '/usage/:requestId',
    read((request, caller) => receipts.one(requestIdOf(request), caller)),
  );
  for (const url of ['/usage', '/usage/summary', '/usage/:requestId']) refuseOtherMethods(scope, url, 'GET');
}

function searchOf(request: FastifyRequest): URLSearchParams {
  const at = request.url.indexOf('?');
  return new URLSearchParams(at === -1 ? '' : request.url.slice(at + 1));
}

function requestIdOf(request: FastifyRequest): string {
  return (request.params as { requestId: string }).requestId;
}

function refuse(error: GridError): { ok: false; error: GridError } {
  return { ok: false, error };
}

/** A page of the list, as it was asked for. */
interface PageRequest {
  readonly selection: ReceiptSelection;
  readonly orderBy: 'inserted_at' | 'total_tokens';
  readonly direction: 'asc' | 'desc';
  readonly limit: number;
  readonly cursor: { readonly text: string; readonly isBackwards: boolean } | undefined;
}

class Receipts {
  private readonly deps: ReceiptsDeps;

  constructor(deps: ReceiptsDeps) {
    this.deps = deps;
  }

  async one(requestId: string, caller: Caller): Promise<Result<unknown>> {
    const { deps } = this;
    const account = caller.accountNumber;
    const running = deps.pending.find(requestId, account);
    if (running !== undefined) return { ok: true, value: pendingReceipt(running, { withBreakdown: 'yes' }) };
    const row = isId(requestId, 'req') ? await selectReceipt(deps.database, account, requestId) : undefined;
    if (row === undefined) return refuse(gridError('receipt_not_found'));
    const draws = await selectDraws(deps.database, requestId);
    return { ok: true, value: settledReceipt(row, deps, draws) };
  }

  async list(search: URLSearchParams, caller: Caller): Promise<Result<unknown>> {
    const page = this.readPage(search, caller);
    return page.ok ? await this.page(page.value) : page;
  }

  async summary(search: URLSearchParams, caller: Caller): Promise<Result<unknown>> {
    const query = parseListQuery(search, SUMMARY_NAMES);
    if (!query.ok) return query;
    const groupBy = wordParam(query.value.params, 'group_by', ['none', 'day', 'model', 'api_key']);
    if (!groupBy.ok) return groupBy;
    const window = this.readWindow(query.value.params);
    if (!window.ok) return window;
    const account = caller.accountNumber;
    const selection = { account, ...window.value, conditions: query.value.conditions };
    const group = groupBy.value === 'none' ? null : groupBy.value;
    return { ok: true, value: await this.sum(selection, group) };
  }

  private readPage(search: URLSearchParams, caller: Caller): Result<PageRequest> {
    const query = parseListQuery(search, LIST_NAMES);
    if (!query.ok) return query;
    const { params } = query.value;
    const from = timeParam(params, 'from');
    const to = timeParam(params, 'to');
    const orderBy = wordParam(params, 'order_by', ['inserted_at', 'total_tokens']);
    const direction = wordParam(params, 'order_direction', ['desc', 'asc']);
    const limit = limitParam(params);
    for (const result of [from, to, orderBy, direction, limit]) if (!result.ok) return result;
    if (!from.ok || !to.ok || !orderBy.ok || !direction.ok || !limit.ok) throw new Error('unreachable');
    const next = params.get('next');
    const prev = params.get('prev');
    if (next !== undefined && prev !== undefined) {
      const message = "'next' and 'prev' exclude each other.";
      return refuse(gridError('invalid_request', { param: 'next', message }));
    }
    const text = next ?? prev;
    const cursor = text === undefined ? undefined : { text, isBackwards: next === undefined };
    const conditions = query.value.conditions.map((condition) => this.resolveModel(condition));
    const selection = { account: caller.accountNumber, fromMs: from.value, toMs: to.value, conditions };
    return {
      ok: true,
      value: { selection, orderBy: orderBy.value, direction: direction.value, limit: limit.value, cursor },
    };
  }

  /** Receipts keep the symbol; a filter may name the instrument in any way a request may. */
  private resolveModel(condition: Condition): Condition {
    if (condition.field !== 'model') return condition;
    const values = condition.values.map((value) => this.deps.instruments.find(value)?.symbol ?? value);
    return { ...condition, values };
  }

  private async page(page: PageRequest): Promise<Result<unknown>> {
    const { selection, orderBy, direction, limit, cursor } = page;
    const nowMs = this.deps.clock();
    const fingerprint = JSON.stringify([selection, orderBy, direction]);
    const after = cursor === undefined ? undefined : decodeCursor(cursor.text, fingerprint, nowMs);
    if (cursor !== undefined && after === undefined) return refuse(gridError('invalid_cursor'));
    const isBackwards = cursor?.isBackwards === true;
    const opposite = direction === 'desc' ? 'asc' : 'desc';
    const rows = await selectReceipts(this.deps.database, selection, {
      orderBy,
      direction: isBackwards ? opposite : direction,
      after,
      limit,
    });
    const hasBeyond = rows.length > limit;
    const shown = rows.slice(0, limit);
    if (isBackwards) shown.reverse();
    const cursorAt = (row: ReceiptRow | undefined) =>
      row === undefined ? null : encodeCursor(placeOf(row, orderBy), fingerprint, nowMs);
    // A page reached backwards has the one it was reached from behind it.
    const hasNext = (isBackwards || hasBeyond) && shown.length > 0;
    const hasPrevious = isBackwards ? hasBeyond : cursor !== undefined;
    const paging = {
      next_cursor: hasNext ? cursorAt(shown.at(-1)) : null,
      prev_cursor: hasPrevious ? cursorAt(shown[0]) : null,
      has_more: hasNext,
    };
    return { ok: true, value: { data: shown.map((row) => settledReceipt(row, this.deps)), paging } };
  }

  private readWindow(params: ReadonlyMap<string, string>): Result<{ fromMs: number; toMs: number }> {
    const to = timeParam(params, 'to');
    if (!to.ok) return to;
    const from = timeParam(params, 'from');
    if (!from.ok) return from;
    const toMs = to.value ?? this.deps.clock();
    const fromMs = from.value ?? toMs - DEFAULT_WINDOW_DAYS * DAY_MS;
    if (toMs - fromMs > LONGEST_WINDOW_DAYS * DAY_MS) return refuse(gridError('window_too_large'));
    if (fromMs <= toMs) return { ok: true, value: { fromMs, toMs } };
    return refuse(gridError('invalid_request', { param: 'from', message: "'from' must not be after 'to'." }));
  }

  /** Day by day: no single read is long, and days are what most callers group by. */
  private async sum(
    selection: ReceiptSelection & { fromMs: number; toMs: number },
    groupBy: GroupBy | null,
  ): Promise<unknown> {
    const summary = new Summary(groupBy);
    const column = groupBy === 'model' || groupBy === 'api_key' ? groupBy : 'none';
    for (let dayMs = startOfDay(selection.fromMs); dayMs < selection.toMs; dayMs += DAY_MS) {
      const fromMs = Math.max(dayMs, selection.fromMs);
      const toMs = Math.min(dayMs + DAY_MS, selection.toMs);
      const rows = await sumReceipts(this.deps.database, { ...selection, fromMs, toMs }, column);
      for (const row of rows) if (row.request_count > 0) summary.add(dayName(dayMs), row);
    }
    this.addPending(summary, selection);
    return summary.print({ from: formatIso(selection.fromMs), to: formatIso(selection.toMs) });
  }

  private addPending(summary: Summary, { account, fromMs, toMs, conditions }: ReceiptSelection): void {
    for (const call of this.deps.pending.ofAccount(account)) {
      const { keyId } = call.caller;
      const isInWindow = call.createdAtMs >= (fromMs ?? 0) && call.createdAtMs < (toMs ?? Infinity);
      const isChosen = conditions.every(
        (condition) => condition.values.includes(keyId ?? '') !== condition.isNegated,
      );
      if (!isInWindow || !isChosen) continue;
      const day = dayName(startOfDay(call.createdAtMs));
      summary.addPending({ day, model: call.instrument.symbol, api_key: keyId });
    }
  }
}

function placeOf(row: ReceiptRow, orderBy: 'inserted_at' | 'total_tokens'): { key: number; id: string } {
  const total = (row.input_tokens ?? 0) + (row.output_tokens ?? 0);
  return { key: orderBy === 'inserted_at' ? row.created_at_ms : total, id: row.request_id };
}

function startOfDay(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS) * DAY_MS;
}

function dayName(dayMs: number): string {
  return formatIso(dayMs).slice(0, 10);
}
