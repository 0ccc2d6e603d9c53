import {
  errorHeaders,
  formatIso,
  type GridError,
  GridFailure,
  gridError,
  httpStatusOf,
  tradingErrorBody,
} from '@opengrid/wire';
import type { FastifyError, FastifyReply } from 'fastify';
import type { Telemetry } from '../../ports/telemetry.ts';

/** The error of a Trading route that threw. What nobody expected is told to telemetry and is `internal_error`. */
export function toGridError(error: unknown, telemetry: Telemetry): GridError {
  if (error instanceof GridFailure) return error.error;
  const { code, statusCode } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return gridError('payload_too_large');
  if (statusCode !== undefined && statusCode < 500) return gridError('invalid_request');
  telemetry.fault('trading', error);
  return gridError('internal_error');
}

export function sendError(reply: FastifyReply, error: GridError, nowMs: number): FastifyReply {
  void reply.header('cache-control', 'no-store').headers(errorHeaders(error));
  return reply.code(httpStatusOf(error.code, 'trading')).send(tradingErrorBody(error, formatIso(nowMs)));
}
