import {
  type GridError,
  type InferenceRequest,
  type ReasoningSeal,
  type Result,
  strictParamsError,
  type UpstreamBody,
  writeUpstreamBody,
} from '@opengrid/wire';
import type { Endpoint } from '../../ports/supply.ts';
import { isSpokenWire } from './eligibility.ts';
import { wireCapabilities } from './wire-capabilities.ts';

/** What one try at an endpoint adds to a request. */
export interface UpstreamTerms {
  /** Absent sends no limit, but `defaultMaxOutputTokens` where the wire demands one. */
  readonly maxOutputTokens?: number | undefined;
  readonly defaultMaxOutputTokens?: number;
  readonly seal?: ReasoningSeal;
  /** For the one repetition after a supplier refused the proofs of earlier reasoning. */
  readonly withoutReasoning?: boolean;
}

/** What one endpoint is sent of a request, and what of it is left out. Error: `unsupported_value`. */
export function upstreamBodyFor(
  request: InferenceRequest,
  endpoint: Endpoint,
  terms: UpstreamTerms,
): Result<UpstreamBody> {
  const { maxOutputTokens, ...rest } = terms;
  const { wire } = endpoint;
  if (!isSpokenWire(wire)) throw new Error('only endpoints whose wire is spoken are asked');
  return writeUpstreamBody(request, wire, {
    upstreamModel: endpoint.upstreamModel,
    capabilities: wireCapabilities(endpoint.capabilities),
    passThroughParams: new Set(endpoint.capabilities.passThroughParams),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...rest,
  });
}

function leftOut(request: InferenceRequest, endpoint: Endpoint): readonly string[] | undefined {
  const body = upstreamBodyFor(request, endpoint, {});
  return body.ok ? body.value.ignoredParams : undefined;
}

/** Whether an endpoint may be asked: of a strict request nothing may be left out. */
export function takesAllParams(request: InferenceRequest, endpoint: Endpoint): boolean {
  return !request.strictParams || leftOut(request, endpoint)?.length === 0;
}

/** The error of a strict request of which every endpoint would leave something out. */
export function strictRequestError(
  request: InferenceRequest,
  endpoints: readonly Endpoint[],
): GridError | undefined {
  const [first] = endpoints;
  if (first === undefined || endpoints.some((endpoint) => takesAllParams(request, endpoint)))
    return undefined;
  return strictParamsError(leftOut(request, first) ?? []);
}
