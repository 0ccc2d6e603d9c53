import type { EndpointCapabilities } from '../ports/supply.ts';

/** What is assumed of an operator-added endpoint on the OpenAI wire: the fields every common server takes. */
export const OPENAI_CAPABILITIES: EndpointCapabilities = {
  tools: true,
  jsonSchema: true,
  images: false,
  logprobs: true,
  n: false,
  seed: true,
  penalties: true,
  logitBias: false,
  temperature: true,
  efforts: [],
  reasoningText: true,
  developerRole: false,
  store: false,
  outputLimitField: 'max_tokens',
  passThroughParams: [],
};

/** The built-in n-gram model writes text and nothing else. */
export const BUILTIN_CAPABILITIES: EndpointCapabilities = {
  ...OPENAI_CAPABILITIES,
  tools: false,
  jsonSchema: false,
  logprobs: false,
  reasoningText: false,
};
