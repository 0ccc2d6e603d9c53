import type {
  Conversation,
  ImagePart,
  OutputFormat,
  Part,
  Sampling,
  TextPart,
  Tool,
  ToolChoice,
} from '../conversation/model.ts';
import { TurnList } from '../conversation/turns.ts';
import type { JsonObject } from '../json/parse.ts';
import type { ChatBody } from './types.ts';

// What follows reads a body that `parseChatRequest` has checked, so the shapes are known.

function partOf(part: JsonObject): TextPart | ImagePart | Part {
  if (part.type === 'refusal') return { type: 'refusal', text: part.refusal as string };
  if (part.type !== 'image_url') return { type: 'text', text: part.text as string };
  const { url, detail } = part.image_url as { url: string; detail?: string };
  return { type: 'image', url, ...(detail === undefined ? {} : { detail }) };
}

function partsOf(content: unknown): readonly Part[] {
  if (content === null || content === undefined || content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return (content as readonly JsonObject[]).map(partOf);
}

function assistantParts(message: JsonObject): readonly Part[] {
  const parts: Part[] = [];
  if (typeof message.reasoning_content === 'string' && message.reasoning_content !== '') {
    parts.push({ type: 'reasoning', text: message.reasoning_content });
  }
  parts.push(...partsOf(message.content));
  if (typeof message.refusal === 'string') parts.push({ type: 'refusal', text: message.refusal });
  for (const call of (message.tool_calls ?? []) as readonly JsonObject[]) {
    const called = call.function as { name: string; arguments: string };
    const named = { id: call.id as string, name: called.name };
    parts.push({ type: 'call', kind: 'function', ...named, arguments: called.arguments });
  }
  return parts;
}

function resultOf(message: JsonObject): Part {
  const parts = partsOf(message.content) as readonly (TextPart | ImagePart)[];
  const callId = message.tool_call_id as string;
  return { type: 'result', kind: 'function', callId, isError: false, parts };
}

function readTurns(body: ChatBody, lost: Set<string>): TurnList {
  const turns = new TurnList();
  for (const message of body.messages) {
    if (message.name !== undefined) lost.add('messages.name');
    if (message.role === 'tool') turns.add('user', [resultOf(message)]);
    else if (message.role === 'assistant') turns.add('assistant', assistantParts(message));
    else turns.add(message.role as 'system' | 'developer' | 'user', partsOf(message.content));
  }
  return turns;
}

function toolOf(tool: JsonObject): Tool {
  return { kind: 'function', ...(tool.function as JsonObject & { name: string }) };
}

function toolChoiceOf(choice: unknown): ToolChoice | undefined {
  if (typeof choice !== 'object' || choice === null)
    return choice as 'auto' | 'none' | 'required' | undefined;
  const { name } = (choice as { function: { name: string } }).function;
  return { name };
}

function outputFormatOf(format: JsonObject | undefined): OutputFormat | undefined {
  if (format === undefined) return undefined;
  if (format.type === 'json_object') return { type: 'json_object' };
  const schema = format.json_schema as { name: string; schema: JsonObject };
  return { type: 'json_schema', ...schema };
}

function samplingOf(body: ChatBody): Sampling {
  const stop = typeof body.stop === 'string' ? [body.stop] : body.stop;
  const fields: { [Name in keyof Sampling]: Sampling[Name] | undefined } = {
    temperature: body.temperature,
    topP: body.top_p,
    stop,
    seed: body.seed,
    frequencyPenalty: body.frequency_penalty,
    presencePenalty: body.presence_penalty,
    logitBias: body.logit_bias,
    logprobs: body.logprobs,
    topLogprobs: body.top_logprobs,
    verbosity: body.verbosity,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The neutral form of a checked chat request. */
export function conversationOfChat(body: ChatBody): Conversation {
  const lost = new Set<string>();
  const { turns } = readTurns(body, lost);
  const choice = toolChoiceOf(body.tool_choice);
  const format = outputFormatOf(body.response_format);
  return {
    turns,
    tools: (body.tools ?? []).map(toolOf),
    ...(choice === undefined ? {} : { toolChoice: choice }),
    ...(body.parallel_tool_calls === undefined ? {} : { parallelToolCalls: body.parallel_tool_calls }),
    ...(format === undefined ? {} : { outputFormat: format }),
    sampling: samplingOf(body),
    lost: [...lost],
  };
}
