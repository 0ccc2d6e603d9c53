import type { FieldChecks } from '../field-checks.ts';
import type { InputTally } from '../input-tally.ts';
import { isJsonObject, type JsonObject } from '../json/parse.ts';
import { isJsonSchema } from '../json/schema.ts';
import type { BlockReader } from './blocks.ts';

const MAX_TOOLS = 512;
const CHOICES = ['auto', 'any', 'tool', 'none'] as const;
const CUSTOM_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'name',
  'description',
  'input_schema',
  'cache_control',
  'defer_loading',
  'strict',
  'input_examples',
  'eager_input_streaming',
  'allowed_callers',
]);
/** Typed tools that the client runs itself. Every other type is run by a server, which would see content. */
const CLIENT_TYPE = /^(?:bash|text_editor|computer|memory)_\d{8}$/;
const CHOICE_FIELDS: ReadonlySet<string> = new Set(['type', 'name', 'disable_parallel_tool_use']);

/** The members of a request that speak of tools. */
export interface MessagesToolFields {
  readonly tools?: readonly JsonObject[];
  readonly tool_choice?: JsonObject;
  readonly hasClientTools: boolean;
}

/** Whether a tool, already checked, is one of the client's typed ones. */
export function isClientTool(tool: JsonObject): boolean {
  return tool.type !== undefined && tool.type !== 'custom';
}

/** Reads `tools` and `tool_choice`. */
export class ToolReader {
  readonly #checks: FieldChecks;
  readonly #blocks: BlockReader;

  constructor(checks: FieldChecks, blocks: BlockReader) {
    this.#checks = checks;
    this.#blocks = blocks;
  }

  read(source: JsonObject, tally: InputTally): MessagesToolFields {
    const items = this.#checks.array(source.tools, { param: 'tools', max: MAX_TOOLS }) ?? [];
    const tools = items.map((tool, index) => this.#tool(tool, `tools[${index}]`));
    const choice = this.#choice(source.tool_choice, tools);
    if (tools.length === 0) return { hasClientTools: false };
    tally.json(tools);
    const fields = { tools, hasClientTools: tools.some(isClientTool) };
    return choice === undefined ? fields : { ...fields, tool_choice: choice };
  }

  #tool(value: unknown, param: string): JsonObject {
    const tool = isJsonObject(value) ? value : {};
    if (tool !== value) this.#checks.wrongType(param, 'an object');
    const type = this.#checks.string(tool.type, `${param}.type`) ?? 'custom';
    const name = this.#checks.toolName(tool.name, `${param}.name`);
    if (type === 'custom') return this.#custom(tool, name, param);
    if (!CLIENT_TYPE.test(type)) {
      const message = `'${param}.type' is a tool that a server runs, which would carry content elsewhere.`;
      this.#checks.fail('unsupported_value', `${param}.type`, message);
    }
    return { ...tool, ...this.#blocks.cacheControl(tool, param) };
  }

  #custom(tool: JsonObject, name: string | undefined, param: string): JsonObject {
    this.#checks.ignoreOthers(tool, CUSTOM_FIELDS, 'tools.');
    const description = this.#checks.string(tool.description, `${param}.description`);
    if (tool.input_schema === undefined || tool.input_schema === null) {
      this.#checks.missing(`${param}.input_schema`);
    } else if (!isJsonObject(tool.input_schema)) {
      this.#checks.wrongType(`${param}.input_schema`, 'an object');
    } else if (!isJsonSchema(tool.input_schema)) {
      const rule = `'${param}.input_schema' must be a JSON Schema.`;
      this.#checks.fail('invalid_value', `${param}.input_schema`, rule);
    }
    const others = Object.entries(tool).filter(
      ([key, member]) => CUSTOM_FIELDS.has(key) && key !== 'cache_control' && member !== null,
    );
    return {
      ...Object.fromEntries(others),
      name,
      ...(description === undefined ? {} : { description }),
      ...this.#blocks.cacheControl(tool, param),
    };
  }

  #choice(value: unknown, tools: readonly JsonObject[]): JsonObject | undefined {
    const choice = this.#checks.object(value, 'tool_choice');
    if (choice === undefined) return undefined;
    this.#checks.ignoreOthers(choice, CHOICE_FIELDS, 'tool_choice.');
    if (choice.type === undefined) this.#checks.missing('tool_choice.type');
    const type = this.#checks.oneOf(choice.type, 'tool_choice.type', CHOICES);
    const single = this.#checks.boolean(
      choice.disable_parallel_tool_use,
      'tool_choice.disable_parallel_tool_use',
    );
    const name = type === 'tool' ? this.#checks.toolName(choice.name, 'tool_choice.name') : undefined;
    this.#checkChoice(type, name, tools);
    return {
      type,
      ...(name === undefined ? {} : { name }),
      ...(single === undefined || type === 'none' ? {} : { disable_parallel_tool_use: single }),
    };
  }

  #checkChoice(type: string | undefined, name: string | undefined, tools: readonly JsonObject[]): void {
    const isMissing = type === 'any' && tools.length === 0;
    const isUnknown = type === 'tool' && !tools.some((tool) => tool.name === name);
    if (!isMissing && !isUnknown) return;
    this.#checks.fail(
      'invalid_request',
      'tool_choice',
      "'tool_choice' demands a tool that is not among the tools.",
    );
  }
}
