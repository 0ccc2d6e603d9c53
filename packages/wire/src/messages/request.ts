import { strictParamsError } from '../chat/request.ts';
import { Content } from '../content.ts';
import { EFFORTS, type Effort } from '../effort.ts';
import { FieldChecks } from '../field-checks.ts';
import { InputTally } from '../input-tally.ts';
import { type JsonObject, parseJsonObject } from '../json/parse.ts';
import { isJsonSchema } from '../json/schema.ts';
import type { Result } from '../result.ts';
import { BlockReader } from './blocks.ts';
import { ToolReader } from './tools.ts';
import type { MessagesBody, MessagesRequest } from './types.ts';

/** How a Messages request is read. */
export interface ParseMessagesOptions {
  /** Unknown and ignored parameters are `unknown_parameter` instead of being dropped. */
  readonly strictParams?: boolean;
  /** The request only counts tokens: `max_tokens` is not needed. */
  readonly purpose?: 'answer' | 'count';
}

const MAX_STOPS = 8192;
/** Known, accepted, and neither acted on nor forwarded. */
const DROPPED = ['metadata', 'service_tier'] as const;
const READ = [
  'model',
  'max_tokens',
  'messages',
  'system',
  'cache_control',
  'stream',
  'stop_sequences',
  'temperature',
  'top_p',
  'top_k',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'context_management',
  'container',
  'mcp_servers',
] as const;
const KNOWN: ReadonlySet<string> = new Set<string>([...READ, ...DROPPED]);
const OUTPUT_CONFIG: ReadonlySet<string> = new Set(['effort', 'format']);
const THINKING: ReadonlySet<string> = new Set(['type', 'budget_tokens', 'display']);
const THINKING_TYPES = ['enabled', 'adaptive', 'disabled'] as const;
const DISPLAYS = ['summarized', 'omitted'] as const;

/** Budgets of reasoning tokens from which the next effort begins. */
const MEDIUM_BUDGET = 4_096;
const HIGH_BUDGET = 16_384;

interface Thinking {
  readonly field?: JsonObject;
  readonly effort?: Effort;
}

function effortOfBudget(budget: number): Effort {
  if (budget < MEDIUM_BUDGET) return 'low';
  return budget < HIGH_BUDGET ? 'medium' : 'high';
}

function readThinking(source: JsonObject, checks: FieldChecks): Thinking {
  const thinking = checks.object(source.thinking, 'thinking');
  if (thinking === undefined) return {};
  checks.ignoreOthers(thinking, THINKING, 'thinking.');
  if (thinking.type === undefined) checks.missing('thinking.type');
  const type = checks.oneOf(thinking.type, 'thinking.type', THINKING_TYPES);
  const display = checks.oneOf(thinking.display, 'thinking.display', DISPLAYS);
  const shown = display === undefined ? {} : { display };
  if (type === 'disabled') return { field: { type }, effort: 'none' };
  // Left to itself, a model of this dialect thinks with high effort.
  if (type !== 'enabled') return { field: { type, ...shown }, effort: 'high' };
  const param = 'thinking.budget_tokens';
  if (thinking.budget_tokens === undefined) checks.missing(param);
  const budget = checks.integer(thinking.budget_tokens, { param, min: 1 }) ?? 1;
  return { field: { type, budget_tokens: budget, ...shown }, effort: effortOfBudget(budget) };
}

interface OutputConfig {
  readonly effort: Effort | undefined;
  readonly format: JsonObject | undefined;
}

function readFormat(value: unknown, param: string, checks: FieldChecks): JsonObject | undefined {
  const format = checks.object(value, param);
  if (format === undefined) return undefined;
  if (format.type === undefined) checks.missing(`${param}.type`);
  checks.oneOf(format.type, `${param}.type`, ['json_schema']);
  const isSchema = typeof format.schema === 'object' && isJsonSchema(format.schema);
  if (!isSchema) checks.fail('invalid_value', param, `'${param}.schema' must be a JSON Schema.`);
  return { type: 'json_schema', schema: format.schema };
}

// The older name of the format is a member of its own.
function readOutputConfig(source: JsonObject, checks: FieldChecks, tally: InputTally): OutputConfig {
  const config = checks.object(source.output_config, 'output_config') ?? {};
  checks.ignoreOthers(config, OUTPUT_CONFIG, 'output_config.');
  const effort = checks.oneOf(config.effort, 'output_config.effort', EFFORTS);
  const format =
    readFormat(config.format, 'output_config.format', checks) ??
    readFormat(source.output_format, 'output_format', checks);
  if (format !== undefined) tally.json(format);
  return { effort, format };
}

function readStops(source: JsonObject, checks: FieldChecks): readonly string[] | undefined {
  const param = 'stop_sequences';
  const stops = checks.array(source[param], { param, max: MAX_STOPS });
  for (const stop of stops ?? []) {
    if (typeof stop !== 'string') checks.wrongType(param, 'an array of strings');
    else if (stop === '') checks.fail('invalid_value', param, `'${param}' must not hold an empty string.`);
  }
  return stops === undefined || stops.length === 0 ? undefined : (stops as readonly string[]);
}

function isEmptyValue(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Refuses what would keep content, or carry it to other servers. */
function refuseUnoffered(source: JsonObject, checks: FieldChecks): void {
  for (const param of ['container', 'mcp_servers']) {
    if (isEmptyValue(source[param])) continue;
    checks.fail('unsupported_value', param, `'${param}' is not offered: it would carry content elsewhere.`);
  }
}

function readSampling(source: JsonObject, checks: FieldChecks): Partial<MessagesBody> {
  const fields = {
    temperature: checks.number(source.temperature, { param: 'temperature', min: 0, max: 1 }),
    top_p: checks.number(source.top_p, { param: 'top_p', min: 0, max: 1 }),
    top_k: checks.integer(source.top_k, { param: 'top_k', min: 0 }),
    stop_sequences: readStops(source, checks),
    context_management: checks.object(source.context_management, 'context_management'),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function readMaxTokens(source: JsonObject, checks: FieldChecks, purpose: string): number | undefined {
  const param = 'max_tokens';
  const isMissing = source[param] === undefined || source[param] === null;
  if (isMissing && purpose === 'answer') checks.missing(param);
  return checks.integer(source[param], { param, min: 1 });
}

/** All that was read of one body, before it is put together. */
class RequestReader {
  readonly checks = new FieldChecks();
  readonly #tally = new InputTally();
  readonly #blocks = new BlockReader(this.checks, this.#tally);
  readonly #source: JsonObject;

  constructor(source: JsonObject) {
    this.#source = source;
  }

  read(options: ParseMessagesOptions): MessagesRequest {
    const { checks } = this;
    const source = this.#source;
    const thinking = readThinking(source, checks);
    const output = readOutputConfig(source, checks, this.#tally);
    const { hasClientTools, ...tools } = new ToolReader(checks, this.#blocks).read(source, this.#tally);
    const body = this.#body({ ...tools, ...this.#thinkingField(thinking), ...this.#formatField(output) });
    refuseUnoffered(source, checks);
    checks.ignorePresent(source, DROPPED);
    return {
      dialect: 'messages',
      model: checks.requiredString(source.model, 'model'),
      stream: checks.boolean(source.stream, 'stream') ?? false,
      includeUsage: true,
      maxOutputTokens: readMaxTokens(source, checks, options.purpose ?? 'answer'),
      maxOutputParam: 'max_tokens',
      choiceCount: 1,
      effort: thinking.effort === 'none' ? 'none' : (output.effort ?? thinking.effort),
      isEffortFromThinking: thinking.effort === 'none' || output.effort === undefined,
      showsReasoning: thinking.effort !== undefined && thinking.effort !== 'none',
      ...(body.temperature === undefined ? {} : { temperature: body.temperature }),
      strictParams: options.strictParams ?? false,
      ignoredParams: checks.ignoredParams,
      needs: { ...this.#needs(body), clientTools: hasClientTools },
      textBytes: this.#tally.textBytes,
      imageCount: this.#tally.imageCount,
      body: Content.of(body),
    };
  }

  #thinkingField({ field }: Thinking): Pick<MessagesBody, 'thinking'> {
    return field === undefined ? {} : { thinking: field };
  }

  #formatField({ format }: OutputConfig): Pick<MessagesBody, 'output_format'> {
    return format === undefined ? {} : { output_format: format };
  }

  #body(fields: Partial<MessagesBody>): MessagesBody {
    const system = this.#blocks.system(this.#source.system);
    const messages = this.#blocks.messages(this.#source.messages);
    const mark = this.#blocks.cacheControl(this.#source, '');
    return {
      ...(system === undefined ? {} : { system }),
      messages,
      ...fields,
      ...mark,
      ...readSampling(this.#source, this.checks),
      hasCacheMarks: this.#blocks.seen.cacheMarks,
      unknown: this.checks.takeUnknown(this.#source, KNOWN),
    };
  }

  #needs(body: MessagesBody): MessagesRequest['needs'] {
    return {
      tools: body.tools !== undefined,
      jsonSchema: body.output_format !== undefined,
      images: this.#tally.imageCount > 0,
      logprobs: false,
      n: false,
      documents: this.#blocks.seen.documents,
    };
  }
}

/**
 * Reads a Messages request. The body is parsed once; what follows works on the result.
 *
 * Errors as those of a chat request: `invalid_json`, `invalid_request`, `invalid_value`,
 * `unsupported_value` and, with `strictParams`, `unknown_parameter`. None quotes anything but names of
 * parameters and numbers.
 */
export function parseMessagesRequest(
  source: Uint8Array | string,
  options: ParseMessagesOptions = {},
): Result<MessagesRequest> {
  const parsed = parseJsonObject(source);
  if (!parsed.ok) return parsed;
  const reader = new RequestReader(parsed.value);
  const value = reader.read(options);
  const strictError = value.strictParams ? strictParamsError(value.ignoredParams) : undefined;
  const error = reader.checks.error ?? strictError;
  return error === undefined ? { ok: true, value } : { ok: false, error };
}
