import type { IncomingMessage } from 'node:http';
import { type ApiError, BODY_TOO_LARGE, ENCODED_BODY, INVALID_JSON } from './errors.ts';

/** A JSON object as it came in: nothing about it is known yet. */
export type JsonObject = { [key: string]: unknown };

/** True for JSON objects, false for arrays, null and everything else. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads the whole body as a JSON object, at most `limitBytes` of it. Rejects only when the connection breaks.
 */
export async function readJson(
  request: IncomingMessage,
  limitBytes: number,
): Promise<{ body: JsonObject } | { error: ApiError }> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') return { error: ENCODED_BODY };
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return { error: BODY_TOO_LARGE };
  const parts: Buffer[] = [];
  let size = 0;
  // Leaving a plain for-await would destroy the socket before the refusal is written to it.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    size += (part as Buffer).length;
    if (size > limitBytes) return { error: BODY_TOO_LARGE };
    parts.push(part as Buffer);
  }
  return parse(Buffer.concat(parts).toString('utf8'));
}

function parse(text: string): { body: JsonObject } | { error: ApiError } {
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? { body } : { error: INVALID_JSON };
  } catch {
    // The parser's own message quotes the body, so it goes no further.
    return { error: INVALID_JSON };
  }
}
