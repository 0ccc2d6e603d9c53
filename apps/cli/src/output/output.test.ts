import { describe, expect, it } from 'vitest';
import { styleOf } from './style.ts';
import { cell, shortTime } from './table.ts';

const ESCAPE = '\u001b';

describe('colour', () => {
  it('is for terminals', () => {
    expect(styleOf({ isTTY: true }, {}).bold('x')).toContain(ESCAPE);
    expect(styleOf({}, {}).bold('x')).toBe('x');
  });

  it('goes with NO_COLOR and on dumb terminals', () => {
    expect(styleOf({ isTTY: true }, { NO_COLOR: '1' }).bad('x')).toBe('x');
    expect(styleOf({ isTTY: true }, { TERM: 'dumb' }).good('x')).toBe('x');
    expect(styleOf({ isTTY: true }, { NO_COLOR: '' }).dim('x')).toContain(ESCAPE);
  });
});

describe('cells', () => {
  it.each([
    [null, '-'],
    ['', '-'],
    [[], '-'],
    [0, '0'],
    [false, 'no'],
    [['a', null], 'a, -'],
    [{ a: 1 }, '{"a":1}'],
    ['a\tb\u009bc', 'a b c'],
  ])('shows %j as %s', (value, text) => {
    expect(cell(value)).toBe(text);
  });

  it('shortens times and leaves the rest', () => {
    expect(shortTime('2026-01-01T12:30:00.123Z')).toBe('2026-01-01 12:30:00Z');
    expect(shortTime('yesterday')).toBe('yesterday');
    expect(shortTime(null)).toBe('-');
  });
});
