import { fromScaled, toScaled } from '@opengrid/sdk';

/** Shown where there is no value. */
export const missing = '–';

const thinSpace = '\u202f';

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, thinSpace);

/** Groups the whole part of a decimal string, digits untouched: `"12500.2500"` is `"12 500.2500"`. */
export const formatDecimal = (decimal: string | null | undefined): string => {
  if (decimal === null || decimal === undefined) return missing;
  const [whole = '', fraction] = decimal.split('.');
  return fraction === undefined ? grouped(whole) : `${grouped(whole)}.${fraction}`;
};

/** A count with thin separators. */
export const formatCount = (count: number | null | undefined): string =>
  count === null || count === undefined ? missing : grouped(String(count));

/** Digits that matter and the zeros that only align them; the two together have `fractionDigits`. */
export type AlignedDecimal = { digits: string; padding: string };

/** Splits a decimal for a column whose points stand under each other. Nothing is rounded. */
export const alignDecimal = (decimal: string, fractionDigits: number): AlignedDecimal => {
  const digits = formatDecimal(decimal);
  const [, fraction] = digits.split('.');
  if (fraction === undefined) return { digits, padding: `.${'0'.repeat(fractionDigits)}` };
  return { digits, padding: '0'.repeat(Math.max(0, fractionDigits - fraction.length)) };
};

const steps: [limitSeconds: number, seconds: number, unit: string][] = [
  [60, 1, 's'],
  [3_600, 60, 'min'],
  [86_400, 3_600, 'h'],
];

/** Age of a moment: `now`, `12 s`, `3 min`, `5 h`, `2 d`. A clock that runs behind gives `now`. */
export const formatAge = (iso: string, nowMs: number): string => {
  const seconds = Math.floor((nowMs - Date.parse(iso)) / 1_000);
  if (Number.isNaN(seconds)) return missing;
  if (seconds < 1) return 'now';
  const step = steps.find(([limitSeconds]) => seconds < limitSeconds);
  const [, size, unit] = step ?? [0, 86_400, 'd'];
  return `${Math.floor(seconds / size)} ${unit}`;
};

/** The exact moment, for a hover: `2026-01-01 00:00:00.150 UTC`. */
export const formatUtc = (iso: string): string => iso.replace('T', ' ').replace('Z', ' UTC');

/** Milliseconds below 10 s, seconds above. */
export const formatDuration = (durationMs: number | null | undefined): string => {
  if (durationMs === null || durationMs === undefined) return missing;
  return durationMs < 10_000
    ? `${formatCount(Math.round(durationMs))} ms`
    : `${(durationMs / 1_000).toFixed(1)} s`;
};

/** Tokens per second with one digit. */
export const formatRate = (rate: number | null | undefined): string =>
  rate === null || rate === undefined ? missing : rate.toFixed(1);

/** Distance and middle of the two best prices, exact: a middle between two ticks has one digit more. */
export type Spread = { spread: string; mid: string; bps: string };

/** `null` unless both sides have a price. */
export const spreadOf = (bid: string | null | undefined, ask: string | null | undefined): Spread | null => {
  if (!bid || !ask) return null;
  const bidTicks = toScaled(bid, 4);
  const askTicks = toScaled(ask, 4);
  const midHalfTicks = bidTicks + askTicks;
  if (midHalfTicks === 0n) return null;
  const tenthBps = ((askTicks - bidTicks) * 200_000n) / midHalfTicks;
  return {
    spread: fromScaled(askTicks - bidTicks, 4),
    mid: midHalfTicks % 2n === 0n ? fromScaled(midHalfTicks / 2n, 4) : fromScaled(midHalfTicks * 5n, 5),
    bps: fromScaled(tenthBps, 1),
  };
};
