import { createHash } from 'node:crypto';

/**
 * Page cursors: opaque, URL-safe, bound to the filters they were made with and valid for a day. They say where a page
 * ended by the sort key of its last row, so inserts in between neither skip nor repeat rows.
 */

const VALID_MS = 86_400_000;
const MAX_LENGTH = 512;

export interface CursorPosition {
  /** Sort key of the row next to the page: numbers and ids. */
  readonly key: readonly (number | string)[];
  readonly direction: 'next' | 'prev';
}

function digestOf(filters: unknown): string {
  return createHash('sha256').update(JSON.stringify(filters)).digest('base64url').slice(0, 16);
}

export function encodeCursor(position: CursorPosition, filters: unknown, nowMs = Date.now()): string {
  const content = JSON.stringify([position.direction, position.key, digestOf(filters), nowMs]);
  return Buffer.from(content, 'utf8').toString('base64url');
}

/** The position of a cursor, or undefined when it is malformed, expired, or made with other filters. */
export function decodeCursor(text: string, filters: unknown, nowMs = Date.now()): CursorPosition | undefined {
  if (text.length > MAX_LENGTH || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  const parsed = parseArray(Buffer.from(text, 'base64url').toString('utf8'));
  if (parsed === undefined || parsed.length !== 4) return undefined;
  const [direction, key, digest, madeAtMs] = parsed;
  const isKey =
    Array.isArray(key) && key.every((part) => typeof part === 'string' || Number.isSafeInteger(part));
  const isDirection = direction === 'next' || direction === 'prev';
  const isFresh = typeof madeAtMs === 'number' && madeAtMs <= nowMs + 60_000 && nowMs - madeAtMs < VALID_MS;
  if (!isKey || !isDirection || !isFresh || digest !== digestOf(filters)) return undefined;
  return { key: key as (number | string)[], direction };
}

function parseArray(text: string): unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
