import { gridError, isId } from '@opengrid/wire';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PREFLIGHT_HEADERS } from '../http/cors.ts';
import { newId } from '../ids.ts';
import { Replenisher } from './admission/replenisher.ts';
import { registerCountTokens } from './count-tokens.ts';
import type { InferenceDeps, InferenceRoom } from './deps.ts';
import { Entrance, type Parts, SURFACES } from './entrance.ts';
import { attachContext, contextOf, type GridContext, hasContext } from './http/context.ts';
import { expectedError, sendError } from './http/errors.ts';
import { baseHeaders } from './http/headers.ts';
import { refuseOtherMethods } from './http/methods.ts';
import { HangUpLimiter } from './limits/hang-ups.ts';
import { KeyTokens } from './limits/key-tokens.ts';
import { WorkerCounter } from './metering/exact-counter.ts';
import { UsageDrift } from './metering/usage-drift.ts';
import { RecentlyServed } from './models/recently-served.ts';
import { registerModels } from './models/routes.ts';
import { PendingReceipts } from './receipts/pending.ts';
import { registerReceipts } from './receipts/routes.ts';
import { settleAbandoned } from './redirect/abandoned.ts';
import { ParkedCalls } from './redirect/parked-calls.ts';
import { RoutingTokens } from './redirect/routing-tokens.ts';
import { EndpointHealth } from './routing/endpoint-health.ts';
import { RetryBudget } from './routing/retry-budget.ts';
import { Router } from './routing/route.ts';
import { UpstreamPools } from './routing/upstream-pools.ts';
import type { ServiceDeps } from './service.ts';
import { registerStoredResponses } from './stored-responses.ts';

/** Routes of the Messages surface, whose errors have a shape of their own. */
const MESSAGES_PATH = /^\/v1\/messages(?:[/?]|$)/;

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
    retries: new RetryBudget(clock),
    pools: new UpstreamPools({ connectTimeoutMs: settings.connectBudgetMs }),
    replenisher: new Replenisher({ sequencer, telemetry, settings, clock }),
    router: new Router(sequencer.exchange, health),
    drift: new UsageDrift(settings.usageDrift, telemetry),
    counter: new WorkerCounter({ timeoutMs: settings.exactCountMs }),
    pending,
    keyTokens: new KeyTokens({ database: deps.database, clock }),
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
      registerSurfaces(scope, entrance);
      registerStoredResponses(scope, parts);
      registerCountTokens(scope, { ...parts, entrance });
      registerModels(scope, parts);
      registerReceipts(scope, parts);
      done();
    },
    { prefix: '/v1' },
  );
  return entrance;
}

/** Context, body parsing, errors and the log line: what every route of this surface shares. */
function prepareScope(scope: FastifyInstance, { settings, telemetry, clock }: ServiceDeps): void {
  scope.addHook('onRequest', (request, reply, done) => {
    attachContext(request, newContext(request, clock()));
    // Nobody needs to send a body to be told that there is nothing here.
    if (request.is404) sendError(reply, contextOf(request), gridError('not_found'));
    else done();
  });
  // The application's own hook comes first: what it refuses reaches only the end of this surface.
  const knownContext = (request: FastifyRequest): GridContext => {
    if (!hasContext(request)) attachContext(request, newContext(request, clock()));
    return contextOf(request);
  };
  scope.addHook('onResponse', (request, reply, done) => {
    const context = knownContext(request);
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
    return sendError(reply, knownContext(request), expected ?? gridError('internal_error'));
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
  const shape = MESSAGES_PATH.test(request.url) ? 'anthropic' : 'openai';
  return {
    requestId,
    shape,
    receivedAtMs: nowMs,
    startedAt: performance.now(),
    headers: {
      ...baseHeaders(requestId, request.headers),
      ...(shape === 'anthropic' ? { 'request-id': requestId } : {}),
    },
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

function registerSurfaces(scope: FastifyInstance, entrance: Entrance): void {
  for (const surface of SURFACES) {
    scope.route({
      method: 'POST',
      url: surface.path,
      // Before the body is read, so that nobody without a key can send us 32 MiB.
      onRequest: (request, reply, done) => {
        const error = entrance.check(request);
        if (error === undefined) return done();
        sendError(reply, contextOf(request), error);
      },
      handler: (request, reply) => entrance.serve(request, reply, surface),
    });
    refuseOtherMethods(scope, surface.path, 'POST');
  }
}
