import { Content, openContent } from '../content.ts';
import { type Effort, nearestEffort } from '../effort.ts';
import { type GridError, gridError } from '../errors/grid-error.ts';
import type { Result } from '../result.ts';
import { strictParamsError } from './request.ts';
import type { ChatRequest } from './types.ts';

/** What an instrument promises, as far as a request can ask for more. */
export interface InstrumentLimits {
  readonly maxOutputTokens: number;
  readonly images: boolean;
  readonly temperature: boolean;
  readonly efforts: readonly Effort[];
  /** Reasoning can be switched off, so the effort `none` is offered too. */
  readonly reasoningToggle: boolean;
}

/** A request that an instrument can serve. */
export interface FittedChatRequest {
  readonly request: ChatRequest;
  /** Set when the effort had to be changed; the client is told in a header. */
  readonly effectiveEffort?: Effort;
}

function refusalOf(request: ChatRequest, limits: InstrumentLimits): GridError | undefined {
  if ((request.maxOutputTokens ?? 0) > limits.maxOutputTokens) {
    const param = request.maxOutputParam;
    const message = `'${param}' is above the ${limits.maxOutputTokens} output tokens of this instrument.`;
    return gridError('invalid_value', { param, message, context: { limit: limits.maxOutputTokens } });
  }
  if (!request.needs.images || limits.images) return undefined;
  return gridError('unsupported_value', { param: 'messages', message: 'This instrument takes no images.' });
}

function withoutTemperature(request: ChatRequest): ChatRequest {
  const { temperature: _dropped, ...rest } = request;
  const { temperature: _content, ...body } = openContent(request.body);
  const ignoredParams = [...request.ignoredParams, 'temperature'];
  return { ...rest, ignoredParams, body: Content.of(body) };
}

function withEffort(request: ChatRequest, limits: InstrumentLimits): FittedChatRequest {
  const wanted = request.effort;
  if (wanted === undefined) return { request };
  const offered: Effort[] = limits.reasoningToggle ? ['none', ...limits.efforts] : [...limits.efforts];
  const effort = nearestEffort(wanted, offered);
  if (effort === wanted) return { request };
  const changed = { ...request, effort };
  if (effort !== undefined) return { request: changed, effectiveEffort: effort };
  return { request: { ...changed, ignoredParams: [...request.ignoredParams, 'reasoning_effort'] } };
}

/**
 * Fits a request to the instrument it names: refuses an output limit or images beyond it, drops a
 * temperature it does not take, and maps the effort to the nearest one offered.
 *
 * Errors: `invalid_value`, `unsupported_value`; `unknown_parameter` when the request is strict and
 * something would be dropped.
 */
export function fitToInstrument(request: ChatRequest, limits: InstrumentLimits): Result<FittedChatRequest> {
  const refusal = refusalOf(request, limits);
  if (refusal !== undefined) return { ok: false, error: refusal };
  const isDropped = request.temperature !== undefined && !limits.temperature;
  const fitted = withEffort(isDropped ? withoutTemperature(request) : request, limits);
  const error = request.strictParams ? strictParamsError(fitted.request.ignoredParams) : undefined;
  return error === undefined ? { ok: true, value: fitted } : { ok: false, error };
}
