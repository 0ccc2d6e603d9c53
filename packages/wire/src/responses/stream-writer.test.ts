import { describe, expect, it } from 'vitest';
import { openAnswerStream } from '../conversation/dialects.ts';
import { lintStream } from '../conversation/stream-lint.ts';
import { COUNTED, envelopeOf, upstreamTranscript } from '../conversation/testing.ts';
import { gridError } from '../errors/grid-error.ts';
import { SseParser } from '../sse/parser.ts';

type Printed = Record<string, unknown> & { readonly type: string };

function eventsOf(text: string): readonly Printed[] {
  const { events } = new SseParser().push(new TextEncoder().encode(text));
  return events.filter(({ data }) => data !== '[DONE]').map(({ data }) => JSON.parse(data) as Printed);
}

/** The items of the response that ended a stream. */
function outputOf(events: readonly Printed[]): readonly object[] {
  const last = (events.at(-1) ?? {}) as { response?: { output?: readonly object[] } };
  return last.response?.output ?? [];
}

function relay(datas: readonly object[], members: object = {}): readonly Printed[] {
  const stream = openAnswerStream('openai-responses', envelopeOf('responses', members));
  const text = datas.map((data) => stream.push(JSON.stringify(data)).output).join('');
  const whole = text + stream.finish(COUNTED, 'complete');
  expect(lintStream('responses', whole).faults).toEqual([]);
  return eventsOf(whole);
}

describe('a stream of the Responses dialect', () => {
  it('gives reasoning as a summary where the client asked for one', () => {
    const envelope = envelopeOf('responses', { reasoning: { summary: 'auto' } });
    const stream = openAnswerStream('openai', envelope);
    const chunks = eventsOf(upstreamTranscript('openai-reasoning'));
    const text = chunks.map((chunk) => stream.push(JSON.stringify(chunk)).output).join('');
    const events = eventsOf(text + stream.finish(COUNTED, 'complete'));
    const deltas = events.filter(({ type }) => type === 'response.reasoning_summary_text.delta');
    expect(deltas.map(({ delta }) => delta)).toEqual(['The user ', 'greets.']);
    const output = outputOf(events);
    expect(output[0]).toMatchObject({ summary: [{ type: 'summary_text', text: 'The user greets.' }] });
    expect(output[0]).not.toHaveProperty('content');
  });

  it('calls a tool that takes free text with the text itself', () => {
    const item = { id: 'ctc_up', type: 'custom_tool_call', call_id: 'call_a', name: 'patch', input: '' };
    const place = { item_id: 'ctc_up', output_index: 0 };
    const whole = { ...item, input: '*** Begin\n+a' };
    const events = relay([
      { type: 'response.created', response: { model: 'inner-model' } },
      { type: 'response.output_item.added', output_index: 0, item },
      { type: 'response.custom_tool_call_input.delta', ...place, delta: '*** Begin' },
      { type: 'response.custom_tool_call_input.delta', ...place, delta: '\n+a' },
      { type: 'response.custom_tool_call_input.done', ...place, input: whole.input },
      { type: 'response.output_item.done', output_index: 0, item: whole },
      { type: 'response.completed', response: { status: 'completed', output: [whole] } },
    ]);
    const deltas = events.filter(({ type }) => type === 'response.custom_tool_call_input.delta');
    expect(deltas.map(({ delta }) => delta)).toEqual(['*** Begin', '\n+a']);
    const output = outputOf(events);
    expect(output).toMatchObject([
      { type: 'custom_tool_call', call_id: 'call_a', name: 'patch', input: whole.input },
    ]);
  });

  it('repeats the request in the response, and says that nothing is stored', () => {
    const metadata = { topic: 'demo' };
    const [created] = relay(
      [{ type: 'response.completed', response: { status: 'completed', output: [], instructions: 'theirs' } }],
      { metadata, instructions: 'Be brief.', store: true, temperature: 0.5 },
    );
    expect(created?.response).toMatchObject({
      metadata,
      instructions: 'Be brief.',
      temperature: 0.5,
      store: false,
      previous_response_id: null,
    });
  });

  it('tells of a fault in an event of its own, with the next number', () => {
    const stream = openAnswerStream('openai', envelopeOf('responses'));
    const [first] = eventsOf(upstreamTranscript('openai-text'));
    const text = stream.push(JSON.stringify(first)).output + stream.fail(gridError('upstream_timeout'));
    const events = eventsOf(text);
    expect(events.at(-1)).toMatchObject({
      type: 'error',
      code: 'upstream_timeout',
      param: null,
      error: { type: 'api_error', code: 'upstream_timeout' },
      sequence_number: events.length - 1,
    });
  });
});
