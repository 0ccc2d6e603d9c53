import { openContent } from '../content.ts';
import { BodyBuilder } from '../conversation/body-builder.ts';
import { notOnThisWire, type Upstream, type UpstreamBody } from '../conversation/upstream.ts';
import { type Effort, nearestEffort } from '../effort.ts';
import type { JsonObject } from '../json/parse.ts';
import type { Result } from '../result.ts';
import { isInsideRound } from './thinking.ts';
import { isClientTool } from './tools.ts';
import type { MessagesBody, MessagesRequest } from './types.ts';

const DEFAULT_MAX_TOKENS = 8_192;
const DEFAULT_BUDGET = 8_192;
const MIN_BUDGET = 1_024;
const BLOCKS_OF_DOCUMENTS: ReadonlySet<unknown> = new Set(['document', 'search_result']);

function withoutMark(block: JsonObject): JsonObject {
  const { cache_control: _mark, ...rest } = block;
  return rest;
}

/** Reduces blocks to what one endpoint may be sent: no marks it would not honour, no reasoning of others. */
class BlockFilter {
  readonly #upstream: Upstream;
  readonly #keepsMarks: boolean;
  hasDocuments = false;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
    this.#keepsMarks = upstream.capabilities.promptCaching === true;
  }

  content(content: unknown): unknown {
    if (!Array.isArray(content)) return content;
    return (content as readonly JsonObject[]).flatMap((block) => this.#block(block));
  }

  mark(source: JsonObject): JsonObject {
    return this.#keepsMarks ? source : withoutMark(source);
  }

  #block(block: JsonObject): readonly JsonObject[] {
    if (block.type === 'thinking') {
      return this.#opened(block, 'signature', (signature) => ({ ...block, signature }));
    }
    if (block.type === 'redacted_thinking') {
      return this.#opened(block, 'data', (data) => ({ ...block, data }));
    }
    if (BLOCKS_OF_DOCUMENTS.has(block.type)) this.hasDocuments = true;
    const kept = this.mark(block);
    return [block.type === 'tool_result' ? { ...kept, content: this.content(block.content) } : kept];
  }

  #opened(block: JsonObject, member: string, print: (value: string) => JsonObject): readonly JsonObject[] {
    const { seal, withoutReasoning } = this.#upstream;
    const opaque = withoutReasoning === true ? undefined : seal?.unwrap(block[member] as string);
    return opaque === undefined ? [] : [this.mark(print(opaque.value))];
  }
}

/** A message that lost all its blocks would be refused. */
function isEmptyMessage({ content }: JsonObject): boolean {
  return Array.isArray(content) && content.length === 0;
}

function setTools(builder: BodyBuilder, body: MessagesBody, filter: BlockFilter): void {
  const isOffered = builder.upstream.capabilities.tools;
  const value = body.tools?.map((tool) => filter.mark(tool));
  builder.offer('tools', 'tools', { value, isOffered });
  builder.offer('toolChoice', 'tool_choice', { value: body.tool_choice, isOffered });
}

/** `thinking` in the form the endpoint knows, whichever the client sent; `undefined` when it cannot go. */
function thinkingFor(
  thinking: JsonObject,
  builder: BodyBuilder,
  messages: readonly JsonObject[],
): JsonObject | undefined {
  const form = builder.upstream.capabilities.thinking;
  if (form === undefined) return undefined;
  if (thinking.type === 'disabled') return thinking;
  const display = thinking.display === undefined ? {} : { display: thinking.display };
  if (form === 'adaptive') return { type: 'adaptive', ...display };
  const ceiling = Number(builder.get('max_tokens')) - 1;
  const budget = Math.min((thinking.budget_tokens as number | undefined) ?? DEFAULT_BUDGET, ceiling);
  const isPossible = budget >= MIN_BUDGET && !isInsideRound(messages);
  return isPossible ? { type: 'enabled', budget_tokens: budget, ...display } : undefined;
}

function effortFor(request: MessagesRequest, upstream: Upstream): Effort | undefined {
  const wanted = request.isEffortFromThinking ? undefined : request.effort;
  return wanted === undefined ? undefined : nearestEffort(wanted, upstream.capabilities.efforts ?? []);
}

function setReasoning(builder: BodyBuilder, request: MessagesRequest, messages: readonly JsonObject[]): void {
  const body = openContent(request.body);
  const { capabilities } = builder.upstream;
  // The instrument has taken the effort away where its reasoning cannot be switched, and has said so.
  if (body.thinking !== undefined && request.effort !== undefined) {
    const thinking = thinkingFor(body.thinking, builder, messages);
    builder.set('thinking', thinking);
    if (thinking === undefined && body.thinking.type !== 'disabled') builder.leaveOutNames(['thinking']);
  }
  const effort = effortFor(request, builder.upstream);
  if (effort === undefined && !request.isEffortFromThinking && request.effort !== undefined) {
    builder.leaveOut('effort');
  }
  const isSchema = body.output_format !== undefined && capabilities.jsonSchema === true;
  if (body.output_format !== undefined && !isSchema) builder.leaveOut('outputFormat');
  if (effort === undefined && !isSchema) return;
  const format = isSchema ? { format: body.output_format } : {};
  builder.set('output_config', { ...(effort === undefined ? {} : { effort }), ...format });
}

function setRest(builder: BodyBuilder, body: MessagesBody): void {
  const { capabilities } = builder.upstream;
  builder.offer('temperature', 'temperature', {
    value: body.temperature,
    isOffered: capabilities.temperature,
  });
  builder.set('top_p', body.top_p);
  builder.set('top_k', body.top_k);
  builder.set('stop_sequences', body.stop_sequences);
  if (capabilities.contextManagement === true) builder.set('context_management', body.context_management);
  else if (body.context_management !== undefined) builder.leaveOutNames(['context_management']);
  if (capabilities.promptCaching === true) builder.set('cache_control', body.cache_control);
  else if (body.hasCacheMarks) builder.leaveOutNames(['cache_control']);
}

/**
 * Makes the body for an endpoint on the Anthropic wire from a Messages request: the fields that may be
 * forwarded, as they came. Blocks are neither merged nor reordered, which the supplier's cache needs.
 *
 * Error: `unsupported_value` for documents and typed tools that the endpoint does not take.
 */
export function relayMessagesRequest(request: MessagesRequest, upstream: Upstream): Result<UpstreamBody> {
  const body = openContent(request.body);
  const { capabilities } = upstream;
  const builder = new BodyBuilder(request, upstream);
  const filter = new BlockFilter(upstream);
  const messages = body.messages
    .map((message): JsonObject => ({ ...message, content: filter.content(message.content) }))
    .filter((message) => !isEmptyMessage(message));
  if (filter.hasDocuments && capabilities.documents !== true) return notOnThisWire('messages');
  const hasClientTools = body.tools?.some(isClientTool) === true;
  if (hasClientTools && capabilities.clientTools !== true) return notOnThisWire('tools');
  builder.set('model', upstream.upstreamModel);
  builder.set('max_tokens', upstream.maxOutputTokens ?? request.maxOutputTokens ?? DEFAULT_MAX_TOKENS);
  builder.set('system', filter.content(body.system));
  builder.set('messages', messages);
  setTools(builder, body, filter);
  setReasoning(builder, request, messages);
  setRest(builder, body);
  builder.set('stream', request.stream);
  builder.passThrough(body.unknown);
  return { ok: true, value: builder.build() };
}
