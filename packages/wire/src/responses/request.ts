import { strictParamsError } from '../chat/request.ts';
import { Content } from '../content.ts';
import { EFFORTS, type Effort } from '../effort.ts';
import { FieldChecks } from '../field-checks.ts';
import { InputTally } from '../input-tally.ts';
import { type JsonObject, parseJsonObject } from '../json/parse.ts';
import type { Result } from '../result.ts';
import { ItemReader } from './items.ts';
import { readResponsesTools, readTextFields } from './tools.ts';
import type { ResponsesBody, ResponsesRequest } from './types.ts';

/** How a Responses request is read. */
export interface ParseResponsesOptions {
  /** Unknown and ignored parameters are `unknown_parameter` instead of being dropped. */
  readonly strictParams?: boolean;
}

/** Known, accepted, and neither acted on nor forwarded. */
const DROPPED = [
  'max_tool_calls',
  'service_tier',
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_options',
] as const;
/** They refer to what a server would have kept. */
const STATEFUL = ['previous_response_id', 'conversation', 'prompt'] as const;
const READ = [
  'model',
  'input',
  'instructions',
  'max_output_tokens',
  'temperature',
  'top_p',
  'top_logprobs',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'include',
  'store',
  'background',
  'metadata',
  'truncation',
  'prompt_cache_retention',
] as const;
const KNOWN: ReadonlySet<string> = new Set<string>([...READ, ...DROPPED, ...STATEFUL]);
const REASONING: ReadonlySet<string> = new Set(['effort', 'summary']);
const SUMMARIES = ['auto', 'concise', 'detailed'] as const;
const ENCRYPTED = 'reasoning.encrypted_content';
const LOGPROBS = 'message.output_text.logprobs';
const RETENTIONS = ['in_memory', 'in-memory', '24h'] as const;

function refuseState(source: JsonObject, checks: FieldChecks): void {
  for (const param of STATEFUL) {
    if (source[param] === undefined || source[param] === null) continue;
    checks.fail('unsupported_parameter', param, `'${param}' needs state: nothing is kept here.`);
  }
  if (checks.boolean(source.background, 'background') === true) {
    checks.fail('unsupported_parameter', 'background', "'background' needs state: nothing is kept here.");
  }
  // Whatever it says, nothing is stored; the answer says so.
  checks.boolean(source.store, 'store');
  const param = 'prompt_cache_retention';
  const retention = checks.oneOf(source[param], param, RETENTIONS);
  if (retention === '24h') checks.fail('unsupported_value', param, `'${param}' would retain content.`);
  else if (retention !== undefined) checks.ignore(param);
}

interface Reasoning {
  readonly effort: Effort | undefined;
  readonly summary: string | undefined;
}

function readReasoning(source: JsonObject, checks: FieldChecks): Reasoning {
  const reasoning = checks.object(source.reasoning, 'reasoning') ?? {};
  checks.ignoreOthers(reasoning, REASONING, 'reasoning.');
  return {
    effort: checks.oneOf(reasoning.effort, 'reasoning.effort', EFFORTS),
    summary: checks.oneOf(reasoning.summary, 'reasoning.summary', SUMMARIES),
  };
}

function readInclude(source: JsonObject, checks: FieldChecks): ReadonlySet<unknown> {
  const include = new Set(checks.array(source.include, { param: 'include' }));
  for (const name of include) {
    if (typeof name !== 'string') checks.wrongType('include', 'an array of strings');
    else if (name !== ENCRYPTED && name !== LOGPROBS) checks.ignore(`include.${name}`);
  }
  return include;
}

function readTruncation(source: JsonObject, checks: FieldChecks): void {
  const truncation = checks.oneOf(source.truncation, 'truncation', ['auto', 'disabled']);
  if (truncation === 'auto') checks.ignore('truncation');
}

function readStreamOptions(source: JsonObject, checks: FieldChecks): void {
  const options = checks.object(source.stream_options, 'stream_options') ?? {};
  checks.ignoreOthers(options, new Set(), 'stream_options.');
}

function readSampling(
  source: JsonObject,
  checks: FieldChecks,
  include: ReadonlySet<unknown>,
): Partial<ResponsesBody> {
  const top = checks.integer(source.top_logprobs, { param: 'top_logprobs', min: 0, max: 20 });
  const wantsLogprobs = include.has(LOGPROBS) || (top ?? 0) > 0;
  const fields = {
    instructions: checks.string(source.instructions, 'instructions'),
    temperature: checks.number(source.temperature, { param: 'temperature', min: 0, max: 2 }),
    top_p: checks.number(source.top_p, { param: 'top_p', min: 0, max: 1 }),
    logprobs: wantsLogprobs ? true : undefined,
    top_logprobs: wantsLogprobs ? top : undefined,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** What the answer repeats of the request, with the defaults of this dialect. */
function echoOf(source: JsonObject, body: ResponsesBody, reasoning: Reasoning): JsonObject {
  return {
    instructions: body.instructions ?? null,
    max_output_tokens: source.max_output_tokens ?? null,
    metadata: source.metadata ?? {},
    parallel_tool_calls: source.parallel_tool_calls ?? true,
    reasoning: { effort: reasoning.effort ?? null, summary: reasoning.summary ?? null },
    temperature: body.temperature ?? 1,
    text: {
      format: body.text_format ?? { type: 'text' },
      ...(body.verbosity === undefined ? {} : { verbosity: body.verbosity }),
    },
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    top_p: body.top_p ?? 1,
    truncation: 'disabled',
  };
}

function needsOf(body: ResponsesBody, tally: InputTally, items: ItemReader): ResponsesRequest['needs'] {
  return {
    tools: body.tools !== undefined,
    jsonSchema: body.text_format?.type === 'json_schema',
    images: tally.imageCount > 0,
    logprobs: body.logprobs === true,
    n: false,
    customTools: items.hasCustomCalls || body.tools?.some(({ type }) => type === 'custom') === true,
  };
}

function readRequest(
  source: JsonObject,
  checks: FieldChecks,
  options: ParseResponsesOptions,
): ResponsesRequest {
  const tally = new InputTally();
  const include = readInclude(source, checks);
  const reasoning = readReasoning(source, checks);
  const items = new ItemReader(checks, tally);
  const body: ResponsesBody = {
    input: items.read(source.input),
    ...readResponsesTools(source, checks, tally),
    ...readTextFields(source, checks, tally),
    ...readSampling(source, checks, include),
    unknown: checks.takeUnknown(source, KNOWN),
  };
  tally.text(body.instructions);
  refuseState(source, checks);
  readTruncation(source, checks);
  readStreamOptions(source, checks);
  checks.object(source.metadata, 'metadata');
  checks.ignorePresent(source, DROPPED);
  return {
    dialect: 'responses',
    model: checks.requiredString(source.model, 'model'),
    stream: checks.boolean(source.stream, 'stream') ?? false,
    includeUsage: true,
    maxOutputTokens: checks.integer(source.max_output_tokens, { param: 'max_output_tokens', min: 1 }),
    maxOutputParam: 'max_output_tokens',
    choiceCount: 1,
    effort: reasoning.effort,
    showsReasoning: true,
    reasoningSummary: reasoning.summary,
    includesEncryptedReasoning: include.has(ENCRYPTED),
    ...(body.temperature === undefined ? {} : { temperature: body.temperature }),
    strictParams: options.strictParams ?? false,
    ignoredParams: checks.ignoredParams,
    needs: needsOf(body, tally, items),
    textBytes: tally.textBytes,
    imageCount: tally.imageCount,
    body: Content.of(body),
    echo: Content.of(echoOf(source, body, reasoning)),
  };
}

/**
 * Reads a Responses request. The body is parsed once; what follows works on the result.
 *
 * Errors as those of a chat request, and `unsupported_parameter` for what would need state: earlier
 * responses, conversations, stored prompts, files and items, and work in the background.
 */
export function parseResponsesRequest(
  source: Uint8Array | string,
  options: ParseResponsesOptions = {},
): Result<ResponsesRequest> {
  const parsed = parseJsonObject(source);
  if (!parsed.ok) return parsed;
  const checks = new FieldChecks();
  const value = readRequest(parsed.value, checks, options);
  const strictError = value.strictParams ? strictParamsError(value.ignoredParams) : undefined;
  const error = checks.error ?? strictError;
  return error === undefined ? { ok: true, value } : { ok: false, error };
}
