import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { usageFromResponses, usageToResponses } from '../responses/usage.ts';
import { inputTokensOf, totalTokensOf, usageToOpenAi } from '../usage.ts';
import { usageFromMessages, usageToMessages } from './usage.ts';

const count = fc.nat(1_000_000);
const usage = fc.record({
  inputUncached: count,
  cacheRead: count,
  cacheWrite5m: count,
  cacheWrite1h: fc.constant(0),
  output: count,
  reasoning: fc.constant(0),
});

describe('usage of the Messages dialect', () => {
  it('leaves cached input out of the input, unlike the other dialects, and loses no token', () => {
    fc.assert(
      fc.property(usage, (tokens) => {
        const printed = usageToMessages(tokens);
        const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens } = printed;
        const input = input_tokens + cache_creation_input_tokens + cache_read_input_tokens;
        expect(input).toBe(inputTokensOf(tokens));
        expect(input).toBe(usageToOpenAi(tokens).prompt_tokens);
        expect(input).toBe(usageToResponses(tokens).input_tokens);
        expect(input + output_tokens).toBe(totalTokensOf(tokens));
        expect(usageFromMessages(printed)).toEqual(tokens);
      }),
    );
  });

  it('tells cache writes of an hour and reasoning apart where they are told', () => {
    const report = {
      input_tokens: 1,
      cache_creation_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 10 },
      cache_read_input_tokens: null,
      output_tokens: 9,
      output_tokens_details: { thinking_tokens: 4 },
    };
    expect(usageFromMessages(report)).toEqual({
      inputUncached: 1,
      cacheRead: 0,
      cacheWrite5m: 20,
      cacheWrite1h: 10,
      output: 9,
      reasoning: 4,
    });
  });

  it('takes zeros for a report and absence for none', () => {
    expect(usageFromMessages({ input_tokens: 0, output_tokens: 0 })).toMatchObject({ output: 0 });
    for (const report of [undefined, null, {}, { output_tokens: 1 }, { input_tokens: 1 }]) {
      expect(usageFromMessages(report)).toBeUndefined();
    }
  });

  it.each([
    { input_tokens: -1, output_tokens: 1 },
    { input_tokens: 1.5, output_tokens: 1 },
    { input_tokens: '1', output_tokens: 1 },
    { input_tokens: Number.MAX_SAFE_INTEGER, output_tokens: 1 },
    { input_tokens: 1, output_tokens: 1, cache_read_input_tokens: -1 },
    { input_tokens: 1, output_tokens: 1, output_tokens_details: { thinking_tokens: 2 } },
    { input_tokens: 1, output_tokens: 1, cache_creation: { ephemeral_1h_input_tokens: 2 } },
  ])('finds no sense in %j', (report) => {
    expect(usageFromMessages(report)).toBeUndefined();
  });
});

describe('usage of the Responses dialect', () => {
  it('is read as it is printed', () => {
    const tokens = {
      inputUncached: 8,
      cacheRead: 4,
      cacheWrite5m: 0,
      cacheWrite1h: 0,
      output: 9,
      reasoning: 5,
    };
    expect(usageFromResponses(usageToResponses(tokens))).toEqual(tokens);
    expect(usageFromResponses({ ...usageToResponses(tokens), output_tokens: -1 })).toBeUndefined();
    expect(usageFromResponses(null)).toBeUndefined();
  });
});
