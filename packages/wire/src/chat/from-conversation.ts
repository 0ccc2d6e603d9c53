import { BodyBuilder } from '../conversation/body-builder.ts';
import type {
  Conversation,
  ImagePart,
  OutputFormat,
  Part,
  ResultPart,
  TextPart,
  Tool,
  ToolChoice,
  Turn,
} from '../conversation/model.ts';
import type { InferenceRequest } from '../conversation/request.ts';
import { notOnThisWire, type Upstream, type UpstreamBody } from '../conversation/upstream.ts';
import type { JsonObject } from '../json/parse.ts';
import type { Result } from '../result.ts';

/** How many stop texts this dialect takes. */
const MAX_STOPS = 4;

function only<Type extends Part['type']>(
  parts: readonly Part[],
  type: Type,
): readonly Extract<Part, { type: Type }>[] {
  return parts.filter((part): part is Extract<Part, { type: Type }> => part.type === type);
}

function textOf(parts: readonly Part[], separator: string): string {
  return only(parts, 'text')
    .map(({ text }) => text)
    .join(separator);
}

function wirePart(part: TextPart | ImagePart): JsonObject {
  if (part.type === 'text') return { type: 'text', text: part.text };
  const detail = part.detail === undefined ? {} : { detail: part.detail };
  return { type: 'image_url', image_url: { url: part.url, ...detail } };
}

function shown(parts: readonly Part[]): readonly (TextPart | ImagePart)[] {
  return parts.filter((part): part is TextPart | ImagePart => part.type === 'text' || part.type === 'image');
}

function userMessage(parts: readonly (TextPart | ImagePart)[]): readonly JsonObject[] {
  const [first] = parts;
  if (first === undefined) return [];
  const isPlain = parts.length === 1 && first.type === 'text';
  return [{ role: 'user', content: isPlain ? first.text : parts.map(wirePart) }];
}

// A result of a tool is text on this wire. Its pictures follow in a message of the user that says whose they are.
function pictureParts(result: ResultPart): readonly (TextPart | ImagePart)[] {
  const images = only(result.parts, 'image');
  if (images.length === 0) return [];
  return [{ type: 'text', text: `Images in the result of tool call ${result.callId}:` }, ...images];
}

function userMessages(parts: readonly Part[]): readonly JsonObject[] {
  const results = only(parts, 'result');
  const answers = results.map((result) => {
    return { role: 'tool', tool_call_id: result.callId, content: textOf(result.parts, '\n') };
  });
  return [...answers, ...userMessage([...results.flatMap(pictureParts), ...shown(parts)])];
}

function assistantMessage(parts: readonly Part[], upstream: Upstream): JsonObject {
  const calls = only(parts, 'call').map((call) => {
    return { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } };
  });
  const text = textOf(parts, '');
  const refusal = only(parts, 'refusal').map((part) => part.text);
  // Sealed reasoning belongs to an endpoint of another wire and goes to no other.
  const own = only(parts, 'reasoning').filter(({ sealed }) => sealed === undefined);
  const reasoning = own.map((part) => part.text);
  const isReasoningTaken = upstream.capabilities.reasoningText === true && upstream.withoutReasoning !== true;
  return {
    role: 'assistant',
    content: text === '' && (calls.length > 0 || refusal.length > 0) ? null : text,
    ...(refusal.length === 0 ? {} : { refusal: refusal.join('') }),
    ...(reasoning.length === 0 || !isReasoningTaken ? {} : { reasoning_content: reasoning.join('') }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function turnMessages(turn: Turn, upstream: Upstream): readonly JsonObject[] {
  if (turn.role === 'user') return userMessages(turn.parts);
  if (turn.role === 'assistant') {
    const message = assistantMessage(turn.parts, upstream);
    // Nothing is left of a turn that was nothing but the reasoning of another endpoint.
    return message.content === '' && message.reasoning_content === undefined ? [] : [message];
  }
  const isDeveloper = turn.role === 'developer' && upstream.capabilities.developerRole === true;
  return [{ role: isDeveloper ? 'developer' : 'system', content: textOf(turn.parts, '\n\n') }];
}

function wireTool(tool: Tool): JsonObject {
  if (tool.kind === 'foreign') return {};
  const { kind: _kind, ...called } = tool;
  return { type: 'function', function: called };
}

function wireChoice(choice: ToolChoice | undefined): unknown {
  return typeof choice === 'object' ? { type: 'function', function: { name: choice.name } } : choice;
}

function wireFormat(format: OutputFormat | undefined): JsonObject | undefined {
  if (format === undefined || format.type === 'json_object') return format;
  const { type, ...schema } = format;
  return { type, json_schema: schema };
}

/** What of a conversation this wire has no words for, as the name of the client's field. */
function foreignParam(conversation: Conversation): string | undefined {
  if (conversation.tools.some(({ kind }) => kind === 'foreign')) return 'tools';
  const isForeign = (part: Part): boolean => {
    if (part.type === 'result') return part.kind === 'custom' || part.parts.some(isForeign);
    return part.type === 'foreign' || (part.type === 'call' && part.kind === 'custom');
  };
  return conversation.turns.some(({ parts }) => parts.some(isForeign)) ? 'messages' : undefined;
}

function setTools(builder: BodyBuilder, conversation: Conversation): void {
  const { tools, toolChoice, parallelToolCalls } = conversation;
  if (tools.length === 0) return;
  const isOffered = builder.upstream.capabilities.tools;
  builder.offer('tools', 'tools', { value: tools.map(wireTool), isOffered });
  builder.offer('toolChoice', 'tool_choice', { value: wireChoice(toolChoice), isOffered });
  builder.offer('parallelToolCalls', 'parallel_tool_calls', { value: parallelToolCalls, isOffered });
}

function setFormat(builder: BodyBuilder, format: OutputFormat | undefined): void {
  const isOffered = format?.type !== 'json_schema' || builder.upstream.capabilities.jsonSchema;
  builder.offer('outputFormat', 'response_format', { value: wireFormat(format), isOffered });
}

function setSampling(builder: BodyBuilder, { sampling }: Conversation): void {
  const { capabilities } = builder.upstream;
  const offer = builder.offer.bind(builder);
  const stop = sampling.stop?.slice(0, MAX_STOPS);
  if ((sampling.stop?.length ?? 0) > MAX_STOPS) builder.leaveOut('stop');
  offer('temperature', 'temperature', { value: sampling.temperature, isOffered: capabilities.temperature });
  offer('topP', 'top_p', { value: sampling.topP, isOffered: true });
  offer('topK', 'top_k', { value: sampling.topK, isOffered: false });
  offer('stop', 'stop', { value: stop, isOffered: true });
  offer('seed', 'seed', { value: sampling.seed, isOffered: capabilities.seed });
  const { penalties } = capabilities;
  offer('frequencyPenalty', 'frequency_penalty', { value: sampling.frequencyPenalty, isOffered: penalties });
  offer('presencePenalty', 'presence_penalty', { value: sampling.presencePenalty, isOffered: penalties });
  offer('logitBias', 'logit_bias', { value: sampling.logitBias, isOffered: capabilities.logitBias });
  offer('logprobs', 'logprobs', { value: sampling.logprobs, isOffered: capabilities.logprobs });
  offer('topLogprobs', 'top_logprobs', { value: sampling.topLogprobs, isOffered: capabilities.logprobs });
  offer('verbosity', 'verbosity', { value: sampling.verbosity, isOffered: capabilities.verbosity });
}

function setHead(builder: BodyBuilder): void {
  const { request, upstream } = builder;
  const limit = upstream.maxOutputTokens;
  const isModern = upstream.capabilities.maxCompletionTokens === true;
  builder.set('reasoning_effort', builder.effort());
  builder.set(isModern ? 'max_completion_tokens' : 'max_tokens', limit);
  builder.set('stream', request.stream);
  if (request.stream) builder.set('stream_options', { include_usage: true });
  if (upstream.capabilities.store === true) builder.set('store', false);
}

/**
 * Makes the body for an endpoint on the OpenAI Chat wire from a request of another surface.
 *
 * Error: `unsupported_value` for what only another wire can carry (documents, typed tools).
 */
export function chatBodyOfConversation(
  request: InferenceRequest,
  conversation: Conversation,
  upstream: Upstream,
): Result<UpstreamBody> {
  const foreign = foreignParam(conversation);
  if (foreign !== undefined) return notOnThisWire(foreign);
  const builder = new BodyBuilder(request, upstream);
  builder.leaveOutNames(conversation.lost);
  const results = conversation.turns.flatMap(({ parts }) => only(parts, 'result'));
  if (results.some(({ isError }) => isError)) builder.leaveOut('isError');
  builder.set('model', upstream.upstreamModel);
  builder.set(
    'messages',
    conversation.turns.flatMap((turn) => turnMessages(turn, upstream)),
  );
  setTools(builder, conversation);
  setFormat(builder, conversation.outputFormat);
  setSampling(builder, conversation);
  setHead(builder);
  return { ok: true, value: builder.build() };
}
