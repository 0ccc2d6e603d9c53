import { type Capabilities, isEffort } from '@opengrid/wire';
import type { EndpointCapabilities } from '../../ports/supply.ts';

const spelled = new WeakMap<EndpointCapabilities, Capabilities>();

/** The capabilities of an endpoint as the wire spells them, made once for each. */
export function wireCapabilities(capabilities: EndpointCapabilities): Capabilities {
  let wire = spelled.get(capabilities);
  if (wire === undefined) {
    const { efforts, outputLimitField, passThroughParams: _names, betaFlags: _flags, ...same } = capabilities;
    const known = efforts.filter(isEffort);
    wire = { ...same, efforts: known, maxCompletionTokens: outputLimitField === 'max_completion_tokens' };
    spelled.set(capabilities, wire);
  }
  return wire;
}
