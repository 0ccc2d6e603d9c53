import { BodyBuilder } from '../conversation/body-builder.ts';
import { inputOfArguments } from '../conversation/call-input.ts';
import type {
  Conversation,
  ImagePart,
  Part,
  TextPart,
  Tool,
  ToolChoice,
  Turn,
} from '../conversation/model.ts';
import type { InferenceRequest } from '../conversation/request.ts';
import { notOnThisWire, type Upstream, type UpstreamBody } from '../conversation/upstream.ts';
import type { JsonObject } from '../json/parse.ts';
import type { Result } from '../result.ts';
import { setReasoning } from './thinking.ts';

/** Demanded by this wire; what is sent when nobody said how much. */
const DEFAULT_MAX_TOKENS = 8_192;
/** The dialect's highest temperature; the others go to 2. */
const MAX_TEMPERATURE = 1;
const DATA_URL = /^data:([^;,]+);base64,/i;
const UNSAFE_IN_ID = /[^A-Za-z0-9_-]/g;

/** Ids of calls as this wire takes them: other suppliers use characters that it refuses. */
class CallIds {
  readonly #given = new Map<string, string>();
  readonly #taken = new Set<string>();

  of(id: string): string {
    const known = this.#given.get(id);
    if (known !== undefined) return known;
    let safe = id.replace(UNSAFE_IN_ID, '_') || '_';
    while (this.#taken.has(safe)) safe += '_';
    this.#given.set(id, safe);
    this.#taken.add(safe);
    return safe;
  }
}

function imageBlock(part: ImagePart): JsonObject {
  const data = DATA_URL.exec(part.url);
  if (data === null) return { type: 'image', source: { type: 'url', url: part.url } };
  const source = { type: 'base64', media_type: data[1], data: part.url.slice(data[0].length) };
  return { type: 'image', source };
}

// This wire refuses blocks of text that are empty.
function plainBlocks(part: TextPart | ImagePart): readonly JsonObject[] {
  if (part.type === 'image') return [imageBlock(part)];
  return part.text === '' ? [] : [{ type: 'text', text: part.text }];
}

/** Writes the turns of one conversation. */
class TurnWriter {
  readonly #ids = new CallIds();
  readonly #upstream: Upstream;
  isForeign = false;
  hasDetail = false;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  message(turn: Turn): readonly JsonObject[] {
    const blocks = turn.parts.flatMap((part) => this.#blocks(part));
    if (blocks.length === 0) return [];
    const [first] = blocks;
    const isPlain = blocks.length === 1 && first?.type === 'text';
    return [{ role: turn.role, content: isPlain ? first.text : ordered(blocks) }];
  }

  #blocks(part: Part): readonly JsonObject[] {
    switch (part.type) {
      case 'call': {
        if (part.kind === 'custom') this.isForeign = true;
        const called = { id: this.#ids.of(part.id), name: part.name };
        return [{ type: 'tool_use', ...called, input: inputOfArguments(part.arguments) }];
      }
      case 'result':
        return [this.#result(part)];
      case 'reasoning':
        return this.#reasoning(part.sealed, (signature) => {
          return { type: 'thinking', thinking: part.text, signature };
        });
      case 'redacted':
        return this.#reasoning(part.sealed, (data) => ({ type: 'redacted_thinking', data }));
      case 'refusal':
        return plainBlocks({ type: 'text', text: part.text });
      default:
        return this.#plain(part);
    }
  }

  #plain(part: Extract<Part, { type: 'text' | 'image' | 'foreign' }>): readonly JsonObject[] {
    if (part.type === 'image' && part.detail !== undefined && part.detail !== 'auto') this.hasDetail = true;
    if (part.type !== 'foreign') return plainBlocks(part);
    if (part.dialect !== 'messages') this.isForeign = true;
    return [part.value];
  }

  #result(part: Extract<Part, { type: 'result' }>): JsonObject {
    if (part.kind === 'custom') this.isForeign = true;
    const blocks = part.parts.flatMap((inner) => this.#plain(inner));
    const [first] = blocks;
    const isPlain = blocks.length === 1 && first?.type === 'text';
    return {
      type: 'tool_result',
      tool_use_id: this.#ids.of(part.callId),
      ...(blocks.length === 0 ? {} : { content: isPlain ? first.text : blocks }),
      ...(part.isError ? { is_error: true } : {}),
    };
  }

  // Reasoning without the proof of this very endpoint would be refused.
  #reasoning(sealed: string | undefined, print: (value: string) => JsonObject): readonly JsonObject[] {
    const { seal, withoutReasoning } = this.#upstream;
    const opaque = sealed === undefined ? undefined : seal?.unwrap(sealed);
    if (opaque === undefined || withoutReasoning === true) return [];
    const block = print(opaque.value);
    const isSameKind = (opaque.kind === 'signature') === (block.type === 'thinking');
    return isSameKind ? [block] : [{ type: 'redacted_thinking', data: opaque.value }];
  }
}

/** Results of tools come first in their turn. */
function ordered(blocks: readonly JsonObject[]): readonly JsonObject[] {
  const isResult = (block: JsonObject) => block.type === 'tool_result';
  return [...blocks.filter(isResult), ...blocks.filter((block) => !isResult(block))];
}

function systemText(turns: readonly Turn[]): string | undefined {
  const texts = turns
    .filter(({ role }) => role === 'system' || role === 'developer')
    .flatMap(({ parts }) => parts)
    .flatMap((part) => (part.type === 'text' && part.text !== '' ? [part.text] : []));
  return texts.length === 0 ? undefined : texts.join('\n\n');
}

function wireTool(tool: Tool, upstream: Upstream): JsonObject {
  if (tool.kind === 'foreign') return tool.value;
  const isStrict = tool.strict === true && upstream.capabilities.jsonSchema === true;
  return {
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    input_schema: tool.parameters ?? { type: 'object', properties: {} },
    ...(isStrict ? { strict: true } : {}),
  };
}

function wireChoice(choice: ToolChoice | undefined, parallel: boolean | undefined): JsonObject | undefined {
  const single = parallel === false ? { disable_parallel_tool_use: true } : {};
  if (choice === undefined) return parallel === false ? { type: 'auto', ...single } : undefined;
  if (choice === 'none') return { type: 'none' };
  if (typeof choice === 'object') return { type: 'tool', name: choice.name, ...single };
  return { type: choice === 'required' ? 'any' : 'auto', ...single };
}

function setTools(builder: BodyBuilder, conversation: Conversation): void {
  const { tools, toolChoice, parallelToolCalls } = conversation;
  if (tools.length === 0) return;
  const isOffered = builder.upstream.capabilities.tools;
  const value = tools.map((tool) => wireTool(tool, builder.upstream));
  const isStrictLost = tools.some((tool) => tool.kind === 'function' && tool.strict === true);
  if (isStrictLost && builder.upstream.capabilities.jsonSchema !== true) builder.leaveOut('strict');
  builder.offer('tools', 'tools', { value, isOffered });
  if (isOffered === true) builder.set('tool_choice', wireChoice(toolChoice, parallelToolCalls));
  else if (toolChoice !== undefined) builder.leaveOut('toolChoice');
}

function setSampling(builder: BodyBuilder, { sampling }: Conversation): void {
  const { temperature } = sampling;
  const value = temperature === undefined ? undefined : Math.min(temperature, MAX_TEMPERATURE);
  if (value !== temperature) builder.leaveOut('temperature');
  builder.offer('temperature', 'temperature', {
    value,
    isOffered: builder.upstream.capabilities.temperature,
  });
  builder.set('top_p', sampling.topP);
  builder.set('top_k', sampling.topK);
  // This wire refuses stop texts of nothing but blanks.
  const stops = sampling.stop?.filter((stop) => stop.trim() !== '');
  if (stops?.length !== sampling.stop?.length) builder.leaveOut('stop');
  builder.set('stop_sequences', stops?.length === 0 ? undefined : stops);
  const absent = [
    'seed',
    'frequencyPenalty',
    'presencePenalty',
    'logitBias',
    'topLogprobs',
    'verbosity',
  ] as const;
  for (const field of absent) if (sampling[field] !== undefined) builder.leaveOut(field);
  if (sampling.logprobs === true) builder.leaveOut('logprobs');
}

function setFormat(builder: BodyBuilder, { outputFormat }: Conversation): void {
  if (outputFormat === undefined) return;
  const isOffered = outputFormat.type === 'json_schema' && builder.upstream.capabilities.jsonSchema === true;
  if (!isOffered) builder.leaveOut('outputFormat');
}

/**
 * Makes the body for an endpoint on the Anthropic wire from a request of another surface.
 *
 * Error: `unsupported_value` for what only another wire can carry (tools called with free text).
 */
export function messagesBodyOfConversation(
  request: InferenceRequest,
  conversation: Conversation,
  upstream: Upstream,
): Result<UpstreamBody> {
  const writer = new TurnWriter(upstream);
  const talk = conversation.turns.filter(({ role }) => role === 'user' || role === 'assistant');
  const messages = talk.flatMap((turn) => writer.message(turn));
  const isForeignTool = conversation.tools.some((tool) => {
    return tool.kind === 'foreign' && tool.dialect !== 'messages';
  });
  if (writer.isForeign || isForeignTool) return notOnThisWire(isForeignTool ? 'tools' : 'messages');
  const builder = new BodyBuilder(request, upstream);
  builder.leaveOutNames(conversation.lost);
  if (writer.hasDetail) builder.leaveOut('detail');
  builder.set('model', upstream.upstreamModel);
  builder.set(
    'max_tokens',
    upstream.maxOutputTokens ?? upstream.defaultMaxOutputTokens ?? DEFAULT_MAX_TOKENS,
  );
  const system = systemText(conversation.turns);
  // This wire demands a message: instructions on their own become the user's.
  if (messages.length > 0) builder.set('system', system);
  builder.set('messages', messages.length > 0 ? messages : [{ role: 'user', content: system ?? '' }]);
  setTools(builder, conversation);
  setSampling(builder, conversation);
  setFormat(builder, conversation);
  setReasoning(builder, { messages, format: conversation.outputFormat });
  builder.set('stream', request.stream);
  return { ok: true, value: builder.build() };
}
