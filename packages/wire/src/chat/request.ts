import { Content } from '../content.ts';
import { EFFORTS, type Effort } from '../effort.ts';
import { type GridError, gridError } from '../errors/grid-error.ts';
import { FieldChecks } from '../field-checks.ts';
import { InputTally } from '../input-tally.ts';
import { type JsonObject, parseJsonObject } from '../json/parse.ts';
import type { Result } from '../result.ts';
import { MessageReader } from './messages.ts';
import { readResponseFormat, readToolFields } from './tools.ts';
import type { ChatBody, ChatNeeds, ChatRequest } from './types.ts';

/** How a chat request is read. */
export interface ParseChatOptions {
  /** Unknown and ignored parameters are `unknown_parameter` instead of being dropped. */
  readonly strictParams?: boolean;
}

const MAX_STOPS = 4;
const VERBOSITIES = ['low', 'medium', 'high'] as const;
const RETENTIONS = ['in_memory', 'in-memory', '24h'] as const;

/** Known, accepted, and neither acted on nor forwarded. */
const DROPPED = [
  'service_tier',
  'metadata',
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'prediction',
  'route',
  'provider',
  'transforms',
  'plugins',
] as const;

const READ = [
  'model',
  'messages',
  'max_completion_tokens',
  'max_tokens',
  'temperature',
  'top_p',
  'n',
  'stream',
  'stream_options',
  'stop',
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'response_format',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'functions',
  'function_call',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'reasoning_effort',
  'reasoning',
  'verbosity',
  'store',
  'prompt_cache_retention',
  'web_search_options',
  'modalities',
  'audio',
] as const;

const KNOWN: ReadonlySet<string> = new Set<string>([...READ, ...DROPPED]);
const STREAM_OPTIONS: ReadonlySet<string> = new Set(['include_usage']);
const REASONING: ReadonlySet<string> = new Set(['effort']);

/** The mutable form of a type whose members are filled in one by one. */
type Draft<Type> = { -readonly [Name in keyof Type]: Type[Name] };

function readStop(value: unknown, checks: FieldChecks): string | readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const items = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(items)) return checks.wrongType('stop', 'a string or an array of strings');
  checks.array(items, { param: 'stop', max: MAX_STOPS });
  for (const item of items) {
    if (typeof item !== 'string') checks.wrongType('stop', 'a string or an array of strings');
    else if (item === '') checks.fail('invalid_value', 'stop', "'stop' must not hold an empty string.");
  }
  return items.length === 0 ? undefined : (value as string | readonly string[]);
}

function readLogitBias(value: unknown, checks: FieldChecks): JsonObject | undefined {
  const bias = checks.object(value, 'logit_bias');
  for (const token in bias) checks.number(bias[token], { param: 'logit_bias', min: -100, max: 100 });
  return bias;
}

function readSampling(source: JsonObject, checks: FieldChecks): Draft<Partial<ChatBody>> {
  const number = (param: string, min: number, max: number) =>
    checks.number(source[param], { param, min, max });
  const fields = {
    temperature: number('temperature', 0, 2),
    top_p: number('top_p', 0, 1),
    frequency_penalty: number('frequency_penalty', -2, 2),
    presence_penalty: number('presence_penalty', -2, 2),
    seed: checks.integer(source.seed, { param: 'seed' }),
    verbosity: checks.oneOf(source.verbosity, 'verbosity', VERBOSITIES),
    stop: readStop(source.stop, checks),
    logit_bias: readLogitBias(source.logit_bias, checks),
    ...readLogprobs(source, checks),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function readLogprobs(source: JsonObject, checks: FieldChecks): Pick<ChatBody, 'logprobs' | 'top_logprobs'> {
  const logprobs = checks.boolean(source.logprobs, 'logprobs') ?? false;
  const top = checks.integer(source.top_logprobs, { param: 'top_logprobs', min: 0, max: 20 }) ?? 0;
  if (top > 0 && !logprobs) {
    checks.fail('invalid_request', 'top_logprobs', "'top_logprobs' requires 'logprobs' to be true.");
  }
  if (!logprobs) return {};
  return source.top_logprobs === undefined ? { logprobs } : { logprobs, top_logprobs: top };
}

function readEffort(source: JsonObject, checks: FieldChecks): Effort | undefined {
  const reasoning = checks.object(source.reasoning, 'reasoning') ?? {};
  checks.ignoreOthers(reasoning, REASONING, 'reasoning.');
  const alias = checks.oneOf(reasoning.effort, 'reasoning.effort', EFFORTS);
  return checks.oneOf(source.reasoning_effort, 'reasoning_effort', EFFORTS) ?? alias;
}

/** Refuses what would need audio, a search of the web, or a cache that outlives the request. */
function refuseUnoffered(source: JsonObject, checks: FieldChecks): void {
  for (const param of ['web_search_options', 'audio']) {
    const isSet = source[param] !== undefined && source[param] !== null;
    if (isSet) checks.fail('unsupported_value', param, `'${param}' is not offered.`);
  }
  const modalities = checks.array(source.modalities, { param: 'modalities' }) ?? ['text'];
  if (modalities.length !== 1 || modalities[0] !== 'text') {
    checks.fail('unsupported_value', 'modalities', "'modalities' can only be text.");
  }
  const param = 'prompt_cache_retention';
  const retention = checks.oneOf(source[param], param, RETENTIONS);
  if (retention === '24h') checks.fail('unsupported_value', param, `'${param}' would retain content.`);
  else if (retention !== undefined) checks.ignore(param);
}

function noteDropped(source: JsonObject, checks: FieldChecks): void {
  checks.ignorePresent(source, DROPPED);
  if (checks.boolean(source.store, 'store') === true) checks.ignore('store');
}

function readStreaming(
  source: JsonObject,
  checks: FieldChecks,
): Pick<ChatRequest, 'stream' | 'includeUsage'> {
  const stream = checks.boolean(source.stream, 'stream') ?? false;
  const options = checks.object(source.stream_options, 'stream_options') ?? {};
  checks.ignoreOthers(options, STREAM_OPTIONS, 'stream_options.');
  const includeUsage = checks.boolean(options.include_usage, 'stream_options.include_usage') ?? false;
  return { stream, includeUsage: stream && includeUsage };
}

type OutputLimit = Pick<ChatRequest, 'maxOutputTokens' | 'maxOutputParam'>;

function readOutputLimit(source: JsonObject, checks: FieldChecks): OutputLimit {
  const read = (param: string) => checks.integer(source[param], { param, min: 1 });
  const modern = read('max_completion_tokens');
  const legacy = read('max_tokens');
  if (modern === undefined || (legacy !== undefined && legacy < modern)) {
    return { maxOutputTokens: legacy, maxOutputParam: 'max_tokens' };
  }
  return { maxOutputTokens: modern, maxOutputParam: 'max_completion_tokens' };
}

function needsOf(body: ChatBody, tally: InputTally, choiceCount: number): ChatNeeds {
  return {
    tools: body.tools !== undefined,
    jsonSchema: body.response_format?.type === 'json_schema',
    images: tally.imageCount > 0,
    logprobs: body.logprobs === true,
    n: choiceCount > 1,
  };
}

function readBody(source: JsonObject, checks: FieldChecks, tally: InputTally): ChatBody {
  const format = readResponseFormat(source, checks, tally);
  return {
    messages: new MessageReader(checks, tally).read(source.messages),
    ...readToolFields(source, checks, tally),
    ...(format === undefined ? {} : { response_format: format }),
    ...readSampling(source, checks),
    unknown: checks.takeUnknown(source, KNOWN),
  };
}

function readRequest(source: JsonObject, checks: FieldChecks, strictParams: boolean): ChatRequest {
  const tally = new InputTally();
  const body = readBody(source, checks, tally);
  const choiceCount = checks.integer(source.n, { param: 'n', min: 1, max: 128 }) ?? 1;
  refuseUnoffered(source, checks);
  noteDropped(source, checks);
  return {
    dialect: 'chat',
    model: checks.string(source.model, 'model'),
    ...readStreaming(source, checks),
    ...readOutputLimit(source, checks),
    choiceCount,
    effort: readEffort(source, checks),
    showsReasoning: true,
    ...(body.temperature === undefined ? {} : { temperature: body.temperature }),
    strictParams,
    ignoredParams: checks.ignoredParams,
    needs: needsOf(body, tally, choiceCount),
    textBytes: tally.textBytes,
    imageCount: tally.imageCount,
    body: Content.of(body),
  };
}

// A name of a model is the one value of a request that may be quoted, but only if it looks like one.
const MODEL_NAME = /^[A-Za-z0-9._:/@-]{1,64}$/;

/** The error for a `model` that is no instrument in service. */
export function modelNotFoundError(model: string): GridError {
  if (!MODEL_NAME.test(model)) return gridError('model_not_found', { param: 'model' });
  return gridError('model_not_found', { param: 'model', message: `No instrument named '${model}'.` });
}

/** The error of a strict request that has parameters to ignore. Names of parameters are no content. */
export function strictParamsError(ignoredParams: readonly string[]): GridError | undefined {
  const [param] = ignoredParams;
  if (param === undefined) return undefined;
  const message = `Unknown or ignored parameters: ${ignoredParams.join(', ')}.`;
  return gridError('unknown_parameter', { param, message });
}

/**
 * Reads a chat completion request. The body is parsed once; what follows works on the result.
 *
 * Errors: `invalid_json` (with line and column), `invalid_request` (wrong JSON type, missing or
 * contradictory fields), `invalid_value` (out of range), `unsupported_value` (not offered) and, with
 * `strictParams`, `unknown_parameter`. None quotes anything but names of parameters and numbers.
 */
export function parseChatRequest(
  source: Uint8Array | string,
  options: ParseChatOptions = {},
): Result<ChatRequest> {
  const parsed = parseJsonObject(source);
  if (!parsed.ok) return parsed;
  const strictParams = options.strictParams ?? false;
  const checks = new FieldChecks();
  const value = readRequest(parsed.value, checks, strictParams);
  const error = checks.error ?? (strictParams ? strictParamsError(value.ignoredParams) : undefined);
  return error === undefined ? { ok: true, value } : { ok: false, error };
}
