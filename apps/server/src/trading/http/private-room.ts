import { type GridError, GridFailure, gridError, type JsonObject, type Result } from '@opengrid/wire';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type IdempotencyKeys, idempotencyKeyOf } from '../../http/idempotency/idempotency-keys.ts';
import { parseLosslessBody } from '../../http/lossless-body.ts';
import type { RateDecision } from '../../http/rate-limit.ts';
import { setCommonHeaders } from '../../http/request-ids.ts';
import type { Caller, SigningKeyDirectory } from '../../ports/identity.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { OutcomeUnknown } from '../../sequencer/types.ts';
import type { Authenticator, Shown } from '../auth/authenticator.ts';
import type { Replay, SignatureReplays } from '../auth/replays.ts';
import { engineError } from '../engine.ts';
import { sendError, toGridError } from './errors.ts';
import { answerOnce } from './once.ts';
import { refuseOtherMethods } from './other-methods.ts';
import type { TradingRates } from './rates.ts';
import { fail, type RateClass, type TradingAnswer, type TradingCall, type TradingRoute } from './route.ts';

export interface PrivateRoomOptions {
  readonly authenticator: Authenticator;
  readonly signingKeys: SigningKeyDirectory;
  readonly replays: SignatureReplays;
  readonly idempotency: IdempotencyKeys;
  readonly rates: TradingRates;
  readonly telemetry: Telemetry;
  readonly clock: () => number;
}

const NO_BODY: JsonObject = {};
const JSON_UTF8 = 'application/json; charset=utf-8';
const JSON_TYPE = /^application\/json\s*(;|$)/i;

interface Timing {
  readonly startedAt: number;
  authMs: number;
}

/** Carries out routes that need a credential: who asks, how often, whether before, then what. */
export class PrivateRoom {
  private readonly options: PrivateRoomOptions;

  constructor(options: PrivateRoomOptions) {
    this.options = options;
  }

  /** Mounts the routes under every prefix, and answers the other methods of their paths. */
  mount(scope: FastifyInstance, prefixes: readonly string[], routes: readonly TradingRoute[]): void {
    // Signatures cover the exact bytes, so every body stays as it came until its signature was checked.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error, _request, reply) =>
      sendError(reply, toGridError(error, this.options.telemetry), this.options.clock()),
    );
    const methodsOf = new Map<string, string[]>();
    for (const { path, method } of routes) methodsOf.set(path, [...(methodsOf.get(path) ?? []), method]);
    for (const prefix of prefixes) {
      for (const route of routes) this.mountOne(scope, prefix, route);
      for (const [path, methods] of methodsOf) refuseOtherMethods(scope, `${prefix}${path}`, methods);
    }
  }

  private mountOne(scope: FastifyInstance, prefix: string, route: TradingRoute): void {
    scope.route({
      method: route.method,
      url: `${prefix}${route.path}`,
      config: { route: `/v1${route.path}`, ...(route.body === undefined ? {} : { body: route.body }) },
      handler: async (request, reply) => this.serve(route, request, reply),
    });
  }

  private async serve(route: TradingRoute, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const timing: Timing = { startedAt: performance.now(), authMs: 0 };
    setCommonHeaders(request, reply);
    void reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
    try {
      const answer = await this.answer(route, { request, reply, timing });
      setTiming(reply, timing);
      if (answer.error !== undefined) return sendError(reply, answer.error, this.options.clock());
      void reply.code(answer.status).headers(answer.headers ?? {});
      if (answer.text !== undefined) return reply.type(JSON_UTF8).send(answer.text);
      return answer.body === undefined ? reply.send() : reply.send(answer.body);
    } catch (error) {
      setTiming(reply, timing);
      return sendError(reply, this.errorOf(error), this.options.clock());
    }
  }

  private errorOf(error: unknown): GridError {
    return engineError(error) ?? toGridError(error, this.options.telemetry);
  }

  private async answer(
    route: TradingRoute,
    { request, reply, timing }: { request: FastifyRequest; reply: FastifyReply; timing: Timing },
  ): Promise<TradingAnswer> {
    const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const shown = this.options.authenticator.check(request, raw);
    timing.authMs = performance.now() - timing.startedAt;
    if (!shown.ok) throw new GridFailure(shown.error);
    const body = bodyOf(route, request, raw);
    this.meter(route, { shown: shown.shown, body: body.ok ? body.value : NO_BODY, reply });
    const replay = await this.replayOf(route, shown.shown);
    try {
      const call = this.callOf(route, request, { shown: shown.shown, body, reply });
      request.loggedCaller = { accountNumber: call.caller.accountNumber, keyId: call.caller.keyId };
      if (replay?.kind === 'copy') return await repeat(route, call, replay);
      const answer = await this.carryOut(route, call, { request, raw });
      if (replay?.kind === 'first') replay.end(answer.recorded ?? 'refused');
      return answer;
    } catch (error) {
      if (replay?.kind === 'first') replay.end(error instanceof OutcomeUnknown ? 'unknown' : 'refused');
      throw error;
    }
  }

  private carryOut(
    route: TradingRoute,
    call: TradingCall,
    { request, raw }: { request: FastifyRequest; raw: Buffer },
  ): Promise<TradingAnswer> {
    const key = idempotencyKeyOf(request.headers['idempotency-key']);
    if (key === undefined || route.method === 'GET') return route.handle(call);
    const errorOf = (error: unknown): GridError => this.errorOf(error);
    return answerOnce(route, call, { ...this.options, key, raw, errorOf });
  }

  private meter(
    route: TradingRoute,
    { shown, body, reply }: { shown: Shown; body: JsonObject; reply: FastifyReply },
  ): void {
    if (route.rate === 'own') return;
    this.count(reply, route.rate, `${accountOf(shown)}:${route.rateKey?.(body) ?? ''}`);
  }

  private count(reply: FastifyReply, rate: RateClass, key: string): void {
    const decision = this.options.rates.take(rate, key);
    if (decision.limit === 0) return;
    setRateHeaders(reply, decision);
    if (!decision.isAllowed) throw fail('rate_limited', { retryAfterSeconds: decision.retryAfterSeconds });
  }

  private async replayOf(route: TradingRoute, shown: Shown): Promise<Replay | undefined> {
    if (shown.kind !== 'signature' || route.method === 'GET') return undefined;
    const { key, hash } = shown.signature;
    const copies = route.copies ?? (route.method === 'POST' ? 'coalesce' : 'repeat');
    const replay = await this.options.replays.begin({ keyId: key.keyId, hash }, copies);
    if (!replay.ok) throw new GridFailure(replay.error);
    return replay.value;
  }

  private callOf(
    route: TradingRoute,
    request: FastifyRequest,
    { shown, body, reply }: { shown: Shown; body: Result<JsonObject>; reply: FastifyReply },
  ): TradingCall {
    const caller = this.admit(route, shown);
    if (!body.ok) throw new GridFailure(body.error);
    const target = request.raw.url ?? '';
    const mark = target.indexOf('?');
    const isSigned = shown.kind === 'signature';
    const isMutation = route.method !== 'GET';
    const signature = isSigned ? { keyId: shown.signature.key.keyId, hash: shown.signature.hash } : undefined;
    return {
      caller,
      credential: shown.kind,
      params: request.params as Record<string, string>,
      query: new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1)),
      headers: request.headers,
      body: body.value,
      ...(signature === undefined || !isMutation ? {} : { signature }),
      ...(isSigned ? { notAfterMs: shown.signature.notAfterMs } : {}),
      nowMs: this.options.clock(),
      count: (rate, key) => this.count(reply, rate, `${caller.accountNumber}:${key}`),
    };
  }

  /** Standing of the account, then the scope. */
  private admit(route: TradingRoute, shown: Shown): Caller {
    if (shown.kind === 'consumption_key') {
      const { caller } = shown;
      const { consumptionKeys } = route;
      if (consumptionKeys === 'any') return caller;
      if (consumptionKeys === 'allowed' && caller.scopes.has('trade:read')) return caller;
      const requiredScope = consumptionKeys === 'allowed' ? 'trade:read' : route.scope;
      throw fail('insufficient_scope', { requiredScope });
    }
    const admitted = this.options.signingKeys.admit(shown.signature.key);
    if (!admitted.ok) throw new GridFailure(admitted.error);
    if (admitted.caller.scopes.has(route.scope)) return admitted.caller;
    throw fail('insufficient_scope', { requiredScope: route.scope });
  }
}

function accountOf(shown: Shown): number {
  return shown.kind === 'signature' ? shown.signature.key.accountNumber : shown.caller.accountNumber;
}

async function repeat(
  route: TradingRoute,
  call: TradingCall,
  { recorded }: Extract<Replay, { kind: 'copy' }>,
): Promise<TradingAnswer> {
  if (route.replay === undefined) throw fail('signature_replayed');
  const answer = await route.replay(call, recorded);
  return { ...answer, headers: { ...answer.headers, 'x-grid-idempotent-replay': 'true' } };
}

/** The body of a route that takes one. Its fields are checked last, by the route. */
function bodyOf(route: TradingRoute, request: FastifyRequest, raw: Buffer): Result<JsonObject> {
  if (route.body === undefined) return { ok: true, value: NO_BODY };
  const type = request.headers['content-type'];
  if (type !== undefined && !JSON_TYPE.test(type))
    return { ok: false, error: gridError('unsupported_media_type') };
  return parseLosslessBody(raw);
}

function setRateHeaders(reply: FastifyReply, decision: RateDecision): void {
  void reply
    .header('x-ratelimit-limit', decision.limit)
    .header('x-ratelimit-remaining', decision.remaining)
    .header('x-ratelimit-reset', decision.resetSeconds);
}

function setTiming(reply: FastifyReply, { startedAt, authMs }: Timing): void {
  const totalMs = performance.now() - startedAt;
  const [auth, handler, total] = [authMs, totalMs - authMs, totalMs].map((ms) => ms.toFixed(1));
  void reply
    .header('server-timing', `auth;dur=${auth}, handler;dur=${handler}, total;dur=${total}`)
    .header('x-response-time', total)
    .header('x-auth-time', auth)
    .header('x-handler-time', handler);
}
