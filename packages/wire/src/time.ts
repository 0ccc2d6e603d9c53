const DATE = String.raw`(\d{4})-(\d{2})-(\d{2})`;
const TIME_OF_DAY = String.raw`(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?`;
const OFFSET = String.raw`(?:([Zz])|([+-])(\d{2}):?(\d{2})?)`;
const ISO = new RegExp(`^${DATE}(?:[Tt]${TIME_OF_DAY}${OFFSET})?$`);
const UNIX = /^\d{1,13}$/;
const MILLISECOND_DIGITS = 13;

/** `2026-01-01T00:00:00.000Z`. Throws RangeError for a time JavaScript cannot hold. */
export function formatIso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function parseUnix(text: string): number {
  return text.length === MILLISECOND_DIGITS ? Number(text) : Number(text) * 1000;
}

function offsetMinutesOf(match: RegExpExecArray): number {
  const minutes = Number(match[10] ?? 0) * 60 + Number(match[11] ?? 0);
  return match[9] === '-' ? -minutes : minutes;
}

// Date.UTC turns the 30th of February into March; fields that do not come back unchanged were not valid.
function isRealTime(match: RegExpExecArray, utc: Date): boolean {
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  return (
    utc.getUTCFullYear() === year &&
    utc.getUTCMonth() + 1 === month &&
    utc.getUTCDate() === day &&
    utc.getUTCHours() === hour &&
    utc.getUTCMinutes() === minute &&
    utc.getUTCSeconds() === second
  );
}

function parseIso(text: string): number | undefined {
  const match = ISO.exec(text);
  if (match === null || Number(match[10] ?? 0) > 23 || Number(match[11] ?? 0) > 59) return undefined;
  const part = (index: number) => Number(match[index] ?? 0);
  const milliseconds = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const utc = new Date(0);
  // Not Date.UTC, which reads the years 0 to 99 as 1900 to 1999.
  utc.setUTCFullYear(part(1), part(2) - 1, part(3));
  utc.setUTCHours(part(4), part(5), part(6), milliseconds);
  return isRealTime(match, utc) ? utc.getTime() - offsetMinutesOf(match) * 60_000 : undefined;
}

/**
 * Reads a time of a request: ISO 8601 with an offset, a date (midnight UTC), or Unix seconds, of which 13
 * digits are milliseconds. Milliseconds since 1970, or `undefined`; a time of day without an offset is
 * refused, since guessing the zone would be silently wrong.
 */
export function parseRequestTime(value: unknown): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  return UNIX.test(text) ? parseUnix(text) : parseIso(text);
}
