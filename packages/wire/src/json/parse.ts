import { type GridError, gridError } from '../errors/grid-error.ts';
import type { Result } from '../result.ts';
import { locateJsonError, placeOf } from './locate.ts';

/** A parsed JSON object. Only fixed names are read from it; it is never merged into another object. */
export interface JsonObject {
  readonly [name: string]: unknown;
}

/** How many arrays and objects may be open at once. */
export const MAX_JSON_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Whether a value is a JSON object: no array, no null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEscaped(text: string, index: number): boolean {
  let start = index;
  while (text.charCodeAt(start - 1) === BACKSLASH) start -= 1;
  return (index - start) % 2 === 1;
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

/** Offset of the bracket that opens one level too many, else -1. Runs before parsing, which would build it. */
function tooDeepAt(text: string): number {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) index = endOfString(text, index);
    else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) depth -= 1;
    else if (code === OPEN_BRACKET || code === OPEN_BRACE) depth += 1;
    if (depth > MAX_JSON_DEPTH) return index;
  }
  return -1;
}

function invalid(message: string): { ok: false; error: GridError } {
  return { ok: false, error: gridError('invalid_json', { message }) };
}

function malformed(text: string): { ok: false; error: GridError } {
  const place = locateJsonError(text);
  const where = place === undefined ? '' : ` (line ${place.line}, column ${place.column})`;
  return invalid(`The request body is not valid JSON${where}.`);
}

function tooDeep(text: string, offset: number): { ok: false; error: GridError } {
  const { line, column } = placeOf(text, offset);
  const limit = `The request body is nested deeper than ${MAX_JSON_DEPTH} levels`;
  return invalid(`${limit} (line ${line}, column ${column}).`);
}

function decode(source: Uint8Array | string): string | undefined {
  if (typeof source === 'string') return source;
  try {
    return decoder.decode(source);
  } catch {
    return undefined;
  }
}

/**
 * Parses a request body that must be a JSON object. The error `invalid_json` says line and column and
 * quotes nothing. Of duplicate keys the last one counts.
 */
export function parseJsonObject(source: Uint8Array | string): Result<JsonObject> {
  const text = decode(source);
  if (text === undefined) return invalid('The request body is not valid UTF-8.');
  const deep = tooDeepAt(text);
  if (deep !== -1) return tooDeep(text, deep);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed(text);
  }
  return isJsonObject(value) ? { ok: true, value } : invalid('The request body must be a JSON object.');
}

/**
 * Parses what a supplier sent: a JSON object within the same bound on nesting, else `undefined`. Deeper
 * nesting would overflow the stack when it is printed again.
 */
export function parseSupplierJson(text: string): JsonObject | undefined {
  if (tooDeepAt(text) !== -1) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
