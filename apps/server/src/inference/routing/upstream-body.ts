import {
  buildChatUpstreamBody,
  type ChatRequest,
  type ChatUpstreamBody,
  type GridError,
  strictParamsError,
} from '@opengrid/wire';
import type { Endpoint } from '../../ports/supply.ts';
import { wireCapabilities } from './route.ts';

/** What one endpoint is sent of a request, and what of it is left out. */
export function upstreamBodyFor(
  request: ChatRequest,
  endpoint: Endpoint,
  maxOutputTokens: number | undefined,
): ChatUpstreamBody {
  return buildChatUpstreamBody(request, {
    upstreamModel: endpoint.upstreamModel,
    capabilities: wireCapabilities(endpoint.capabilities),
    passThroughParams: new Set(endpoint.capabilities.passThroughParams),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
  });
}

/** Whether an endpoint may be asked: of a strict request nothing may be left out. */
export function takesAllParams(request: ChatRequest, endpoint: Endpoint): boolean {
  return !request.strictParams || upstreamBodyFor(request, endpoint, undefined).ignoredParams.length === 0;
}

/** The error of a strict request of which every endpoint would leave something out. */
export function strictRequestError(
  request: ChatRequest,
  endpoints: readonly Endpoint[],
): GridError | undefined {
  const [first] = endpoints;
  if (first === undefined || endpoints.some((endpoint) => takesAllParams(request, endpoint)))
    return undefined;
  return strictParamsError(upstreamBodyFor(request, first, undefined).ignoredParams);
}
