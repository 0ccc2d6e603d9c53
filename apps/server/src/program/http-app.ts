import {
  errorHeaders,
  formatIso,
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
import { newRequestId, setCommonHeaders } from '../http/request-ids.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { answerClientError } from './client-errors.ts';

const PLATFORM_BODY_LIMIT_BYTES = 64 * 1024;
const HEADER_LIMIT_BYTES = 32 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 72_000;

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
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    http: { maxHeaderSize: HEADER_LIMIT_BYTES },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      void answer(error, request as FastifyRequest, reply as FastifyReply, telemetry);
    },
  });
  app.addHook('onRequest', (request, reply, done) => {
    setCommonHeaders(request, reply);
    done();
  });
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
  const { socket } = request.raw;
  const errorCode = request.loggedErrorCode ?? reply.getHeader('x-grid-error-code');
  telemetry.request({
    requestId: request.id,
    method: request.method,
    route: config.route ?? request.routeOptions.url ?? 'unknown',
    httpStatus: reply.raw.statusCode,
    errorCode: typeof errorCode === 'string' ? errorCode : null,
    durationMs: reply.elapsedTime,
    bytesIn: Number(request.headers['content-length'] ?? 0) || 0,
    bytesOut: socket?.bytesWritten ?? 0,
    accountNumber: request.loggedCaller?.accountNumber ?? null,
    keyId: request.loggedCaller?.keyId ?? null,
  });
}
