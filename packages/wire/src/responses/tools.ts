import type { FieldChecks } from '../field-checks.ts';
import type { InputTally } from '../input-tally.ts';
import { isJsonObject, type JsonObject } from '../json/parse.ts';
import { isJsonSchema } from '../json/schema.ts';

const MAX_TOOLS = 512;
const CHOICES = ['none', 'auto', 'required'] as const;
const FORMATS = ['text', 'json_object', 'json_schema'] as const;
const VERBOSITIES = ['low', 'medium', 'high'] as const;
const FUNCTION_FIELDS: ReadonlySet<string> = new Set(['type', 'name', 'description', 'parameters', 'strict']);
const CUSTOM_FIELDS: ReadonlySet<string> = new Set(['type', 'name', 'description', 'format']);
const TEXT_FIELDS: ReadonlySet<string> = new Set(['format', 'verbosity']);

/** The members of a request that speak of tools. */
export interface ResponsesToolFields {
  readonly tools?: readonly JsonObject[];
  readonly tool_choice?: unknown;
  readonly parallel_tool_calls?: boolean;
}

function readFunction(tool: JsonObject, param: string, checks: FieldChecks): JsonObject {
  checks.ignoreOthers(tool, FUNCTION_FIELDS, 'tools.');
  const name = checks.toolName(tool.name, `${param}.name`);
  const description = checks.string(tool.description, `${param}.description`);
  const parameters = checks.object(tool.parameters, `${param}.parameters`);
  const strict = checks.boolean(tool.strict, `${param}.strict`);
  if (parameters !== undefined && !isJsonSchema(parameters)) {
    checks.fail('invalid_value', `${param}.parameters`, `'${param}.parameters' must be a JSON Schema.`);
  }
  return {
    type: 'function',
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(strict === undefined ? {} : { strict }),
  };
}

function readCustom(tool: JsonObject, param: string, checks: FieldChecks): JsonObject {
  checks.ignoreOthers(tool, CUSTOM_FIELDS, 'tools.');
  const name = checks.toolName(tool.name, `${param}.name`);
  const description = checks.string(tool.description, `${param}.description`);
  const format = checks.object(tool.format, `${param}.format`);
  return {
    type: 'custom',
    name,
    ...(description === undefined ? {} : { description }),
    ...(format === undefined ? {} : { format }),
  };
}

/** One tool of the list, or none where it is left out and said to be. */
function readTool(value: unknown, param: string, checks: FieldChecks): readonly JsonObject[] {
  const tool = isJsonObject(value) ? value : {};
  if (tool !== value) checks.wrongType(param, 'an object');
  const type = checks.requiredString(tool.type, `${param}.type`);
  if (type === 'function') return [readFunction(tool, param, checks)];
  if (type === 'custom') return [readCustom(tool, param, checks)];
  if (type === 'namespace') {
    // Coding agents always offer groups of further functions that the client runs; they work without them.
    checks.ignore('tools.namespace');
    return [];
  }
  const message = `'${param}.type' is a tool that a server runs, which would carry content elsewhere.`;
  checks.fail('unsupported_value', `${param}.type`, message);
  return [];
}

function readChoice(
  choice: unknown,
  tools: readonly JsonObject[],
  checks: FieldChecks,
): string | JsonObject | undefined {
  const param = 'tool_choice';
  if (!isJsonObject(choice)) {
    const word = checks.oneOf(choice, param, CHOICES);
    if (word === 'required' && tools.length === 0) {
      checks.fail('invalid_request', param, "'tool_choice' requires a tool, but there is none.");
    }
    return word;
  }
  const { type } = choice;
  if (type !== 'function' && type !== 'custom') {
    checks.fail('unsupported_value', `${param}.type`, "'tool_choice.type' must be function or custom.");
  }
  const name = checks.toolName(choice.name, `${param}.name`);
  if (!tools.some((tool) => tool.name === name && tool.type === type)) {
    checks.fail('invalid_request', param, "'tool_choice' names a tool that is not among the tools.");
  }
  return { type, name };
}

/** Reads `tools`, `tool_choice` and `parallel_tool_calls`. */
export function readResponsesTools(
  source: JsonObject,
  checks: FieldChecks,
  tally: InputTally,
): ResponsesToolFields {
  const items = checks.array(source.tools, { param: 'tools', max: MAX_TOOLS }) ?? [];
  const tools = items.flatMap((tool, index) => readTool(tool, `tools[${index}]`, checks));
  const choice = readChoice(source.tool_choice, tools, checks);
  const parallel = checks.boolean(source.parallel_tool_calls, 'parallel_tool_calls');
  if (tools.length === 0) return {};
  tally.json(tools);
  return {
    tools,
    ...(choice === undefined ? {} : { tool_choice: choice }),
    ...(parallel === undefined ? {} : { parallel_tool_calls: parallel }),
  };
}

function readSchemaFormat(format: JsonObject, checks: FieldChecks): JsonObject {
  const param = 'text.format';
  if (!isJsonObject(format.schema) || !isJsonSchema(format.schema)) {
    checks.fail('invalid_value', param, `'${param}.schema' must be a JSON Schema.`);
  }
  const description = checks.string(format.description, `${param}.description`);
  const strict = checks.boolean(format.strict, `${param}.strict`);
  return {
    type: 'json_schema',
    name: checks.toolName(format.name, `${param}.name`),
    ...(description === undefined ? {} : { description }),
    schema: format.schema,
    ...(strict === undefined ? {} : { strict }),
  };
}

/** What `text` says of the answer's shape and length. */
export interface TextFields {
  readonly text_format?: JsonObject;
  readonly verbosity?: string;
}

/** Reads `text`; plain text, the default, gives no format. */
export function readTextFields(source: JsonObject, checks: FieldChecks, tally: InputTally): TextFields {
  const text = checks.object(source.text, 'text') ?? {};
  checks.ignoreOthers(text, TEXT_FIELDS, 'text.');
  const verbosity = checks.oneOf(text.verbosity, 'text.verbosity', VERBOSITIES);
  const length = verbosity === undefined ? {} : { verbosity };
  const format = checks.object(text.format, 'text.format');
  if (format === undefined) return length;
  if (format.type === undefined) checks.missing('text.format.type');
  const type = checks.oneOf(format.type, 'text.format.type', FORMATS);
  if (type === 'json_object') return { ...length, text_format: { type } };
  if (type !== 'json_schema') return length;
  const schema = readSchemaFormat(format, checks);
  tally.json(schema);
  return { ...length, text_format: schema };
}
