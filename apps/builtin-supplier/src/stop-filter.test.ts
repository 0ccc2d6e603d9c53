import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StopFilter } from './stop-filter.ts';

/** What is shown of a text that arrives in these parts. */
function show(parts: string[], stops: string[]): string {
  const filter = new StopFilter(stops);
  return parts.map((part) => filter.push(part)).join('') + filter.flush();
}

describe('stop sequences', () => {
  it('are found across the borders of parts', () => {
    expect(show(['the wh', 'ite wh', 'ale sw', 'am'], ['whale'])).toBe('the white ');
    expect(show(['aaa', 'ab'], ['aab'])).toBe('aa');
  });

  it('hold back only what may still become one', () => {
    const filter = new StopFilter(['END']);
    expect(filter.push('text E')).toBe('text ');
    expect(filter.push('N')).toBe('');
    expect(filter.push('d, ')).toBe('ENd, ');
    expect(filter.push('EN')).toBe('');
    expect(filter.flush()).toBe('EN');
    expect(filter.matched).toBe(false);
  });

  it('cut where the first complete one begins, however the text was cut', () => {
    expect(show(['bac'], ['bac', 'a'])).toBe('b');
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 });
    const stop = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(letters), fc.array(stop, { maxLength: 4 }), (parts, stops) => {
        expect(show(parts, stops)).toBe(cutSlowly(parts.join(''), stops));
      }),
    );
  });
});

/**
 * Reads letter by letter and looks after each whether the text ends with a stop sequence, the longest one
 * first.
 */
function cutSlowly(text: string, stops: string[]): string {
  for (let end = 1; end <= text.length; end++) {
    const ended = stops.filter((stop) => text.slice(0, end).endsWith(stop));
    if (ended.length > 0) return text.slice(0, end - Math.max(...ended.map((stop) => stop.length)));
  }
  return text;
}
