import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIso, parseRequestTime } from './time.ts';

const NEW_YEAR = Date.UTC(2026, 0, 1);

describe('request times', () => {
  it.each([
    '2026-01-01T00:00:00.000Z',
    '2026-01-01T00:00:00Z',
    '2026-01-01t00:00z',
    '2026-01-01T02:00:00+02:00',
    '2026-01-01T02:00:00+0200',
    '2026-01-01T02:00:00+02',
    '2025-12-31T18:30:00-05:30',
    '2026-01-01',
    '1767225600',
    '1767225600000',
    1_767_225_600,
    1_767_225_600_000,
  ])('%j is new year', (value) => {
    expect(parseRequestTime(value)).toBe(NEW_YEAR);
  });

  it('cuts fractions to milliseconds', () => {
    expect(parseRequestTime('2026-01-01T00:00:00.123999Z')).toBe(NEW_YEAR + 123);
    expect(parseRequestTime('2026-01-01T00:00:00.5Z')).toBe(NEW_YEAR + 500);
  });

  it.each([
    '',
    'now',
    '2026-02-30',
    '2026-13-01',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00:00',
    '2026-01-01T00:00:00+24:00',
    '-1',
    '1.5',
    '12345678901234',
    1.5,
    Number.NaN,
    null,
    {},
  ])('refuses %j', (value) => {
    expect(parseRequestTime(value)).toBeUndefined();
  });

  it('reads back what it printed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (timeMs) => {
        expect(parseRequestTime(formatIso(timeMs))).toBe(timeMs);
        expect(formatIso(timeMs)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      }),
    );
  });
});
