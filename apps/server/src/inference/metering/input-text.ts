import {
  type ChatRequest,
  Content,
  type Conversation,
  conversationOf,
  type InferenceRequest,
} from '@opengrid/wire';
import { openContent } from '@opengrid/wire/content';

/** Chat formats wrap each message, and the start of the answer, in a few tokens of their own. */
const TOKENS_PER_MESSAGE = 3;
const TOKENS_PER_REPLY = 3;

type Turn = Conversation['turns'][number];
type Part = Turn['parts'][number];

/** Tokens that the format adds to the texts of a request. */
export function formatTokens(request: InferenceRequest): number {
  return itemsOf(request) * TOKENS_PER_MESSAGE + TOKENS_PER_REPLY;
}

function itemsOf(request: InferenceRequest): number {
  const { messages, input } = openContent<{ messages?: readonly unknown[]; input?: unknown }>(request.body);
  if (messages !== undefined) return messages.length;
  return Array.isArray(input) ? input.length : 1;
}

/** All that counts as input of a request, for the tokenizer. */
export function inputText(request: InferenceRequest): Content<string> {
  if (request.dialect === 'chat') return chatText(request);
  const { turns, tools, outputFormat } = conversationOf(request);
  const texts = turns.flatMap(({ parts }) => parts.flatMap(textsOfPart));
  return Content.of(
    [...texts, ...printed([tools.length === 0 ? undefined : tools, outputFormat])].join('\n'),
  );
}

function chatText(request: ChatRequest): Content<string> {
  const { messages, tools, response_format } = openContent(request.body);
  const texts = messages.flatMap((message) => textsOf(message.content));
  const rest = [...messages.map((message) => message.tool_calls), tools, response_format];
  return Content.of([...texts, ...printed(rest)].join('\n'));
}

function printed(values: readonly unknown[]): string[] {
  return values.flatMap((value) => (value === undefined ? [] : JSON.stringify(value)));
}

function textsOf(content: unknown): string[] {
  if (typeof content === 'string') return [content];
  if (!Array.isArray(content)) return [];
  return content.map((part: { text?: unknown }) => (typeof part.text === 'string' ? part.text : ''));
}

function textsOfPart(part: Part): string[] {
  if (part.type === 'text' || part.type === 'refusal' || part.type === 'reasoning') return [part.text];
  if (part.type === 'call') return [part.name, part.arguments];
  if (part.type === 'result') return part.parts.flatMap(textsOfPart);
  return part.type === 'foreign' ? [JSON.stringify(part.value)] : [];
}
