/** What an id can name; the part before the last underscore. */
export const ID_PREFIXES = [
  'user',
  'order',
  'trade',
  'lot',
  'req',
  'transfer',
  'trading_account',
  'currency_trading_account',
  'consumption_account',
  'issuance_account',
  'issuance',
  'position',
  'supplier',
  'endpoint',
  'probe',
  'key',
  'skey',
  'topup',
  'refund',
  'invoice',
  'payout',
  'export',
  'notification',
  'webhook',
  'session',
  'grant',
  'operation',
  'strike',
] as const;

/** One of the id prefixes. */
export type IdPrefix = (typeof ID_PREFIXES)[number];

/** How many random bytes an id takes. */
export const ID_RANDOM_BYTES = 10;

// Crockford's base 32 in lower case: no i, l, o, u, which are mistaken for other characters.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const ULID_LENGTH = 26;
const ULID = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const MAX_TIME_MS = 2 ** 48 - 1;

/** Prints the low `5 * length` bits. Plain division, since shifts in JavaScript end at 32 bits. */
function base32(value: number, length: number): string {
  let text = '';
  let rest = value;
  for (let count = 0; count < length; count += 1) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function fortyBits(bytes: Uint8Array, offset: number): number {
  let value = 0;
  for (let index = offset; index < offset + 5; index += 1) value = value * 256 + (bytes[index] ?? 0);
  return value;
}

/**
 * A ULID: 48 bits of time, 80 random bits, 26 lower-case characters that sort by time.
 *
 * @param randomBytes exactly 10 bytes from a secure source; ids are not meant to be guessed.
 * @throws RangeError when the time or the number of bytes is out of range.
 */
export function makeUlid(timeMs: number, randomBytes: Uint8Array): string {
  if (!Number.isInteger(timeMs) || timeMs < 0 || timeMs > MAX_TIME_MS)
    throw new RangeError('time out of range');
  if (randomBytes.length !== ID_RANDOM_BYTES) throw new RangeError('an id takes exactly 10 random bytes');
  return base32(timeMs, 10) + base32(fortyBits(randomBytes, 0), 8) + base32(fortyBits(randomBytes, 5), 8);
}

/** An id such as `req_01jz3v8m2k7f9q0x4w6t5s1r8p`. Throws like `makeUlid`. */
export function makeId(prefix: IdPrefix, timeMs: number, randomBytes: Uint8Array): string {
  return `${prefix}_${makeUlid(timeMs, randomBytes)}`;
}

/** Whether a text is a well-formed id of that kind. */
export function isId(text: string, prefix: IdPrefix): boolean {
  return text.startsWith(`${prefix}_`) && ULID.test(text.slice(prefix.length + 1));
}

/** The ULID at the end of an id: its last 26 characters. */
export function ulidOf(id: string): string {
  return id.slice(-ULID_LENGTH);
}

/** `chatcmpl-` and the ULID of the request id, so that an answer can be found among the receipts. */
export function chatCompletionId(requestId: string): string {
  return `chatcmpl-${ulidOf(requestId)}`;
}

/** What a caller meant by a market or an instrument: a uuid, or a symbol in lower case. */
export type Reference =
  | { readonly kind: 'uuid'; readonly uuid: string }
  | { readonly kind: 'symbol'; readonly symbol: string };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const SYMBOL = /^[a-z0-9]+(-[a-z0-9]+){0,3}$/;
const MAX_REFERENCE_LENGTH = 64;

function parseReference(text: string, kind: 'market' | 'instrument'): Reference | undefined {
  if (text.length > MAX_REFERENCE_LENGTH) return undefined;
  const lower = text.toLowerCase();
  const isPrefixed = lower.startsWith(`${kind}-`) || lower.startsWith(`${kind}_`);
  const rest = isPrefixed ? lower.slice(kind.length + 1) : lower;
  if (UUID.test(rest)) return { kind: 'uuid', uuid: rest };
  return SYMBOL.test(lower) ? { kind: 'symbol', symbol: lower } : undefined;
}

/** Reads `market-<uuid>`, `market_<uuid>`, a bare uuid or a symbol in any case; else `undefined`. */
export function parseMarketReference(text: string): Reference | undefined {
  return parseReference(text, 'market');
}

/** Reads `instrument-<uuid>`, `instrument_<uuid>`, a bare uuid or a symbol in any case; else `undefined`. */
export function parseInstrumentReference(text: string): Reference | undefined {
  return parseReference(text, 'instrument');
}
