import { type GridError, gridError, isId } from '@opengrid/wire';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PREFLIGHT_HEADERS } from '../http/cors.ts';
import { TokenBuckets } from '../http/rate-limit.ts';
import { newId } from '../ids.ts';
import type { Caller } from '../ports/identity.ts';
import { Replenisher } from './admission/replenisher.ts';
import { ChatService, type ChatServiceDeps } from './chat.ts';
import { Buyer } from './delivery/buyer.ts';
import type { InferenceDeps, InferenceRoom } from './deps.ts';
import { authenticate } from './http/authenticate.ts';
import { adoptRequestId, attachContext, contextOf, type GridContext } from './http/context.ts';
import { expectedError, sendError } from './http/errors.ts';
import { baseHeaders, rateHeaders } from './http/headers.ts';
import { refuseOtherMethods } from './http/methods.ts';
import { HangUpLimiter } from './limits/hang-ups.ts';
import { InFlightLimiter } from './limits/in-flight.ts';
import { WorkerCounter } from './metering/exact-counter.ts';
import { RecentlyServed } from './models/recently-served.ts';
import { registerModels } from './models/routes.ts';
import { PendingReceipts } from './receipts/pending.ts';
import { registerReceipts } from './receipts/routes.ts';
import { settleAbandoned } from './redirect/abandoned.ts';
import { ParkedCalls } from './redirect/parked-calls.ts';
import { RoutingTokens } from './redirect/routing-tokens.ts';
import { EndpointHealth } from './routing/endpoint-health.ts';
import { Router } from './routing/route.ts';
import { UpstreamPools } from './routing/upstream-pools.ts';

const CHAT_ROUTE = '/v1/chat/completions';
const DRAIN_POLL_MS = 10;
/** What requests that were cut at the end of a drain get for their settlement. */
const CUT_GRACE_MS = 5_000;

/** The room's own parts. */
interface Parts extends ChatServiceDeps {
  readonly counter: WorkerCounter;
  /** Receipts of abandoned requests that are being written. */
  readonly abandoned: Set<Promise<void>>;
}

/** Builds the room's own parts. */
function assemble(deps: InferenceDeps): Parts {
  const { sequencer, telemetry, settings } = deps;
  const clock = deps.clock ?? Date.now;
  const health = new EndpointHealth(settings.circuit);
  const pending = new PendingReceipts();
  const abandoned = new Set<Promise<void>>();
  return {
    ...deps,
    clock,
    health,
    pools: new UpstreamPools({ connectTimeoutMs: settings.connectBudgetMs }),
    replenisher: new Replenisher({ sequencer, telemetry, settings, clock }),
    router: new Router(sequencer.exchange, health),
    counter: new WorkerCounter({ timeoutMs: settings.exactCountMs }),
    pending,
    hangUps: new HangUpLimiter(settings.unbilledHangUpsPerMinute),
    recentlyServed: new RecentlyServed(deps.database),
    parked: new ParkedCalls({
      tokens: new RoutingTokens(clock),
      lifetimeMs: settings.routingTokenMs,
      clock,
      onAbandoned: (call, lastError) => {
        pending.remove(call.grant.requestId);
        const settling = settleAbandoned({ sequencer, clock }, call, lastError)
          .catch((error: unknown) => telemetry.fault('inference.redirect', error))
          .finally(() => abandoned.delete(settling));
        abandoned.add(settling);
      },
    }),
    abandoned,
  };
}

/** Mounts the Consumption API under `/v1`. */
export function registerInference(app: FastifyInstance, deps: InferenceDeps): InferenceRoom {
  const parts = assemble(deps);
  const entrance = new Entrance(parts);
  app.register(
    (scope, _options, done) => {
      prepareScope(scope, parts);
      registerChat(scope, entrance);
      registerModels(scope, parts);
      registerReceipts(scope, parts);
      done();
    },
    { prefix: '/v1' },
  );
  return entrance;
}

/** Context, body parsing, errors and the log line: what every route of this surface shares. */
function prepareScope(scope: FastifyInstance, { settings, telemetry, clock }: ChatServiceDeps): void {
  scope.addHook('onRequest', (request, reply, done) => {
    attachContext(request, newContext(request, clock()));
    // Nobody needs to send a body to be told that there is nothing here.
    if (request.is404) sendError(reply, contextOf(request), gridError('not_found'));
    else done();
  });
  scope.addHook('onResponse', (request, reply, done) => {
    const context = contextOf(request);
    telemetry.request({
      requestId: context.requestId,
      method: request.method,
      route: request.routeOptions.url ?? '/v1/*',
      httpStatus: reply.raw.statusCode,
      errorCode: context.errorCode,
      durationMs: performance.now() - context.startedAt,
      bytesIn: context.bytesIn,
      bytesOut: context.bytesOut,
      accountNumber: context.caller?.accountNumber ?? null,
      keyId: context.caller?.keyId ?? null,
    });
    done();
  });
  parseBodies(scope, settings.bodyLimitBytes);
  scope.setErrorHandler((error, request, reply) => {
    const expected = expectedError(error);
    if (expected === undefined) telemetry.fault('inference.http', error);
    return sendError(reply, contextOf(request), expected ?? gridError('internal_error'));
  });
  // Makes unknown paths under the prefix pass the hooks above.
  scope.setNotFoundHandler((request, reply) => sendError(reply, contextOf(request), gridError('not_found')));
  scope.options('/*', (request, reply) =>
    reply
      .code(204)
      .headers({ ...contextOf(request).headers, ...PREFLIGHT_HEADERS })
      .send(),
  );
}

function newContext(request: FastifyRequest, nowMs: number): GridContext {
  // The program gives every request such an id; behind another host application one is made here.
  const requestId = isId(request.id, 'req') ? request.id : newId('req', nowMs);
  return {
    requestId,
    receivedAtMs: nowMs,
    startedAt: performance.now(),
    headers: baseHeaders(requestId, request.headers),
    caller: null,
    errorCode: null,
    bytesIn: 0,
    bytesOut: 0,
  };
}

/** Bodies stay bytes until the wire reads them once, whatever they are called. */
function parseBodies(scope: FastifyInstance, bodyLimit: number): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser<Buffer>('*', { parseAs: 'buffer', bodyLimit }, (request, body, done) => {
    contextOf(request).bytesIn = body.length;
    done(null, body);
  });
}

/** A missing content type is taken for JSON: what the body is will be seen. */
function isJson(contentType: string | undefined): boolean {
  return contentType === undefined || /^application\/json\s*(?:;|$)/i.test(contentType);
}

function registerChat(scope: FastifyInstance, entrance: Entrance): void {
  scope.route({
    method: 'POST',
    url: '/chat/completions',
    // Before the body is read, so that nobody without a key can send us 32 MiB.
    onRequest: (request, reply, done) => {
      const error = entrance.check(request);
      if (error === undefined) return done();
      sendError(reply, contextOf(request), error);
    },
    handler: (request, reply) => entrance.serve(request, reply),
  });
  refuseOtherMethods(scope, '/chat/completions', 'POST');
}

/** Decides who comes in, counts who is in, and closes the door when the program stops. */
class Entrance implements InferenceRoom {
  private readonly parts: Parts;
  private readonly chat: ChatService;
  private readonly rates: TokenBuckets;
  private readonly slots: InFlightLimiter;
  private isDraining = false;
  inFlight = 0;

  constructor(parts: Parts) {
    this.parts = parts;
    this.chat = new ChatService(parts);
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

  serve(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const context = contextOf(request);
    const { caller } = context;
    if (caller === null) throw new Error('inference is served after the credential was checked');
    if (!this.slots.enter(caller.accountNumber)) {
      return sendError(reply, context, gridError('concurrency_limited'));
    }
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const token = routingTokenOf(request);
    const hop = { method: 'POST', path: CHAT_ROUTE, bodyBytes: body.length };
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
    const incoming = { context, caller, route: CHAT_ROUTE, headers, body, buyer, gatewayUrl };
    const served = parked === undefined ? this.chat.serve(incoming) : this.chat.serveParked(incoming, parked);
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
      this.chat.cutAll();
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
    if (standing.limit > 0) Object.assign(context.headers, rateHeaders(standing));
    if (!standing.isAllowed) {
      return gridError('rate_limited', { retryAfterSeconds: standing.retryAfterSeconds });
    }
    const retryAfterSeconds = this.parts.hangUps.retryAfterSeconds(caller.accountNumber, nowMs);
    if (retryAfterSeconds === undefined) return undefined;
    const message = 'Too many requests were left before anything could be billed.';
    return gridError('rate_limited', { message, retryAfterSeconds });
  }
}

/** The token of a second hop. */
function routingTokenOf({ query }: FastifyRequest): string | undefined {
  const { token } = query as { token?: unknown };
  return typeof token === 'string' ? token : undefined;
}

/** Where the request came to, as its client names it. */
function originOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}
