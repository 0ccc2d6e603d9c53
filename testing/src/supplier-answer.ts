import type { AnswerOptions, CapturedRequest, TokenUsage, UsageReport } from './supplier-behaviour.ts';

type JsonObject = Record<string, unknown>;

// Each is one token in the common vocabularies when a space goes before it, so default answers are countable.
const words = ['the', 'market', 'is', 'open', 'and', 'each', 'unit', 'has', 'one', 'price', 'today'];

const defaultChunkCount = 20;

/** Asks an unknown value for a member, so that a hostile body cannot make the double throw. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as JsonObject)[name] : undefined;
}

/** Whether the request asked for a stream. */
export function wantsStream(request: CapturedRequest): boolean {
  return member(request.body, 'stream') === true;
}

/** All message texts of the request, which is what a careless supplier would quote. */
export function promptText(request: CapturedRequest): string {
  const messages = member(request.body, 'messages');
  if (!Array.isArray(messages)) return '';
  return messages.map((message) => contentText(member(message, 'content'))).join('\n');
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => String(member(part, 'text') ?? '')).join('');
}

/** The contents of the stream's chunks, in order. */
export function answerPieces(options: AnswerOptions): readonly string[] {
  if (options.pieces !== undefined) return options.pieces;
  const count = options.chunkCount ?? defaultChunkCount;
  if (options.text === undefined) return defaultPieces(count);
  return splitEvenly(options.text, count);
}

function defaultPieces(count: number): string[] {
  return Array.from({ length: count }, (_, index) => (index === 0 ? '' : ' ') + words[index % words.length]);
}

/** Splits between code points: a character is cut in two only by `bytesPerWrite`, as on a real wire. */
function splitEvenly(text: string, count: number): string[] {
  const characters = Array.from(text);
  const size = characters.length;
  const cut = (index: number) => Math.floor((index * size) / count);
  return Array.from({ length: count }, (_, index) => characters.slice(cut(index), cut(index + 1)).join(''));
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}

/** What an honest double reports: words, and 3 tokens a message. Tests that need more say the numbers. */
export function honestUsage(options: AnswerOptions, request: CapturedRequest): TokenUsage {
  const messages = member(request.body, 'messages');
  const messageCount = Array.isArray(messages) ? messages.length : 0;
  const answered = `${options.reasoning ?? ''} ${answerPieces(options).join('')}`;
  return {
    promptTokens: countWords(promptText(request)) + 3 * messageCount,
    completionTokens: countWords(answered) * (options.choiceCount ?? 1),
  };
}

/** The `usage` member as it goes on the wire; `undefined` when it is left out. */
export function usageMember(options: AnswerOptions, request: CapturedRequest): JsonObject | null | undefined {
  const report: UsageReport = options.usage ?? 'as-asked';
  const honest = honestUsage(options, request);
  if (typeof report === 'object') return wireUsage(report);
  if (report === 'absent') return undefined;
  if (report === 'null') return null;
  if (report === 'zero') return wireUsage({ promptTokens: 0, completionTokens: 0 });
  if (report === 'negative') return wireUsage({ promptTokens: -honest.promptTokens, completionTokens: -7 });
  if (report === 'wrong') return wireUsage({ ...honest, completionTokens: honest.completionTokens * 10 });
  const asked = member(member(request.body, 'stream_options'), 'include_usage') === true;
  if (report === 'as-asked' && wantsStream(request) && !asked) return undefined;
  return wireUsage(honest);
}

function wireUsage(usage: TokenUsage): JsonObject {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}

function envelope(object: string, options: AnswerOptions, request: CapturedRequest): JsonObject {
  return {
    id: 'chatcmpl-double-0001',
    object,
    created: 1_767_225_600,
    model: options.model ?? member(request.body, 'model') ?? 'double',
    ...(options.extraFields === 'some' ? { x_queue: { position: 3 }, provider: 'double' } : {}),
  };
}

function finishReason(options: AnswerOptions): string {
  return options.finishReason ?? (options.toolCalls === undefined ? 'stop' : 'tool_calls');
}

function choiceIndexes(options: AnswerOptions): number[] {
  return Array.from({ length: options.choiceCount ?? 1 }, (_, index) => index);
}

/** The whole answer as one `chat.completion` object. */
export function answerJson(options: AnswerOptions, request: CapturedRequest): JsonObject {
  const text = answerPieces(options).join('');
  const message = {
    role: 'assistant',
    content: options.toolCalls !== undefined && text === '' ? null : text,
    ...(options.reasoning === undefined ? {} : { reasoning_content: options.reasoning }),
    ...(options.toolCalls === undefined ? {} : { tool_calls: wireToolCalls(options) }),
    ...(options.extraFields === 'some' ? { x_mood: 'calm' } : {}),
  };
  const usage = usageMember(options, request);
  return {
    ...envelope('chat.completion', options, request),
    choices: choiceIndexes(options).map((index) => ({
      index,
      message,
      logprobs: null,
      finish_reason: finishReason(options),
      ...(options.extraFields === 'some' ? { x_rank: index } : {}),
    })),
    ...(usage === undefined ? {} : { usage }),
  };
}

function wireToolCalls(options: AnswerOptions): JsonObject[] {
  return (options.toolCalls ?? []).map((call, index) => ({
    id: `call_double_${index}`,
    type: 'function',
    function: { name: call.name, arguments: call.argumentsJson },
  }));
}

/** The events of a streamed answer, each the JSON behind one `data: `. `[DONE]` is the caller's. */
export type StreamEvents = { opening: string[]; content: string[]; finish: string[]; usage: string[] };

/** The same answer as `chat.completion.chunk` events. */
export function answerEvents(options: AnswerOptions, request: CapturedRequest): StreamEvents {
  const head = envelope('chat.completion.chunk', options, request);
  const extra = options.extraFields === 'some' ? { x_rank: 1 } : {};
  const event = (index: number, delta: JsonObject, reason: string | null = null) =>
    JSON.stringify({ ...head, choices: [{ index, delta, logprobs: null, finish_reason: reason, ...extra }] });
  const indexes = choiceIndexes(options);
  const deltas = [...reasoningDeltas(options), ...answerPieces(options).map((content) => ({ content }))];
  const content = [...deltas, ...toolCallDeltas(options)].flatMap((delta) =>
    indexes.map((index) => event(index, delta)),
  );
  const usage = usageMember(options, request);
  return {
    opening: indexes.map((index) => event(index, { role: 'assistant', content: '' })),
    content,
    finish: indexes.map((index) => event(index, {}, finishReason(options))),
    usage: usage === undefined ? [] : [JSON.stringify({ ...head, choices: [], usage })],
  };
}

function reasoningDeltas(options: AnswerOptions): JsonObject[] {
  if (options.reasoning === undefined) return [];
  return splitEvenly(options.reasoning, 4).map((piece) => ({ reasoning_content: piece }));
}

/** The arguments come in two halves under one index, as real suppliers send them. */
function toolCallDeltas(options: AnswerOptions): JsonObject[] {
  return (options.toolCalls ?? []).flatMap((call, index) => {
    const opening = { index, id: `call_double_${index}`, type: 'function' };
    const half = Math.ceil(call.argumentsJson.length / 2);
    const parts = [call.argumentsJson.slice(0, half), call.argumentsJson.slice(half)];
    return [
      { tool_calls: [{ ...opening, function: { name: call.name, arguments: '' } }] },
      ...parts.map((part) => ({ tool_calls: [{ index, function: { arguments: part } }] })),
    ];
  });
}
