import { formatIso, type GridError, messageOf } from '@opengrid/wire';

/** The response of a refused command, as JSON text: the same codes and words as over HTTP. */
export function errorResponse(error: GridError, nowMs: number): string {
  const { context = {}, fields, retryAfterSeconds, requiredScope } = error;
  const isExpired = error.code === 'timestamp_expired';
  return JSON.stringify({
    reason: error.code,
    message: messageOf(error),
    context: {
      ...context,
      ...(retryAfterSeconds === undefined ? {} : { retry_after_seconds: retryAfterSeconds }),
      ...(requiredScope === undefined ? {} : { required_scope: requiredScope }),
    },
    ...(fields === undefined ? {} : { fields }),
    ...(isExpired ? { server_time: formatIso(nowMs) } : {}),
  });
}

/** The response of a frame that the protocol itself refuses, as JSON text. */
export function refusalResponse(reason: string, message: string): string {
  return JSON.stringify({ reason, message });
}
