import type {
  AnswerOptions,
  CapturedRequest,
  SupplierDialect,
  TokenUsage,
  UsageReport,
} from './supplier-behaviour.ts';

export type JsonObject = Record<string, unknown>;

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

/** What the double is asked in, by the path of the request. */
export function dialectOf({ path }: Pick<CapturedRequest, 'path'>): SupplierDialect {
  if (path.endsWith('/messages')) return 'messages';
  return path.endsWith('/responses') ? 'responses' : 'chat';
}

/** All texts of the conversation in the request, which is what a careless supplier would quote. */
export function promptText(request: CapturedRequest): string {
  const { body } = request;
  const input = member(body, 'input');
  const lists = [member(body, 'messages'), input].filter(Array.isArray) as unknown[][];
  const texts = lists.flat().map((item) => contentText(member(item, 'content')));
  const system = contentText(member(body, 'system'));
  const plain = [system, contentText(member(body, 'instructions')), contentText(input)];
  return [...plain, ...texts].filter((text) => text !== '').join('\n');
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
export function splitEvenly(text: string, count: number): string[] {
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
  const messages = member(request.body, 'messages') ?? member(request.body, 'input');
  const messageCount = Array.isArray(messages) ? messages.length : 1;
  const answered = `${options.reasoning ?? ''} ${answerPieces(options).join('')}`;
  return {
    promptTokens: countWords(promptText(request)) + 3 * messageCount,
    completionTokens: countWords(answered) * (options.choiceCount ?? 1),
  };
}

/** What is reported; `null` and `undefined` are what they say. */
export function reportedUsage(
  options: AnswerOptions,
  request: CapturedRequest,
): TokenUsage | null | undefined {
  const report: UsageReport = options.usage ?? 'as-asked';
  if (typeof report === 'object') return report;
  const honest = honestUsage(options, request);
  if (report === 'absent') return undefined;
  if (report === 'null') return null;
  if (report === 'zero') return { promptTokens: 0, completionTokens: 0 };
  if (report === 'negative') return { promptTokens: -honest.promptTokens, completionTokens: -7 };
  if (report === 'wrong') return { ...honest, completionTokens: honest.completionTokens * 10 };
  const isAsked = member(member(request.body, 'stream_options'), 'include_usage') === true;
  // Only streams of chat completions wait to be asked.
  const isSilent = dialectOf(request) === 'chat' && wantsStream(request) && !isAsked;
  return report === 'as-asked' && isSilent ? undefined : honest;
}

/** The events of a streamed answer, each the text behind one `data: `, in the order that clients rely on. */
export type StreamEvents = {
  opening: string[];
  content: string[];
  finish: string[];
  usage: string[];
  /** What says that this was all. */
  closing: string[];
};

/** The arguments of a call come in two halves, as real suppliers send them. */
export function halvesOf(text: string): [string, string] {
  const half = Math.ceil(text.length / 2);
  return [text.slice(0, half), text.slice(half)];
}

/** Why the answer ended, in the words of chat completions. */
export function finishReason(options: AnswerOptions): string {
  return options.finishReason ?? (options.toolCalls === undefined ? 'stop' : 'tool_calls');
}
