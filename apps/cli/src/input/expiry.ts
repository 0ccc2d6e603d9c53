import { InvalidArgumentError } from 'commander';

const DAY_MS = 86_400_000;
const LONGEST_DAYS = 36_500;
/** A time without offset would mean another moment on every machine, so it is not taken. */
const MOMENT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/**
 * When a key ends: `90d` from now, a day (midnight UTC) or an ISO 8601 time with offset.
 *
 * @returns ISO 8601 in UTC.
 * @throws InvalidArgumentError when it is none of them or not in the future.
 */
export function parseExpiry(text: string, nowMs: number): string {
  const atMs = /^\d{1,5}d$/.test(text) ? afterDays(Number(text.slice(0, -1)), nowMs) : moment(text);
  if (Number.isNaN(atMs)) {
    throw new InvalidArgumentError(
      'must be days from now (90d), a date (2030-01-31) or an ISO time with offset.',
    );
  }
  if (atMs <= nowMs) throw new InvalidArgumentError('must be in the future.');
  return new Date(atMs).toISOString();
}

function afterDays(days: number, nowMs: number): number {
  return days > LONGEST_DAYS ? Number.NaN : nowMs + days * DAY_MS;
}

function moment(text: string): number {
  const day = text.slice(0, 10);
  // The engine reads 31 February as 3 March; the day must survive the way there and back.
  const dayMs = MOMENT.test(text) ? Date.parse(day) : Number.NaN;
  if (Number.isNaN(dayMs) || new Date(dayMs).toISOString().slice(0, 10) !== day) return Number.NaN;
  return Date.parse(text);
}
