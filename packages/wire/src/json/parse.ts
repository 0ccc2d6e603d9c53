import { type GridError, gridError } from '../errors/grid-error.ts';
import type { Result } from '../result.ts';
import { locateJsonError, placeOf } from './locate.ts';

/** A parsed JSON object. Only fixed names are read from it; it is never merged into another object. */
export interface JsonObject {
  readonly [name: string]: unknown;
}

/** How many arrays and objects may be open at once. */
export const MAX_JSON_DEPTH = 64;

// A body above this is scanned before it is parsed, since the nested arrays it could hold take many times
// its size. For smaller ones the scan, which stops at every escaped quote, costs more than the parsing.
const SCAN_FIRST_CHARACTERS = 1024 * 1024;

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

/** Offset of the bracket that opens one level too many, else -1. */
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

/** Whether a parsed value is nested deeper than a number of levels. Recurses that often at most. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeperThan(item, levels - 1));
  for (const name in value) if (isDeeperThan((value as JsonObject)[name], levels - 1)) return true;
  return false;
}

/** A parsed value, or what is wrong with the text. */
type Parsed = { readonly value: unknown } | 'malformed' | 'too_deep';

function parseBounded(text: string): Parsed {
  if (text.length > SCAN_FIRST_CHARACTERS && tooDeepAt(text) !== -1) return 'too_deep';
  try {
    const value: unknown = JSON.parse(text);
    return isDeeperThan(value, MAX_JSON_DEPTH) ? 'too_deep' : { value };
  } catch {
    return 'malformed';
  }
}

type Refusal = { readonly ok: false; readonly error: GridError };

function invalid(message: string): Refusal {
  return { ok: false, error: gridError('invalid_json', { message }) };
}

/** Says where a refused text breaks the bound on nesting, or else the grammar. */
function refusal(text: string): Refusal {
  const offset = tooDeepAt(text);
  const place = offset === -1 ? locateJsonError(text) : placeOf(text, offset);
  const where = place === undefined ? '' : ` (line ${place.line}, column ${place.column})`;
  if (offset === -1) return invalid(`The request body is not valid JSON${where}.`);
  return invalid(`The request body is nested deeper than ${MAX_JSON_DEPTH} levels${where}.`);
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
  const parsed = parseBounded(text);
  if (typeof parsed === 'string') return refusal(text);
  const { value } = parsed;
  return isJsonObject(value) ? { ok: true, value } : invalid('The request body must be a JSON object.');
}

/**
 * Parses what a supplier sent: a JSON object within the same bound on nesting, else `undefined`. Deeper
 * nesting would overflow the stack when it is printed again.
 */
export function parseSupplierJson(text: string): JsonObject | undefined {
  const parsed = parseBounded(text);
  return typeof parsed === 'object' && isJsonObject(parsed.value) ? parsed.value : undefined;
}
