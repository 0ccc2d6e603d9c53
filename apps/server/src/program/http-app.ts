import type { IncomingMessage } from 'node:http';
import {
  errorHeaders,
  formatIso,
  type GridError,
  GridFailure,
  gridError,
  httpStatusOf,
  openAiErrorBody,
  platformErrorBody,
} from '@opengrid/wire';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { answerPreflights } from '../http/cors.ts';
import { newRequestId, setCommonHeaders } from '../http/request-ids.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { answerClientError, UNMET_EXPECTATION } from './client-errors.ts';

const PLATFORM_BODY_LIMIT_BYTES = 64 * 1024;
const HEADER_LIMIT_BYTES = 32 * 1024;
const URL_LIMIT_CHARACTERS = 8 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 72_000;
const CLOSE_PATIENCE_MS = 3_000;

/** The one HTTP application. Rooms register their routes in encapsulated scopes of it. */
export function createHttpApp(telemetry: Telemetry): FastifyInstance {
  const app = Fastify({
    logger: false,
    genReqId: () => newRequestId(),
    requestIdHeader: false,
    bodyLimit: PLATFORM_BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    // What is too long for an id is not found by whoever looks for it; the request line has a limit of its own.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: HEADER_LIMIT_BYTES },
    // Node's own refusal of a missing Host header would be no JSON and without a request id.
    http: { maxHeaderSize: HEADER_LIMIT_BYTES, requireHostHeader: false },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      setCommonHeaders(request as FastifyRequest, reply as FastifyReply);
      void answer(error, request as FastifyRequest, reply as FastifyReply, telemetry);
    },
  });
  app.server.on('checkExpectation', (request: IncomingMessage) => {
    answerClientError(Object.assign(new Error(), { code: UNMET_EXPECTATION }), request.socket);
  });
  app.addHook('onRequest', (request, reply, done) => {
    setCommonHeaders(request, reply);
    const fault = requestLineFault(request);
    if (fault === undefined) done();
    else done(new GridFailure(fault));
  });
  answerPreflights(app);
  app.setErrorHandler((error: FastifyError, request, reply) => answer(error, request, reply, telemetry));
  app.setNotFoundHandler((request, reply) => {
    setCommonHeaders(request, reply);
    return answer(new GridFailure(gridError('not_found')), request, reply, telemetry);
  });
  app.addHook('onResponse', (request, reply, done) => {
    tellTelemetry(telemetry, request, reply);
    done();
  });
  return app;
}

/**
 * Stops listening, lets running requests end, and cuts off whoever still sends or reads after the patience: a closing
 * server of Node no longer times out slow requests, so that one silent connection could hold the end of the program.
 */
export async function closeHttpApp(app: FastifyInstance, patienceMs = CLOSE_PATIENCE_MS): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), patienceMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}

function requestLineFault({ raw }: FastifyRequest): GridError | undefined {
  if ((raw.url?.length ?? 0) > URL_LIMIT_CHARACTERS) return gridError('uri_too_long');
  if (raw.headers.host !== undefined || raw.httpVersion !== '1.1') return undefined;
  return gridError('invalid_request', { message: 'The Host header is missing.' });
}

function answer(
  error: FastifyError | GridFailure,
  request: FastifyRequest,
  reply: FastifyReply,
  telemetry: Telemetry,
): FastifyReply {
  const gridFault = toGridError(error, telemetry);
  void reply.header('cache-control', 'no-store').headers(errorHeaders(gridFault));
  const isConsumption = request.url.startsWith('/v1');
  const body = isConsumption
    ? openAiErrorBody(gridFault)
    : platformErrorBody(gridFault, formatIso(Date.now()));
  return reply.code(httpStatusOf(gridFault.code, isConsumption ? 'consumption' : 'platform')).send(body);
}

function toGridError(error: FastifyError | GridFailure, telemetry: Telemetry) {
  if (error instanceof GridFailure) return error.error;
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return gridError('payload_too_large');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return gridError('unsupported_media_type');
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return gridError('invalid_json');
    default:
      if (error.statusCode !== undefined && error.statusCode < 500) return gridError('invalid_request');
      telemetry.fault('http', error);
      return gridError('internal_error');
  }
}

interface RouteConfig {
  readonly route?: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by a surface once it knows who asks; numbers and ids only. */
    loggedCaller?: { accountNumber: number; keyId: string | null };
    /** Error code of the answer, for the request log. */
    loggedErrorCode?: string;
  }
  interface FastifyContextConfig {
    /** Route template as logged; the route's own URL when left out. */
    route?: string;
  }
}

function tellTelemetry(telemetry: Telemetry, request: FastifyRequest, reply: FastifyReply): void {
  const config = request.routeOptions.config as RouteConfig;
  // The Consumption API tells its own requests, with counts that only it knows.
  if (config.route === undefined && request.routeOptions.url?.startsWith('/v1') === true) return;
  const errorCode = request.loggedErrorCode ?? reply.getHeader('x-grid-error-code');
  telemetry.request({
    requestId: request.id,
    method: request.method,
    route: config.route ?? request.routeOptions.url ?? 'unknown',
    httpStatus: reply.raw.statusCode,
    errorCode: typeof errorCode === 'string' ? errorCode : null,
    durationMs: reply.elapsedTime,
    bytesIn: Number(request.headers['content-length'] ?? 0) || 0,
    // The socket's own count is that of all its requests.
    bytesOut: Number(reply.getHeader('content-length') ?? 0) || 0,
    accountNumber: request.loggedCaller?.accountNumber ?? null,
    keyId: request.loggedCaller?.keyId ?? null,
  });
}
