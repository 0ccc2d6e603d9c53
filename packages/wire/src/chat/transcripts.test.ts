import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseParser } from '../sse/parser.ts';
import { ChatStreamRewriter, doneEvent } from './stream.ts';

// Streams in the manner of real servers, with the decoration each adds, and what a client gets of them.
const ENVELOPE = { completionId: 'chatcmpl-01', createdSeconds: 7, servedModel: 'lab/model' };
const HEAD =
  '"id":"chatcmpl-01","object":"chat.completion.chunk","created":7,"model":"lab/model","service_tier":"default","system_fingerprint":null';

const OPENAI = `data: {"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-x","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"Zq"}

data: {"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-x","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"9"}

data: {"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-x","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null,"obfuscation":"AB"}

data: {"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-x","service_tier":"default","system_fingerprint":"fp_1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},"obfuscation":""}

data: [DONE]

`;

const ROUTER = `: ROUTER PROCESSING\r
\r
data: {"id":"gen-1","provider":"P","model":"x/y","object":"chat.completion.chunk","created":5,"choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"Let me","reasoning_details":[{"type":"reasoning.text","text":"Let me"}]},"finish_reason":null,"native_finish_reason":null,"logprobs":null}]}\r
\r
data: {"id":"gen-1","provider":"P","model":"x/y","object":"chat.completion.chunk","created":5,"choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":"stop","native_finish_reason":"end_turn","logprobs":null}]}\r
\r
data: {"id":"gen-1","provider":"P","model":"x/y","object":"chat.completion.chunk","created":5,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop","native_finish_reason":"end_turn"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"cost":0.1,"cost_details":{}}}\r
\r
data: [DONE]\r
\r
`;

const LOCAL = `data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":5,"model":"q","system_fingerprint":"fp_local","choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"id":"call_7","index":0,"type":"function","function":{"name":"f","arguments":"{\\"a\\":1}"}}]},"finish_reason":null}]}

data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":5,"model":"q","system_fingerprint":"fp_local","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13},"timings":{"predicted_ms":4}}

data: [DONE]
`;

function choice(rest: string): string {
  return `data: {${HEAD},"choices":[{"index":0,${rest}}]}\n\n`;
}

const EXPECTED: readonly [string, string, string, number][] = [
  [
    'a first party',
    OPENAI,
    choice('"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null') +
      choice('"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null') +
      choice('"delta":{},"logprobs":null,"finish_reason":"stop"'),
    10,
  ],
  [
    'a router',
    ROUTER,
    choice(
      '"delta":{"role":"assistant","content":"","reasoning_content":"Let me"},"logprobs":null,"finish_reason":null',
    ) + choice('"delta":{"content":"Hi"},"logprobs":null,"finish_reason":"stop"'),
    12,
  ],
  [
    'a local server, whose last event lacks its blank line',
    LOCAL,
    choice(
      '"delta":{"role":"assistant","content":"","tool_calls":[{"index":0,"id":"call_7","type":"function","function":{"name":"f","arguments":"{\\"a\\":1}"}}]},"finish_reason":null',
    ) + choice('"delta":{"content":""},"finish_reason":"tool_calls"'),
    13,
  ],
];

function relay(pieces: readonly Uint8Array[]): { text: string; totalTokens: number } {
  const parser = new SseParser();
  const rewriter = new ChatStreamRewriter(ENVELOPE);
  let text = '';
  let totalTokens = 0;
  for (const batch of [...pieces.map((piece) => parser.push(piece)), parser.end()]) {
    for (const { data } of batch.events) {
      const step = rewriter.push(data);
      text += step.output + (step.isDone ? doneEvent() : '');
      if (step.usage !== undefined) totalTokens = step.usage.inputUncached + step.usage.output;
    }
  }
  return { text, totalTokens };
}

describe('transcripts', () => {
  it.each(EXPECTED)('of %s are relayed to the byte', (_name, transcript, expected, totalTokens) => {
    const relayed = relay([new TextEncoder().encode(transcript)]);
    expect(relayed).toEqual({ text: `${expected}data: [DONE]\n\n`, totalTokens });
  });

  it.each(EXPECTED)('of %s are relayed alike however the bytes are cut', (_name, transcript) => {
    const bytes = new TextEncoder().encode(transcript);
    const whole = relay([bytes]);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 30 }), (places) => {
        const sorted = [...places].sort((left, right) => left - right);
        const pieces = [0, ...sorted].map((start, at) => bytes.subarray(start, sorted[at] ?? bytes.length));
        expect(relay(pieces)).toEqual(whole);
      }),
    );
  });
});
