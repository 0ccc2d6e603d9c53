import { Content, openContent } from '../content.ts';
import type { InferenceRequest } from '../conversation/request.ts';
import { paramName } from '../conversation/upstream.ts';
import { type Effort, nearestEffort } from '../effort.ts';
import { type GridError, gridError } from '../errors/grid-error.ts';
import type { Result } from '../result.ts';
import { strictParamsError } from './request.ts';

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
export interface FittedRequest {
  readonly request: InferenceRequest;
  /** Set when the effort had to be changed; the client is told in a header. */
  readonly effectiveEffort?: Effort;
  /** Set when the output limit had to be lowered; the client is told in a header. */
  readonly loweredOutputLimit?: number;
}

/** Whether a limit above the instrument's is lowered: coding agents of this dialect always send their own model's maximum. */
function lowersLimit({ dialect, strictParams }: InferenceRequest): boolean {
  return dialect === 'messages' && !strictParams;
}

function refusalOf(request: InferenceRequest, limits: InstrumentLimits): GridError | undefined {
  if ((request.maxOutputTokens ?? 0) > limits.maxOutputTokens && !lowersLimit(request)) {
    const param = request.maxOutputParam;
    const message = `'${param}' is above the ${limits.maxOutputTokens} output tokens of this instrument.`;
    return gridError('invalid_value', { param, message, context: { limit: limits.maxOutputTokens } });
  }
  if (!request.needs.images || limits.images) return undefined;
  return gridError('unsupported_value', { param: 'messages', message: 'This instrument takes no images.' });
}

// The members that change here are the same in every dialect, which the compiler cannot see through a spread of a union.
function changed(request: InferenceRequest, change: Partial<InferenceRequest>): InferenceRequest {
  return { ...request, ...change } as InferenceRequest;
}

function alsoIgnoring(request: InferenceRequest, param: string): readonly string[] {
  return [...request.ignoredParams, param];
}

function withoutTemperature(request: InferenceRequest): InferenceRequest {
  const { temperature: _dropped, ...rest } = request;
  const { temperature: _content, ...body } = openContent<{ temperature?: number }>(request.body);
  const ignoredParams = alsoIgnoring(request, 'temperature');
  return { ...rest, ignoredParams, body: Content.of(body) } as InferenceRequest;
}

function withEffort(request: InferenceRequest, limits: InstrumentLimits): FittedRequest {
  const wanted = request.effort;
  if (wanted === undefined) return { request };
  const isOnlyThinking = request.dialect === 'messages' && request.isEffortFromThinking;
  if (isOnlyThinking && !limits.reasoningToggle) {
    const ignoredParams = alsoIgnoring(request, 'thinking');
    return { request: changed(request, { effort: undefined, ignoredParams }) };
  }
  const offered: Effort[] = limits.reasoningToggle ? ['none', ...limits.efforts] : [...limits.efforts];
  const effort = nearestEffort(wanted, offered);
  if (effort === wanted) return { request };
  if (effort !== undefined) return { request: changed(request, { effort }), effectiveEffort: effort };
  const ignoredParams = alsoIgnoring(request, paramName(request.dialect, 'effort'));
  return { request: changed(request, { effort, ignoredParams }) };
}

function withLimit(request: InferenceRequest, limits: InstrumentLimits): FittedRequest {
  if ((request.maxOutputTokens ?? 0) <= limits.maxOutputTokens) return { request };
  const { maxOutputTokens } = limits;
  return { request: changed(request, { maxOutputTokens }), loweredOutputLimit: maxOutputTokens };
}

/**
 * Fits a request of any surface to the instrument it names: refuses images it does not take and an output limit beyond it
 * (or lowers that), drops a temperature it does not take, and maps the effort to the nearest one offered.
 *
 * Errors: `invalid_value`, `unsupported_value`; `unknown_parameter` when the request is strict and
 * something would be dropped.
 */
export function fitToInstrument(request: InferenceRequest, limits: InstrumentLimits): Result<FittedRequest> {
  const refusal = refusalOf(request, limits);
  if (refusal !== undefined) return { ok: false, error: refusal };
  const limited = withLimit(request, limits);
  const isDropped = request.temperature !== undefined && !limits.temperature;
  const fitted = withEffort(isDropped ? withoutTemperature(limited.request) : limited.request, limits);
  const error = request.strictParams ? strictParamsError(fitted.request.ignoredParams) : undefined;
  return error === undefined ? { ok: true, value: { ...limited, ...fitted } } : { ok: false, error };
}
