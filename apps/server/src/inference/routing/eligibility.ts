import { type GridError, gridError, type RequestNeeds, type WireName } from '@opengrid/wire';
import type { Endpoint } from '../../ports/supply.ts';

/** The wires that are spoken to suppliers. */
const SPOKEN: ReadonlySet<string> = new Set<WireName>(['openai', 'openai-responses', 'anthropic']);

/** Request fields by the need that they make, in the order in which they are complained about. */
const PARAM_OF_NEED: Readonly<Record<keyof RequestNeeds, string>> = {
  tools: 'tools',
  jsonSchema: 'response_format',
  images: 'messages',
  logprobs: 'logprobs',
  n: 'n',
  documents: 'messages',
  clientTools: 'tools',
  customTools: 'tools',
};
const NEEDS = Object.keys(PARAM_OF_NEED) as (keyof RequestNeeds)[];

export function isSpokenWire(wire: string): wire is WireName {
  return SPOKEN.has(wire);
}

export function isInRegion(endpoint: Endpoint, allowed: readonly string[] | null): boolean {
  return allowed === null || (endpoint.region !== null && allowed.includes(endpoint.region));
}

/** Whether an endpoint speaks a wire of ours and can do all that a request cannot do without. */
export function canServe({ wire, capabilities }: Endpoint, needs: RequestNeeds): boolean {
  return isSpokenWire(wire) && NEEDS.every((need) => needs[need] !== true || capabilities[need] === true);
}

/** The first need that no endpoint meets, as the name of the request field. */
function unmetParam(endpoints: readonly Endpoint[], needs: RequestNeeds): string | null {
  const unmet = NEEDS.find(
    (need) => needs[need] === true && !endpoints.some(({ capabilities }) => capabilities[need] === true),
  );
  return unmet === undefined ? null : PARAM_OF_NEED[unmet];
}

/**
 * Endpoints that could serve a request at a quiet hour. Asked before anything is held or bought.
 * Errors: `no_capacity`, `region_unavailable`, `unsupported_value`.
 */
export function eligibleEndpoints(
  all: readonly Endpoint[],
  request: { readonly needs: RequestNeeds; readonly allowedRegions: readonly string[] | null },
): { readonly ok: true; readonly endpoints: readonly Endpoint[] } | { readonly ok: false; error: GridError } {
  const spoken = all.filter(({ wire }) => isSpokenWire(wire));
  if (spoken.length === 0) return { ok: false, error: gridError('no_capacity') };
  const near = spoken.filter((endpoint) => isInRegion(endpoint, request.allowedRegions));
  if (near.length === 0) return { ok: false, error: gridError('region_unavailable') };
  const able = near.filter((endpoint) => canServe(endpoint, request.needs));
  if (able.length > 0) return { ok: true, endpoints: able };
  const param = unmetParam(near, request.needs);
  const message = 'No supplier of this instrument offers what the request asks for.';
  return { ok: false, error: gridError('unsupported_value', { param, message }) };
}
