import { BodyBuilder } from '../conversation/body-builder.ts';
import type {
  Conversation,
  ImagePart,
  Part,
  ReasoningPart,
  RedactedPart,
  TextPart,
  Tool,
  ToolChoice,
  Turn,
} from '../conversation/model.ts';
import type { InferenceRequest } from '../conversation/request.ts';
import { notOnThisWire, type Upstream, type UpstreamBody } from '../conversation/upstream.ts';
import type { JsonObject } from '../json/parse.ts';
import type { Result } from '../result.ts';
import { setCommonFields } from './upstream-fields.ts';

function inputPart(part: TextPart | ImagePart): JsonObject {
  if (part.type === 'text') return { type: 'input_text', text: part.text };
  const detail = part.detail === undefined ? {} : { detail: part.detail };
  return { type: 'input_image', image_url: part.url, ...detail };
}

function isShown(part: Part): part is TextPart | ImagePart {
  return part.type === 'text' || part.type === 'image';
}

function resultItem(part: Extract<Part, { type: 'result' }>): JsonObject {
  const shown = part.parts.filter(isShown);
  const [first] = shown;
  const isPlain = shown.length === 1 && first?.type === 'text';
  const output = isPlain ? first.text : shown.length === 0 ? '' : shown.map(inputPart);
  const type = part.kind === 'custom' ? 'custom_tool_call_output' : 'function_call_output';
  return { type, call_id: part.callId, output };
}

function callItem(part: Extract<Part, { type: 'call' }>): JsonObject {
  const called = { call_id: part.id, name: part.name };
  if (part.kind === 'custom') return { type: 'custom_tool_call', ...called, input: part.arguments };
  return { type: 'function_call', ...called, arguments: part.arguments };
}

function userItems(turn: Turn): readonly JsonObject[] {
  const results = turn.parts.flatMap((part) => (part.type === 'result' ? [resultItem(part)] : []));
  const shown = turn.parts.filter(isShown);
  if (shown.length === 0) return results;
  return [...results, { type: 'message', role: turn.role, content: shown.map(inputPart) }];
}

function reasoningItem(part: ReasoningPart | RedactedPart, upstream: Upstream): readonly JsonObject[] {
  if (upstream.capabilities.encryptedReasoning !== true || upstream.withoutReasoning === true) return [];
  const opaque = part.sealed === undefined ? undefined : upstream.seal?.unwrap(part.sealed);
  if (opaque === undefined) return [];
  const text = part.type === 'reasoning' ? part.text : '';
  const summary = text === '' ? [] : [{ type: 'summary_text', text }];
  return [{ type: 'reasoning', summary, encrypted_content: opaque.value }];
}

/** Items of what the model did, in its order. Text that follows upon itself is one message. */
function assistantItems(turn: Turn, upstream: Upstream): readonly JsonObject[] {
  const items: JsonObject[] = [];
  let message: JsonObject[] | undefined;
  for (const part of turn.parts) {
    if (part.type === 'text' || part.type === 'refusal') {
      if (message === undefined) {
        message = [];
        items.push({ type: 'message', role: 'assistant', content: message });
      }
      const isText = part.type === 'text';
      message.push(
        isText ? { type: 'output_text', text: part.text } : { type: 'refusal', refusal: part.text },
      );
      continue;
    }
    message = undefined;
    if (part.type === 'call') items.push(callItem(part));
    else if (part.type === 'reasoning' || part.type === 'redacted')
      items.push(...reasoningItem(part, upstream));
  }
  return items;
}

function inputItems(turns: readonly Turn[], upstream: Upstream): readonly JsonObject[] {
  return turns.flatMap((turn) =>
    turn.role === 'assistant' ? assistantItems(turn, upstream) : userItems(turn),
  );
}

function textOf(turn: Turn | undefined): string | undefined {
  if (turn?.role !== 'system' || turn.parts.some(({ type }) => type !== 'text')) return undefined;
  return turn.parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n\n');
}

function wireTool(tool: Tool): JsonObject {
  if (tool.kind === 'foreign') return tool.value;
  const { kind: _kind, parameters, strict, ...named } = tool;
  // Unlike the others, this wire takes a tool for strict unless it is told otherwise.
  return { type: 'function', ...named, parameters: parameters ?? null, strict: strict ?? false };
}

function wireChoice(choice: ToolChoice | undefined, tools: readonly Tool[]): unknown {
  if (typeof choice !== 'object') return choice;
  const tool = tools.find(({ name }) => name === choice.name);
  return { type: tool?.kind === 'foreign' ? 'custom' : 'function', name: choice.name };
}

function foreignParam(conversation: Conversation): string | undefined {
  const isForeign = (part: Part): boolean => {
    if (part.type === 'result') return part.parts.some(isForeign);
    return part.type === 'foreign' && part.dialect !== 'responses';
  };
  const isForeignTool = (tool: Tool) => tool.kind === 'foreign' && tool.dialect !== 'responses';
  if (conversation.tools.some(isForeignTool)) return 'tools';
  return conversation.turns.some(({ parts }) => parts.some(isForeign)) ? 'messages' : undefined;
}

function setTools(builder: BodyBuilder, conversation: Conversation): void {
  const { tools, toolChoice, parallelToolCalls } = conversation;
  if (tools.length === 0) return;
  const isOffered = builder.upstream.capabilities.tools;
  builder.offer('tools', 'tools', { value: tools.map(wireTool), isOffered });
  builder.offer('toolChoice', 'tool_choice', { value: wireChoice(toolChoice, tools), isOffered });
  builder.offer('parallelToolCalls', 'parallel_tool_calls', { value: parallelToolCalls, isOffered });
}

/** What this wire has no field for. */
function leaveOutAbsent(builder: BodyBuilder, { sampling, turns }: Conversation): void {
  const absent = ['topK', 'stop', 'seed', 'frequencyPenalty', 'presencePenalty', 'logitBias'] as const;
  for (const field of absent) if (sampling[field] !== undefined) builder.leaveOut(field);
  if (builder.request.choiceCount > 1) builder.leaveOut('choiceCount');
  const isFailed = (part: Part) => part.type === 'result' && part.isError;
  if (turns.some(({ parts }) => parts.some(isFailed))) builder.leaveOut('isError');
}

/**
 * Makes the body for an endpoint on the Responses wire from a request of another surface.
 *
 * Error: `unsupported_value` for what only another wire can carry (documents, typed tools).
 */
export function responsesBodyOfConversation(
  request: InferenceRequest,
  conversation: Conversation,
  upstream: Upstream,
): Result<UpstreamBody> {
  const foreign = foreignParam(conversation);
  if (foreign !== undefined) return notOnThisWire(foreign);
  const builder = new BodyBuilder(request, upstream);
  builder.leaveOutNames(conversation.lost);
  const instructions = textOf(conversation.turns[0]);
  const turns = instructions === undefined ? conversation.turns : conversation.turns.slice(1);
  builder.set('model', upstream.upstreamModel);
  builder.set('instructions', instructions);
  builder.set('input', inputItems(turns, upstream));
  setTools(builder, conversation);
  leaveOutAbsent(builder, conversation);
  const { sampling, outputFormat } = conversation;
  setCommonFields(builder, {
    ...sampling,
    ...(outputFormat === undefined ? {} : { format: { ...outputFormat } }),
  });
  return { ok: true, value: builder.build() };
}
