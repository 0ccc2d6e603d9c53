import type { IncomingHttpHeaders } from 'node:http';
import { gridError } from '@opengrid/wire';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Instrument } from '../../ports/catalogue.ts';
import type { Caller } from '../../ports/identity.ts';
import { buysAutomatically, purchaseTerms } from '../admission/purchase-terms.ts';
import type { InferenceDeps } from '../deps.ts';
import { hasCredential, identify } from '../http/authenticate.ts';
import { contextOf, type GridContext } from '../http/context.ts';
import { sendError } from '../http/errors.ts';
import { refuseOtherMethods } from '../http/methods.ts';
import { sendJson } from '../http/send.ts';
import type { RecentlyServed } from './recently-served.ts';
import { anthropicEntry, modelEntry } from './shape.ts';

export interface ModelsDeps extends InferenceDeps {
  readonly clock: () => number;
  readonly recentlyServed: RecentlyServed;
}

const FAMILIES = ['text', 'code', 'agent'];
const TIERS = ['standard', 'prime', 'max'];
const OPENAI_HEADERS = ['openai-organization', 'openai-project', 'openai-beta'];

function rank(order: readonly string[], name: string): number {
  const index = order.indexOf(name);
  return index === -1 ? order.length : index;
}

/** By family, then tier; families and tiers that the catalogue added come last, by name. */
function inListOrder(a: Instrument, b: Instrument): number {
  return (
    rank(FAMILIES, a.family) - rank(FAMILIES, b.family) ||
    a.family.localeCompare(b.family) ||
    rank(TIERS, a.tier) - rank(TIERS, b.tier) ||
    a.symbol.localeCompare(b.symbol)
  );
}

function wantsAnthropicShape(headers: IncomingHttpHeaders): boolean {
  const isAnthropic = headers['anthropic-version'] !== undefined;
  return isAnthropic && OPENAI_HEADERS.every((name) => headers[name] === undefined);
}

/** Mounts `GET /models` and `GET /models/:id`. */
export function registerModels(scope: FastifyInstance, deps: ModelsDeps): void {
  const models = new Models(deps);
  scope.get('/models', (request, reply) => models.list(request, reply));
  // Names of real models have slashes; they are not served, and are told so like any other unknown name.
  scope.get('/models/*', (request, reply) => models.get(request, reply));
  refuseOtherMethods(scope, '/models', 'GET');
  refuseOtherMethods(scope, '/models/*', 'GET');
}

class Models {
  private readonly deps: ModelsDeps;

  constructor(deps: ModelsDeps) {
    this.deps = deps;
  }

  async list(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const context = contextOf(request);
    const error = this.identify(request, context);
    if (error !== undefined) return sendError(reply, context, error);
    const { caller } = context;
    const all = this.deps.instruments.list().filter(({ status }) => status !== 'inactive');
    const sorted = [...all].sort(inListOrder);
    const isFiltered = (request.query as { funded?: unknown }).funded === 'true';
    const shown = isFiltered ? sorted.filter((instrument) => this.isFunded(instrument, caller)) : sorted;
    const isAnthropic = wantsAnthropicShape(request.headers);
    const list = isAnthropic ? anthropicList(shown) : await this.openAiList(shown, caller);
    return sendJson(reply, context, list);
  }

  async get(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const context = contextOf(request);
    const error = this.identify(request, context);
    if (error !== undefined) return sendError(reply, context, error);
    const name = (request.params as { '*': string })['*'];
    const instrument = this.deps.instruments.find(name);
    if (instrument === undefined || instrument.status === 'inactive') {
      const message = `No instrument named '${name.slice(0, 64)}'.`;
      return sendError(reply, context, gridError('model_not_found', { param: 'model', message }));
    }
    const isAnthropic = wantsAnthropicShape(request.headers);
    const entry = isAnthropic ? anthropicEntry(instrument) : await this.entry(instrument, context.caller);
    return sendJson(reply, context, entry);
  }

  /** A credential is not needed, but one that is sent is checked. */
  private identify(request: FastifyRequest, context: GridContext): ReturnType<typeof gridError> | undefined {
    if (!hasCredential(request.headers)) {
      context.headers['cache-control'] = 'max-age=5';
      return undefined;
    }
    const known = identify(this.deps.keys, request.headers);
    if (!known.ok) return known.error;
    context.caller = known.caller;
    return undefined;
  }

  private async openAiList(shown: readonly Instrument[], caller: Caller | null): Promise<unknown> {
    const data = await Promise.all(shown.map((instrument) => this.entry(instrument, caller)));
    return { object: 'list', data };
  }

  private async entry(instrument: Instrument, caller: Caller | null): Promise<Record<string, unknown>> {
    const { deps } = this;
    const { instrumentNo } = instrument;
    return modelEntry(instrument, {
      quote: deps.market.quote(instrumentNo),
      endpoints: deps.suppliers.endpointsFor(instrumentNo),
      recentlyServed: await deps.recentlyServed.models(instrumentNo, deps.clock()),
      isFunded: caller === null ? null : this.isFunded(instrument, caller),
    });
  }

  /** Tokens left, or an automatic purchase that would be made now: something is offered that the account can pay. */
  private isFunded({ instrumentNo }: Instrument, caller: Caller | null): boolean {
    if (caller === null) return false;
    const { exchange, earmarks } = this.deps.sequencer;
    const account = caller.accountNumber;
    if (earmarks.freeTokens(account, instrumentNo) > 0) return true;
    if (!buysAutomatically(caller)) return false;
    const need = { caller, instrumentNo, deficitTokens: 1, requestCeilingTicks: null };
    return purchaseTerms(exchange, need).ok;
  }
}

function anthropicList(shown: readonly Instrument[]): unknown {
  const data = shown.map(anthropicEntry);
  const ids = shown.map(({ symbol }) => symbol);
  return { data, has_more: false, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null };
}
