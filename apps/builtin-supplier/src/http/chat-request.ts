import { randomInt } from 'node:crypto';
import type { CompletionRequest } from '../completion.ts';
import { hashText } from '../model/random.ts';
import { CONTEXT_TOKENS, DEFAULT_MAX_TOKENS, MAX_OUTPUT_TOKENS, MODEL_ID } from '../model-card.ts';
import { isObject, type JsonObject } from './body.ts';
import { type ApiError, invalidField, MODEL_NOT_FOUND } from './errors.ts';
import { FieldReader } from './field-reader.ts';

/** A chat request that can be answered. */
export type ChatRequest = {
  /** The text of every message, for counting prompt tokens. */
  texts: string[];
  completion: CompletionRequest;
  delivery: 'whole' | 'stream';
  usageInStream: boolean;
};

const ROLES = new Set(['system', 'developer', 'user', 'assistant', 'tool', 'function']);
const MESSAGES_AT_MOST = 10_000;
const STOPS_AT_MOST = 4;
const STOP_LENGTH_AT_MOST = 1_000;

type Message = { role: string; text: string };

/**
 * Checks the body of a chat request. Tools are accepted and ignored, as the model card says; the rest is
 * refused.
 */
export function parseChatRequest(body: JsonObject): { request: ChatRequest } | { error: ApiError } {
  const fields = new FieldReader(body);
  if (typeof fields.raw('model') !== 'string')
    return { error: invalidField('model', "'model' is required.") };
  if (fields.raw('model') !== MODEL_ID) return { error: MODEL_NOT_FOUND };
  refuseUnsupported(fields);
  const messages = readMessages(fields);
  const request: ChatRequest = {
    texts: messages.map((message) => message.text),
    completion: readCompletion(fields, messages),
    delivery: fields.flag('stream') ? 'stream' : 'whole',
    usageInStream: readIncludeUsage(fields),
  };
  return fields.problem === undefined ? { request } : { error: fields.problem };
}

/** The error for a prompt longer than the model card allows. */
export function contextExceeded(): ApiError {
  const message = `The messages are longer than the context of ${CONTEXT_TOKENS} tokens.`;
  return invalidField('messages', message, 'context_length_exceeded');
}

function refuseUnsupported(fields: FieldReader): void {
  const unsupported = 'unsupported_value';
  if ((fields.integer('n', 1) ?? 1) > 1) fields.refuse('n', "Only 'n' = 1 is supported.", unsupported);
  if (fields.flag('logprobs')) fields.refuse('logprobs', 'Log probabilities are not supported.', unsupported);
  const format = fields.raw('response_format');
  if (format !== undefined && !(isObject(format) && format.type === 'text')) {
    fields.refuse('response_format', 'Only text responses are supported.', unsupported);
  }
  const choice = fields.raw('tool_choice');
  if (choice !== undefined && choice !== 'auto' && choice !== 'none') {
    fields.refuse('tool_choice', 'This model cannot call tools.', unsupported);
  }
}

function readCompletion(fields: FieldReader, messages: Message[]): CompletionRequest {
  const temperature = fields.number('temperature', { min: 0, max: 2, fallback: 1 });
  const asked = fields.integer('max_completion_tokens', 1) ?? fields.integer('max_tokens', 1);
  return {
    writing: {
      prompt: messages.findLast((message) => message.role === 'user')?.text ?? messages.at(-1)?.text ?? '',
      seed: readSeed(fields, temperature),
      ending: fields.flag('ignore_eos') ? 'never' : 'natural',
      temperature,
      topP: fields.number('top_p', { min: 0, max: 1, fallback: 1 }),
      frequencyPenalty: fields.number('frequency_penalty', { min: -2, max: 2, fallback: 0 }),
      presencePenalty: fields.number('presence_penalty', { min: -2, max: 2, fallback: 0 }),
    },
    stops: readStops(fields),
    maxTokens: Math.min(asked ?? DEFAULT_MAX_TOKENS, MAX_OUTPUT_TOKENS),
  };
}

/**
 * Without a seed every answer is another one, except at temperature 0, where none of them should depend on
 * luck.
 */
function readSeed(fields: FieldReader, temperature: number): number {
  const seed = fields.integer('seed', Number.NEGATIVE_INFINITY);
  if (seed !== undefined) return hashText(String(seed));
  return temperature === 0 ? 0 : randomInt(0x1_0000_0000);
}

function readStops(fields: FieldReader): string[] {
  const value = fields.raw('stop');
  if (value === undefined) return [];
  const stops: unknown[] = Array.isArray(value) ? value : [value];
  const valid = (stop: unknown): stop is string =>
    typeof stop === 'string' && stop.length > 0 && stop.length <= STOP_LENGTH_AT_MOST;
  if (stops.length <= STOPS_AT_MOST && stops.every(valid)) return stops;
  fields.refuse('stop', `'stop' must be a string or up to ${STOPS_AT_MOST} strings, none of them empty.`);
  return [];
}

function readIncludeUsage(fields: FieldReader): boolean {
  const options = fields.raw('stream_options');
  return isObject(options) && options.include_usage === true;
}

function readMessages(fields: FieldReader): Message[] {
  const value = fields.raw('messages');
  if (!Array.isArray(value) || value.length === 0 || value.length > MESSAGES_AT_MOST) {
    fields.refuse('messages', "'messages' must be an array of at least one message.");
    return [];
  }
  return value.map((message: unknown, index) => readMessage(fields, message, `messages[${index}]`));
}

function readMessage(fields: FieldReader, message: unknown, path: string): Message {
  const role = isObject(message) ? message.role : undefined;
  if (!isObject(message) || typeof role !== 'string' || !ROLES.has(role)) {
    fields.refuse(`${path}.role`, 'Each message needs a known role.');
    return { role: '', text: '' };
  }
  return { role, text: readContent(fields, message.content, `${path}.content`) };
}

/** The text of a message; assistant messages that only called tools have none. */
function readContent(fields: FieldReader, content: unknown, path: string): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) {
    fields.refuse(path, 'Message content must be a string or an array of parts.');
    return '';
  }
  return content.map((part: unknown, index) => readPart(fields, part, `${path}[${index}]`)).join('');
}

function readPart(fields: FieldReader, part: unknown, path: string): string {
  if (isObject(part) && part.type === 'text' && typeof part.text === 'string') return part.text;
  if (isObject(part) && part.type === 'refusal' && typeof part.refusal === 'string') return part.refusal;
  fields.refuse(`${path}.type`, 'This model reads text only.', 'unsupported_content');
  return '';
}
