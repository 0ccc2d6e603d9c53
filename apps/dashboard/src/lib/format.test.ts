import { describe, expect, it } from 'vitest';
import {
  alignDecimal,
  formatAge,
  formatCount,
  formatDecimal,
  formatDuration,
  formatUtc,
  spreadOf,
} from './format.ts';

const plain = (text: string): string => text.replaceAll('\u202f', ' ');

describe('numbers', () => {
  it.each([
    ['2.5000', '2.5000'],
    ['12500.2500', '12 500.2500'],
    ['1234567', '1 234 567'],
    ['0.0000025', '0.0000025'],
    [null, '–'],
  ])('writes the decimal %s as %s', (decimal, text) => {
    expect(plain(formatDecimal(decimal))).toBe(text);
  });

  it('groups counts', () => {
    expect(plain(formatCount(120_000))).toBe('120 000');
    expect(plain(formatCount(999))).toBe('999');
    expect(formatCount(undefined)).toBe('–');
  });

  it.each([
    ['0.00262', '0.00262', '00000'],
    ['0.0000000001', '0.0000000001', ''],
    ['3', '3', '.0000000000'],
  ])('aligns %s without changing a digit', (decimal, digits, padding) => {
    expect(alignDecimal(decimal, 10)).toEqual({ digits, padding });
  });
});

describe('time', () => {
  const nowMs = Date.parse('2026-01-02T00:00:00.000Z');
  it.each([
    ['2026-01-02T00:00:05.000Z', 'now'],
    ['2026-01-01T23:59:59.100Z', 'now'],
    ['2026-01-01T23:59:48.000Z', '12 s'],
    ['2026-01-01T23:57:00.000Z', '3 min'],
    ['2026-01-01T19:00:00.000Z', '5 h'],
    ['2025-12-30T00:00:00.000Z', '3 d'],
    ['nonsense', '–'],
  ])('gives the age of %s as %s', (iso, text) => {
    expect(formatAge(iso, nowMs)).toBe(text);
  });

  it('gives the exact moment', () => {
    expect(formatUtc('2026-01-01T00:00:00.150Z')).toBe('2026-01-01 00:00:00.150 UTC');
  });

  it('gives durations', () => {
    expect(plain(formatDuration(2_515))).toBe('2 515 ms');
    expect(formatDuration(12_340)).toBe('12.3 s');
    expect(formatDuration(null)).toBe('–');
  });
});

describe('spreadOf', () => {
  it('is exact, half ticks included', () => {
    expect(spreadOf('2.5000', '2.5101')).toEqual({ spread: '0.0101', mid: '2.50505', bps: '40.3' });
  });

  it('writes a middle that is a tick like a price', () => {
    expect(spreadOf('2.5000', '2.5100')?.mid).toBe('2.5050');
  });

  it('is negative for a crossed book', () => {
    expect(spreadOf('2.5100', '2.5000')).toMatchObject({ spread: '-0.0100', bps: '-39.9' });
  });

  it.each([
    [null, '2.5000'],
    ['2.5000', undefined],
    ['0.0000', '0.0000'],
  ])('is nothing between %s and %s', (bid, ask) => {
    expect(spreadOf(bid, ask)).toBeNull();
  });
});
