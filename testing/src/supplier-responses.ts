import {
  answerPieces,
  finishReason,
  halvesOf,
  type JsonObject,
  member,
  reportedUsage,
  type StreamEvents,
} from './supplier-answer.ts';
import type { AnswerOptions, CapturedRequest, TokenUsage } from './supplier-behaviour.ts';

/** Hidden reasoning, as opaque to everybody else as a real one. */
const ENCRYPTED = 'ZW5jcnlwdGVkIHJlYXNvbmluZyBvZiB0aGUgZG91YmxlCg==';

function wireUsage(usage: TokenUsage): JsonObject {
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}

function reasoningItem({ reasoning }: AnswerOptions): JsonObject[] {
  if (reasoning === undefined) return [];
  const summary = [{ type: 'summary_text', text: reasoning }];
  return [{ type: 'reasoning', id: 'rs_double_0001', summary, encrypted_content: ENCRYPTED }];
}

function textPart(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function messageItem(options: AnswerOptions): JsonObject[] {
  const text = answerPieces(options).join('');
  if (text === '') return [];
  const content = [textPart(text)];
  return [{ type: 'message', id: 'msg_double_0001', role: 'assistant', status: 'completed', content }];
}

function callItems(options: AnswerOptions): JsonObject[] {
  return (options.toolCalls ?? []).map(({ id, name, argumentsJson }, index) => ({
    type: 'function_call',
    id: `fc_double_${index}`,
    call_id: id ?? `call_double_${index}`,
    name,
    arguments: argumentsJson,
    status: 'completed',
  }));
}

function outputOf(options: AnswerOptions): JsonObject[] {
  return [...reasoningItem(options), ...messageItem(options), ...callItems(options)];
}

/** Whole, running or ended, as the `response` object. */
function responseObject(
  options: AnswerOptions,
  request: CapturedRequest,
  { status, output }: { status?: string; output: readonly JsonObject[] },
): JsonObject {
  const reason = finishReason(options);
  const incomplete = { length: 'max_output_tokens', content_filter: 'content_filter' }[reason];
  const usage = reportedUsage(options, request);
  const isOver = status === undefined;
  return {
    id: 'resp_double_0001',
    object: 'response',
    created_at: 1_767_225_600,
    status: status ?? (incomplete === undefined ? 'completed' : 'incomplete'),
    error: null,
    incomplete_details: incomplete === undefined || !isOver ? null : { reason: incomplete },
    model: options.model ?? member(request.body, 'model') ?? 'double',
    output,
    ...(options.extraFields === 'some' ? { x_queue: { position: 3 } } : {}),
    ...(isOver && usage !== undefined ? { usage: usage === null ? null : wireUsage(usage) } : {}),
  };
}

/** The whole answer as one `response` object. */
export function responsesJson(options: AnswerOptions, request: CapturedRequest): JsonObject {
  return responseObject(options, request, { output: outputOf(options) });
}

/** Numbers the events of one stream. */
function newPrinter(): (type: string, members: JsonObject) => string {
  let sequence = 0;
  return (type, members) => {
    const text = JSON.stringify({ type, sequence_number: sequence, ...members });
    sequence += 1;
    return text;
  };
}

/** The same answer as the named events of a stream. */
export function responsesEvents(options: AnswerOptions, request: CapturedRequest): StreamEvents {
  const print = newPrinter();
  const running = { response: responseObject(options, request, { status: 'in_progress', output: [] }) };
  const reasoning = reasoningItem(options);
  const [message] = messageItem(options);
  const textIndex = reasoning.length;
  const place = { item_id: 'msg_double_0001', output_index: textIndex, content_index: 0 };
  const added = (item: JsonObject, output_index: number, change: JsonObject) =>
    print('response.output_item.added', { output_index, item: { ...item, ...change } });
  const done = (item: JsonObject, output_index: number) =>
    print('response.output_item.done', { output_index, item });
  const opening = [
    print('response.created', running),
    print('response.in_progress', running),
    ...reasoning.flatMap((item) => reasoningEvents(item, { print, added, done })),
  ];
  if (message !== undefined) {
    opening.push(added(message, textIndex, { status: 'in_progress', content: [] }));
    opening.push(print('response.content_part.added', { ...place, part: textPart('') }));
  }
  const pieces = answerPieces(options).filter((text) => text !== '');
  const content = pieces.map((text) =>
    print('response.output_text.delta', { ...place, delta: text, logprobs: [] }),
  );
  const finish: string[] = [];
  if (message !== undefined) {
    const text = pieces.join('');
    finish.push(print('response.output_text.done', { ...place, text, logprobs: [] }));
    finish.push(print('response.content_part.done', { ...place, part: textPart(text) }));
    finish.push(done(message, textIndex));
  }
  const firstCall = textIndex + (message === undefined ? 0 : 1);
  for (const [index, item] of callItems(options).entries()) {
    finish.push(...callEvents(item, firstCall + index, { print, added, done }));
  }
  const response = responseObject(options, request, { output: outputOf(options) });
  const closing = [print(`response.${String(response.status)}`, { response })];
  return { opening, content, finish, usage: [], closing };
}

interface Printers {
  readonly print: (type: string, members: JsonObject) => string;
  readonly added: (item: JsonObject, outputIndex: number, change: JsonObject) => string;
  readonly done: (item: JsonObject, outputIndex: number) => string;
}

function reasoningEvents(item: JsonObject, { print, added, done }: Printers): string[] {
  const [part] = item.summary as [{ text: string }];
  const place = { item_id: item.id, output_index: 0, summary_index: 0 };
  return [
    added(item, 0, { summary: [], encrypted_content: '' }),
    print('response.reasoning_summary_part.added', { ...place, part: { type: 'summary_text', text: '' } }),
    print('response.reasoning_summary_text.delta', { ...place, delta: part.text }),
    print('response.reasoning_summary_text.done', { ...place, text: part.text }),
    print('response.reasoning_summary_part.done', { ...place, part }),
    done(item, 0),
  ];
}

function callEvents(item: JsonObject, outputIndex: number, { print, added, done }: Printers): string[] {
  const place = { item_id: item.id, output_index: outputIndex };
  const text = String(item.arguments);
  return [
    added(item, outputIndex, { arguments: '', status: 'in_progress' }),
    ...halvesOf(text).map((delta) => print('response.function_call_arguments.delta', { ...place, delta })),
    print('response.function_call_arguments.done', { ...place, arguments: text }),
    done(item, outputIndex),
  ];
}
