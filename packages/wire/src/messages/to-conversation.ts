import { argumentsOfInput } from '../conversation/call-input.ts';
import type {
  Conversation,
  ForeignPart,
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
import { isClientTool } from './tools.ts';
import type { MessagesBody } from './types.ts';

// What follows reads a body that `parseMessagesRequest` has checked, so the shapes are known.

/** Members of a custom tool that only this wire has. */
const NATIVE_TOOL_FIELDS = [
  'strict',
  'defer_loading',
  'input_examples',
  'eager_input_streaming',
  'allowed_callers',
];
/** The name of a schema, which the other dialects demand and this one has not. */
const SCHEMA_NAME = 'answer';

type Blocks = string | readonly JsonObject[];

function blocksOf(content: unknown): readonly JsonObject[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : (content as readonly JsonObject[]);
}

function imageOf(source: JsonObject): ImagePart {
  const url = source.type === 'url' ? source.url : `data:${source.media_type};base64,${source.data}`;
  return { type: 'image', url: url as string };
}

/** Reads the blocks of one request and remembers what has no place in a conversation. */
class ConversationReader {
  readonly lost = new Set<string>();
  readonly #turns = new TurnList();

  read(body: MessagesBody): Conversation {
    this.#readTurns(body);
    const tools = (body.tools ?? []).map((tool) => this.#tool(tool));
    if (body.context_management !== undefined) this.lost.add('context_management');
    if (body.hasCacheMarks) this.lost.add('cache_control');
    const choice = toolChoiceOf(body.tool_choice);
    const single = body.tool_choice?.disable_parallel_tool_use;
    return {
      turns: this.#turns.turns,
      tools,
      ...(choice === undefined ? {} : { toolChoice: choice }),
      ...(typeof single === 'boolean' ? { parallelToolCalls: !single } : {}),
      ...outputFormatOf(body),
      sampling: samplingOf(body),
      lost: [...this.lost],
    };
  }

  // A system text inside the list has no place of its own elsewhere: it joins the one before the list.
  #readTurns(body: MessagesBody): void {
    const inside = body.messages.filter(({ role }) => role === 'system');
    const texts = [body.system, ...inside.map(({ content }) => content as Blocks)]
      .flatMap((content) => (content === undefined ? [] : blocksOf(content)))
      .flatMap((block) => this.#part(block));
    if (texts.length > 0) this.#turns.add('system', texts);
    for (const { role, content } of body.messages) {
      if (role === 'system') continue;
      const parts = blocksOf(content).flatMap((block) => this.#part(block));
      if (parts.length > 0) this.#turns.add(role as 'user' | 'assistant', parts);
    }
  }

  #part(block: JsonObject): readonly Part[] {
    switch (block.type) {
      case 'tool_use': {
        const called = { id: block.id as string, name: block.name as string };
        return [{ type: 'call', kind: 'function', ...called, arguments: argumentsOfInput(block.input) }];
      }
      case 'tool_result':
        return [this.#result(block)];
      case 'thinking': {
        const sealed = block.signature as string;
        const part = { type: 'reasoning', text: block.thinking as string } as const;
        return [sealed === '' ? part : { ...part, sealed }];
      }
      case 'redacted_thinking':
        return [{ type: 'redacted', sealed: block.data as string }];
      default:
        return this.#plainPart(block);
    }
  }

  #plainPart(block: JsonObject): readonly (TextPart | ImagePart | ForeignPart)[] {
    if (block.type === 'text') {
      if (block.citations !== undefined) this.lost.add('messages.content.citations');
      return [{ type: 'text', text: block.text as string }];
    }
    if (block.type === 'image') return [imageOf(block.source as JsonObject)];
    if (block.type !== 'tool_reference') return [{ type: 'foreign', dialect: 'messages', value: block }];
    // It points at a tool whose loading was deferred; elsewhere every tool is loaded from the start.
    this.lost.add('messages.content.tool_reference');
    return [];
  }

  #result(block: JsonObject): Part {
    const parts = blocksOf(block.content ?? '').flatMap((inner) => this.#plainPart(inner));
    return {
      type: 'result',
      kind: 'function',
      callId: block.tool_use_id as string,
      isError: block.is_error === true,
      parts: parts.filter((part) => part.type !== 'text' || part.text !== ''),
    };
  }

  #tool(tool: JsonObject): Tool {
    const name = tool.name as string;
    if (isClientTool(tool)) return { kind: 'foreign', dialect: 'messages', name, value: tool };
    for (const field of NATIVE_TOOL_FIELDS) if (tool[field] !== undefined) this.lost.add(`tools.${field}`);
    return {
      kind: 'function',
      name,
      ...(tool.description === undefined ? {} : { description: tool.description as string }),
      parameters: tool.input_schema as JsonObject,
    };
  }
}

function toolChoiceOf(choice: JsonObject | undefined): ToolChoice | undefined {
  if (choice === undefined) return undefined;
  if (choice.type === 'tool') return { name: choice.name as string };
  return choice.type === 'any' ? 'required' : (choice.type as 'auto' | 'none');
}

function outputFormatOf(body: MessagesBody): { outputFormat?: OutputFormat } {
  if (body.output_format === undefined) return {};
  const schema = body.output_format.schema as JsonObject;
  return { outputFormat: { type: 'json_schema', name: SCHEMA_NAME, schema, strict: true } };
}

function samplingOf(body: MessagesBody): Sampling {
  return {
    ...(body.temperature === undefined ? {} : { temperature: body.temperature }),
    ...(body.top_p === undefined ? {} : { topP: body.top_p }),
    ...(body.top_k === undefined ? {} : { topK: body.top_k }),
    ...(body.stop_sequences === undefined ? {} : { stop: body.stop_sequences }),
  };
}

/** The neutral form of a checked Messages request. */
export function conversationOfMessages(body: MessagesBody): Conversation {
  return new ConversationReader().read(body);
}
