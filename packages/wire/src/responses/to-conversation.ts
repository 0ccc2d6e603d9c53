import type {
  CallKind,
  Conversation,
  ImagePart,
  OutputFormat,
  Part,
  ReasoningPart,
  Sampling,
  TextPart,
  Tool,
  ToolChoice,
} from '../conversation/model.ts';
import { TurnList } from '../conversation/turns.ts';
import type { JsonObject } from '../json/parse.ts';
import type { ResponsesBody } from './types.ts';

// What follows reads a body that `parseResponsesRequest` has checked, so the shapes are known.

function partOf(part: JsonObject): Part {
  if (part.type === 'refusal') return { type: 'refusal', text: part.refusal as string };
  if (part.type !== 'input_image') return { type: 'text', text: part.text as string };
  const detail = part.detail === undefined ? {} : { detail: part.detail as string };
  return { type: 'image', url: part.image_url as string, ...detail };
}

function partsOf(content: unknown): readonly Part[] {
  if (content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return (content as readonly JsonObject[]).map(partOf);
}

function kindOf(type: unknown): CallKind {
  return String(type).startsWith('custom') ? 'custom' : 'function';
}

function callOf(item: JsonObject): Part {
  const text = (item.type === 'function_call' ? item.arguments : item.input) as string;
  const named = { id: item.call_id as string, name: item.name as string };
  return { type: 'call', kind: kindOf(item.type), ...named, arguments: text };
}

function resultOf(item: JsonObject): Part {
  const parts = partsOf(item.output) as readonly (TextPart | ImagePart)[];
  const callId = item.call_id as string;
  return { type: 'result', kind: kindOf(item.type), callId, isError: false, parts };
}

// Summary and text never come together from here; where another server gave both, the text says more.
function reasoningOf(item: JsonObject): ReasoningPart {
  const shown = (item.content ?? item.summary) as readonly { text: string }[];
  const text = shown.map((part) => part.text).join('\n\n');
  const sealed = item.encrypted_content;
  return { type: 'reasoning', text, ...(typeof sealed === 'string' ? { sealed } : {}) };
}

function readItem(item: JsonObject, turns: TurnList): void {
  if (item.type === 'message') {
    turns.add(item.role as 'user' | 'assistant' | 'system' | 'developer', partsOf(item.content));
  } else if (item.type === 'reasoning') turns.add('assistant', [reasoningOf(item)]);
  else if (String(item.type).endsWith('_output')) turns.add('user', [resultOf(item)]);
  else turns.add('assistant', [callOf(item)]);
}

function readTurns(body: ResponsesBody): TurnList {
  const turns = new TurnList();
  if (body.instructions !== undefined && body.instructions !== '') {
    turns.add('system', [{ type: 'text', text: body.instructions }]);
  }
  if (typeof body.input === 'string') turns.add('user', partsOf(body.input));
  else for (const item of body.input) readItem(item, turns);
  return turns;
}

function toolOf(tool: JsonObject): Tool {
  const name = tool.name as string;
  if (tool.type === 'custom') return { kind: 'foreign', dialect: 'responses', name, value: tool };
  const { type: _type, ...called } = tool;
  return { kind: 'function', ...called, name };
}

function toolChoiceOf(choice: unknown): ToolChoice | undefined {
  if (typeof choice !== 'object' || choice === null)
    return choice as 'auto' | 'none' | 'required' | undefined;
  return { name: (choice as { name: string }).name };
}

function samplingOf(body: ResponsesBody): Sampling {
  const fields: { [Name in keyof Sampling]: Sampling[Name] | undefined } = {
    temperature: body.temperature,
    topP: body.top_p,
    logprobs: body.logprobs,
    topLogprobs: body.top_logprobs,
    verbosity: body.verbosity,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The neutral form of a checked Responses request. */
export function conversationOfResponses(body: ResponsesBody): Conversation {
  const choice = toolChoiceOf(body.tool_choice);
  const format = body.text_format as OutputFormat | undefined;
  return {
    turns: readTurns(body).turns,
    tools: (body.tools ?? []).map(toolOf),
    ...(choice === undefined ? {} : { toolChoice: choice }),
    ...(body.parallel_tool_calls === undefined ? {} : { parallelToolCalls: body.parallel_tool_calls }),
    ...(format === undefined ? {} : { outputFormat: format }),
    sampling: samplingOf(body),
    lost: [],
  };
}
