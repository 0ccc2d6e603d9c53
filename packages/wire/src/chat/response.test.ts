import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openContent } from '../content.ts';
import { rewriteChatCompletion } from './response.ts';

const SECRET = 'canary-7f3a';
const ENVELOPE = {
  completionId: 'chatcmpl-01',
  createdSeconds: 1_767_225_600,
  servedModel: 'openai/gpt-oss-120b',
};
const BILLED = { inputUncached: 12, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 9, reasoning: 5 };

function upstream(message: object, fields: object = {}): string {
  const choice = { index: 0, message, logprobs: null, finish_reason: 'stop', stop_reason: null };
  const envelope = { id: 'x', object: 'y', created: 1, model: 'inner', provider: 'p', prompt_logprobs: null };
  return JSON.stringify({ ...envelope, choices: [choice], ...fields });
}

function good(text: string) {
  const answer = rewriteChatCompletion(text, ENVELOPE);
  if (!answer.ok) throw new Error(answer.error);
  return answer;
}

function printed(text: string) {
  return JSON.parse(openContent(good(text).print(BILLED)));
}

describe('rewriteChatCompletion', () => {
  it('prints the body of the contract with the usage that is billed', () => {
    const usage = { prompt_tokens: 99, completion_tokens: 98, total_tokens: 197 };
    const message = { role: 'assistant', content: 'Hello.', reasoning: 'Greet briefly.', annotations: [] };
    expect(printed(upstream(message, { usage }))).toEqual({
      id: 'chatcmpl-01',
      object: 'chat.completion',
      created: 1_767_225_600,
      model: 'openai/gpt-oss-120b',
      service_tier: 'default',
      system_fingerprint: null,
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hello.',
            reasoning_content: 'Greet briefly.',
            refusal: null,
          },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 12,
        completion_tokens: 9,
        total_tokens: 21,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 5 },
      },
    });
    const answer = good(upstream(message, { usage }));
    expect(answer).toMatchObject({ finishReason: 'stop', upstreamModel: 'inner', usage: { output: 98 } });
    expect(openContent(answer.outputText)).toBe('Greet briefly.Hello.');
  });

  it('tells an absent usage from one', () => {
    expect(good(upstream({ content: 'a' }))).not.toHaveProperty('usage');
    const usage = { prompt_tokens: 0, completion_tokens: 0 };
    expect(good(upstream({ content: 'a' }, { usage })).usage).toMatchObject({ output: 0 });
  });

  it('makes tool calls what clients expect, with null content', () => {
    const tool_calls = [{ id: 'c1', index: 0, function: { name: 'f', arguments: { a: 1 } } }, {}];
    const body = printed(upstream({ tool_calls }));
    expect(body.choices[0].message).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      tool_calls: [
        { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
        { id: 'call_chatcmpl-01_0_1', type: 'function', function: { name: '', arguments: '' } },
      ],
    });
    expect(openContent(good(upstream({ tool_calls })).outputText)).toBe('f{"a":1}');
    expect(printed(upstream({ content: 'a', tool_calls: [] })).choices[0].message).not.toHaveProperty(
      'tool_calls',
    );
  });

  it.each([
    'not json',
    '',
    '[]',
    '{}',
    '{"choices":[]}',
    '{"choices":[{}]}',
    upstream({ content: 5 }),
    JSON.stringify({ choices: [{ message: { content: 'a' }, finish_reason: null }] }),
    JSON.stringify({ choices: [{ message: { content: 'a' }, finish_reason: 'error' }] }),
    upstream({ content: 'a' }, { deep: JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`) }),
  ])('refuses %.50s', (text) => {
    expect(rewriteChatCompletion(text, ENVELOPE)).toEqual({ ok: false, error: 'malformed' });
  });

  it("tells a supplier's error and keeps none of its text", () => {
    const answer = rewriteChatCompletion(JSON.stringify({ error: { message: SECRET } }), ENVELOPE);
    expect(answer).toEqual({ ok: false, error: 'upstream_error' });
  });

  it('shows no content when printed by accident', () => {
    expect(JSON.stringify(good(upstream({ content: SECRET })))).not.toContain(SECRET);
  });

  it('never throws', () => {
    const choice = fc.dictionary(fc.constantFrom('message', 'finish_reason', 'logprobs'), fc.jsonValue());
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(choice).map((choices) => JSON.stringify({ choices })),
    );
    fc.assert(
      fc.property(text, (value) => {
        const answer = rewriteChatCompletion(value, ENVELOPE);
        if (answer.ok) JSON.parse(openContent(answer.print(BILLED)));
      }),
    );
  });
});
