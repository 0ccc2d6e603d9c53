import { expect, it } from 'vitest';
import { keyProblem } from './api-key.ts';

it.each([
  [`sk-or-v1-${'0a'.repeat(32)}`, null],
  ['', 'first'],
  ['sk-live-1', 'starts with'],
  [`sk-or-v1-${'0a'.repeat(31)}`, 'not complete'],
  [`sk-or-v1-${'0A'.repeat(32)}`, 'not complete'],
])('judges %j', (text, expected) => {
  const problem = keyProblem(text);
  if (expected === null) expect(problem).toBeNull();
  else expect(problem).toContain(expected);
});
