import type { FieldChecks } from '../field-checks.ts';
import type { InputTally } from '../input-tally.ts';
import type { JsonObject } from '../json/parse.ts';
import { isJsonObject } from '../json/parse.ts';
import { isJsonSchema } from '../json/schema.ts';

const MAX_TOOLS = 512;
const TOOL_FIELDS: ReadonlySet<string> = new Set(['type', 'function']);
const FUNCTION_FIELDS: ReadonlySet<string> = new Set(['name', 'description', 'parameters', 'strict']);
const CHOICES = ['none', 'auto', 'required'] as const;
const LEGACY_CHOICES = ['none', 'auto'] as const;
const FORMATS = ['text', 'json_object', 'json_schema'] as const;

/** The fields of a request that speak of tools, in the modern spelling. */
export interface ToolFields {
  readonly tools?: readonly JsonObject[];
  readonly tool_choice?: unknown;
  readonly parallel_tool_calls?: boolean;
}

function readFunction(value: unknown, param: string, checks: FieldChecks): JsonObject {
  if (value === undefined || value === null) checks.missing(param);
  const source = checks.object(value, param) ?? {};
  checks.ignoreOthers(source, FUNCTION_FIELDS, 'tools.function.');
  const name = checks.toolName(source.name, `${param}.name`);
  const description = checks.string(source.description, `${param}.description`);
  const parameters = checks.object(source.parameters, `${param}.parameters`);
  const strict = checks.boolean(source.strict, `${param}.strict`);
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(strict === undefined ? {} : { strict }),
  };
}

function readTool(value: unknown, param: string, checks: FieldChecks): JsonObject {
  const tool = isJsonObject(value) ? value : {};
  if (tool !== value) checks.wrongType(param, 'an object');
  const type = checks.requiredString(tool.type, `${param}.type`);
  if (type !== 'function') {
    checks.fail('unsupported_value', `${param}.type`, 'Only tools of type function are offered.');
    return {};
  }
  checks.ignoreOthers(tool, TOOL_FIELDS, 'tools.');
  return { type, function: readFunction(tool.function, `${param}.function`, checks) };
}

function readToolList(source: JsonObject, checks: FieldChecks): readonly JsonObject[] {
  const tools = checks.array(source.tools, { param: 'tools', max: MAX_TOOLS }) ?? [];
  const functions = checks.array(source.functions, { param: 'functions', max: MAX_TOOLS }) ?? [];
  if (tools.length > 0 && functions.length > 0) {
    checks.fail('invalid_request', 'functions', "Send 'tools' or 'functions', not both.");
  }
  return [
    ...tools.map((tool, index) => readTool(tool, `tools[${index}]`, checks)),
    ...functions.map((value, index) => {
      return { type: 'function', function: readFunction(value, `functions[${index}]`, checks) };
    }),
  ];
}

function readNamedChoice(choice: JsonObject, param: string, checks: FieldChecks): JsonObject {
  if (choice.type !== 'function') {
    checks.fail('unsupported_value', `${param}.type`, `'${param}.type' must be function.`);
  }
  const named = checks.object(choice.function, `${param}.function`) ?? {};
  return { type: 'function', function: { name: checks.toolName(named.name, `${param}.function.name`) } };
}

function readChoice(source: JsonObject, checks: FieldChecks): unknown {
  const choice = source.tool_choice;
  if (isJsonObject(choice)) return readNamedChoice(choice, 'tool_choice', checks);
  if (choice !== undefined && choice !== null) return checks.oneOf(choice, 'tool_choice', CHOICES);
  const legacy = source.function_call;
  if (!isJsonObject(legacy)) return checks.oneOf(legacy, 'function_call', LEGACY_CHOICES);
  return { type: 'function', function: { name: checks.toolName(legacy.name, 'function_call.name') } };
}

function nameOf(tool: unknown): unknown {
  const called = isJsonObject(tool) ? tool.function : undefined;
  return isJsonObject(called) ? called.name : undefined;
}

// A choice that demands a call cannot be met without the tool; one that does not is dropped with the tools.
function checkChoice(choice: unknown, tools: readonly JsonObject[], checks: FieldChecks): void {
  if (choice === 'required' && tools.length === 0) {
    checks.fail('invalid_request', 'tool_choice', "'tool_choice' requires a tool, but there is none.");
  }
  if (isJsonObject(choice) && !tools.some((tool) => nameOf(tool) === nameOf(choice))) {
    checks.fail(
      'invalid_request',
      'tool_choice',
      "'tool_choice' names a function that is not among the tools.",
    );
  }
}

/** Reads `tools`, `tool_choice`, `parallel_tool_calls` and their legacy forms. */
export function readToolFields(source: JsonObject, checks: FieldChecks, tally: InputTally): ToolFields {
  const tools = readToolList(source, checks);
  const choice = readChoice(source, checks);
  const parallel = checks.boolean(source.parallel_tool_calls, 'parallel_tool_calls');
  checkChoice(choice, tools, checks);
  if (tools.length === 0) return {};
  tally.json(tools);
  return {
    tools,
    ...(choice === undefined ? {} : { tool_choice: choice }),
    ...(parallel === undefined ? {} : { parallel_tool_calls: parallel }),
  };
}

function readJsonSchema(value: unknown, checks: FieldChecks): JsonObject {
  const param = 'response_format.json_schema';
  const source = isJsonObject(value) ? value : {};
  if (source !== value || !isJsonObject(source.schema) || !isJsonSchema(source.schema)) {
    checks.fail('invalid_value', param, `'${param}.schema' must be a JSON Schema.`);
  }
  const description = checks.string(source.description, `${param}.description`);
  const strict = checks.boolean(source.strict, `${param}.strict`);
  return {
    name: checks.toolName(source.name, `${param}.name`),
    ...(description === undefined ? {} : { description }),
    schema: source.schema,
    ...(strict === undefined ? {} : { strict }),
  };
}

/** Reads `response_format`; plain text, the default, gives `undefined`. */
export function readResponseFormat(
  source: JsonObject,
  checks: FieldChecks,
  tally: InputTally,
): JsonObject | undefined {
  const format = checks.object(source.response_format, 'response_format');
  if (format === undefined) return undefined;
  if (format.type === undefined) checks.missing('response_format.type');
  const type = checks.oneOf(format.type, 'response_format.type', FORMATS);
  if (type === 'json_object') return { type };
  if (type !== 'json_schema') return undefined;
  const schema = readJsonSchema(format.json_schema, checks);
  tally.json(schema);
  return { type, json_schema: schema };
}
