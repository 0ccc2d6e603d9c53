import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputTokensOf, type TokenUsage, totalTokensOf, usageFromOpenAi, usageToOpenAi } from './usage.ts';

const count = fc.nat({ max: 2 ** 48 });
const usage = fc
  .record({ inputUncached: count, cacheRead: count, cacheWrite5m: count, cacheWrite1h: count, output: count })
  .chain((rest) => fc.nat({ max: rest.output }).map((reasoning): TokenUsage => ({ ...rest, reasoning })));

describe('usage', () => {
  it('separates cached input from the rest', () => {
    const report = {
      prompt_tokens: 100,
      completion_tokens: 20,
      total_tokens: 120,
      prompt_tokens_details: { cached_tokens: 60, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 5 },
    };
    expect(usageFromOpenAi(report)).toEqual({
      inputUncached: 40,
      cacheRead: 60,
      cacheWrite5m: 0,
      cacheWrite1h: 0,
      output: 20,
      reasoning: 5,
    });
  });

  it('takes zero for a report and absence for none', () => {
    const zero = usageFromOpenAi({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 });
    expect(zero && totalTokensOf(zero)).toBe(0);
    for (const none of [undefined, null, {}, [], 'x', { prompt_tokens: 5 }, { completion_tokens: 5 }]) {
      expect(usageFromOpenAi(none)).toBeUndefined();
    }
  });

  it('tolerates absent and null details', () => {
    const details = { prompt_tokens_details: null, completion_tokens_details: {} };
    expect(usageFromOpenAi({ prompt_tokens: 3, completion_tokens: 2, ...details })).toMatchObject({
      inputUncached: 3,
      output: 2,
      reasoning: 0,
    });
  });

  it.each([
    { prompt_tokens: -1 },
    { completion_tokens: 1.5 },
    { prompt_tokens: 2 ** 53 },
    { prompt_tokens: Number.MAX_SAFE_INTEGER, completion_tokens: 1 },
    { completion_tokens: '7' },
    { prompt_tokens_details: { cached_tokens: 11 } },
    { prompt_tokens_details: { cached_tokens: -1 } },
    { completion_tokens_details: { reasoning_tokens: 11 } },
    { completion_tokens_details: { reasoning_tokens: 'many' } },
  ])('takes %j for no report', (nonsense) => {
    expect(usageFromOpenAi({ prompt_tokens: 10, completion_tokens: 10, ...nonsense })).toBeUndefined();
  });

  it('adds up in the OpenAI shape', () => {
    fc.assert(
      fc.property(usage, (classes) => {
        const report = usageToOpenAi(classes);
        expect(report.prompt_tokens + report.completion_tokens).toBe(report.total_tokens);
        expect(report.total_tokens).toBe(totalTokensOf(classes));
        const back = usageFromOpenAi(report);
        expect(back && inputTokensOf(back)).toBe(inputTokensOf(classes));
        expect(back).toMatchObject({
          cacheRead: classes.cacheRead,
          output: classes.output,
          reasoning: classes.reasoning,
        });
      }),
    );
  });

  it('refuses to print a usage that breaks its sums', () => {
    const good = {
      inputUncached: 1,
      cacheRead: 0,
      cacheWrite5m: 0,
      cacheWrite1h: 0,
      output: 1,
      reasoning: 0,
    };
    for (const broken of [{ reasoning: 2 }, { output: -1 }, { cacheRead: 0.5 }]) {
      expect(() => usageToOpenAi({ ...good, ...broken })).toThrow(RangeError);
    }
  });
});
