import { performance } from 'node:perf_hooks';
import { type DialectName, type GridError, gridError } from '@opengrid/wire';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TokenBuckets } from '../http/rate-limit.ts';
import type { Caller } from '../ports/identity.ts';
import { Buyer } from './delivery/buyer.ts';
import type { InferenceRoom } from './deps.ts';
import { authenticate } from './http/authenticate.ts';
import { adoptRequestId, contextOf, type GridContext } from './http/context.ts';
import { sendError } from './http/errors.ts';
import { rateHeaders } from './http/headers.ts';
import { InFlightLimiter } from './limits/in-flight.ts';
import type { WorkerCounter } from './metering/exact-counter.ts';
import { InferenceService, type ServiceDeps } from './service.ts';

const DRAIN_POLL_MS = 10;
/** What requests that were cut at the end of a drain get for their settlement. */
const CUT_GRACE_MS = 5_000;

/** Where a dialect is spoken. */
export interface Surface {
  readonly dialect: DialectName;
  /** Below the prefix of the room. */
  readonly path: string;
  /** Route template, as receipts name it. */
  readonly route: string;
}

export const SURFACES: readonly Surface[] = [
  { dialect: 'chat', path: '/chat/completions', route: '/v1/chat/completions' },
  { dialect: 'messages', path: '/messages', route: '/v1/messages' },
  { dialect: 'responses', path: '/responses', route: '/v1/responses' },
];

/** The room's own parts. */
export interface Parts extends ServiceDeps {
  readonly counter: WorkerCounter;
  /** Receipts of abandoned requests that are being written. */
  readonly abandoned: Set<Promise<void>>;
}

/** A missing content type is taken for JSON: what the body is will be seen. */
function isJson(contentType: string | undefined): boolean {
  return contentType === undefined || /^application\/json\s*(?:;|$)/i.test(contentType);
}

/** Decides who comes in, counts who is in, and closes the door when the program stops. */
export class Entrance implements InferenceRoom {
  private readonly parts: Parts;
  private readonly service: InferenceService;
  private readonly rates: TokenBuckets;
  private readonly slots: InFlightLimiter;
  private isDraining = false;
  inFlight = 0;

  constructor(parts: Parts) {
    this.parts = parts;
    this.service = new InferenceService(parts);
    const { requestsPerMinute } = parts.settings;
    const refillPerSecond = requestsPerMinute / 60;
    this.rates = new TokenBuckets({ capacity: requestsPerMinute, refillPerSecond, clock: parts.clock });
    this.slots = new InFlightLimiter(parts.settings.requestsInFlight);
  }

  /** Credential, rate and standing of a request, before its body is read. */
  check(request: FastifyRequest): GridError | undefined {
    const context = contextOf(request);
    const token = routingTokenOf(request);
    if (token !== undefined) return this.checkSecondHop(context, token);
    const authentication = authenticate(this.parts.keys, request.headers, 'inference');
    if (!authentication.ok) return authentication.error;
    const { caller } = authentication;
    context.caller = caller;
    if (!isJson(request.headers['content-type'])) return gridError('unsupported_media_type');
    if (this.isDraining) {
      context.headers.connection = 'close';
      return gridError('overloaded');
    }
    return this.limit(context, caller);
  }

  /** The token says who asks; whatever credential comes with it is not looked at. */
  private checkSecondHop(context: GridContext, token: string): GridError | undefined {
    const parked = this.parts.parked.peek(token);
    if (parked === undefined) return gridError('routing_token_invalid');
    adoptRequestId(context, parked.grant.requestId);
    context.caller = parked.caller;
    const { keyId } = parked.grant;
    const standing = keyId === null ? undefined : this.parts.keys.standing(keyId);
    if (standing?.ok === false) return standing.error;
    if (standing !== undefined) context.caller = standing.caller;
    return this.isDraining ? gridError('overloaded') : undefined;
  }

  serve(request: FastifyRequest, reply: FastifyReply, surface: Surface): FastifyReply {
    const context = contextOf(request);
    const { caller } = context;
    if (caller === null) throw new Error('inference is served after the credential was checked');
    if (!this.slots.enter(caller.accountNumber)) {
      return sendError(reply, context, gridError('concurrency_limited'));
    }
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const token = routingTokenOf(request);
    const { dialect, route } = surface;
    const hop = { method: 'POST', path: route, bodyBytes: body.length };
    const parked = token === undefined ? undefined : this.parts.parked.claim(token, hop);
    if (token !== undefined && parked === undefined) {
      this.slots.leave(caller.accountNumber);
      return sendError(reply, context, gridError('routing_token_invalid'));
    }
    reply.hijack();
    this.inFlight += 1;
    const buyer = new Buyer(reply.raw, { count: context, bufferedBytes: this.parts.settings.bufferedBytes });
    const gatewayUrl = this.parts.settings.gatewayBaseUrl ?? originOf(request);
    const { headers } = request;
    const incoming = { context, caller, dialect, route, headers, body, buyer, gatewayUrl };
    const served =
      parked === undefined ? this.service.serve(incoming) : this.service.serveParked(incoming, parked);
    void served.finally(() => {
      this.inFlight -= 1;
      this.slots.leave(caller.accountNumber);
    });
    return reply;
  }

  async drain(timeoutMs: number): Promise<void> {
    this.isDraining = true;
    this.parts.parked.abandonAll();
    await this.settleDown(timeoutMs);
    if (this.inFlight > 0) {
      this.service.cutAll();
      await this.settleDown(CUT_GRACE_MS);
    }
    this.parts.parked.abandonAll();
    await Promise.all(this.parts.abandoned);
    await this.parts.pools.close();
    await this.parts.counter.close();
  }

  private async settleDown(timeoutMs: number): Promise<void> {
    const until = performance.now() + timeoutMs;
    while (this.inFlight > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
    }
  }

  private limit(context: GridContext, caller: Caller): GridError | undefined {
    const nowMs = this.parts.clock();
    const standing = this.rates.take(caller.keyId ?? `account:${caller.accountNumber}`);
    if (standing.limit > 0)
      Object.assign(context.headers, rateHeaders(standing, { shape: context.shape, nowMs }));
    if (!standing.isAllowed) {
      return gridError('rate_limited', { retryAfterSeconds: standing.retryAfterSeconds });
    }
    const retryAfterSeconds = this.parts.hangUps.retryAfterSeconds(caller.accountNumber, nowMs);
    if (retryAfterSeconds === undefined) return undefined;
    const message = 'Too many requests were left before anything could be billed.';
    return gridError('rate_limited', { message, retryAfterSeconds });
  }
}

/** The token of a second hop. Other surfaces have none, and ignore every query. */
function routingTokenOf({ query, routeOptions }: FastifyRequest): string | undefined {
  if (routeOptions.url?.endsWith('/chat/completions') !== true) return undefined;
  const { token } = query as { token?: unknown };
  return typeof token === 'string' ? token : undefined;
}

/** Where the request came to, as its client names it. */
function originOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}
