import type { Endpoint, EndpointCapabilities } from '../ports/supply.ts';

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

/** What is assumed of an operator-added endpoint on the Anthropic wire. */
export const ANTHROPIC_CAPABILITIES: EndpointCapabilities = {
  ...OPENAI_CAPABILITIES,
  images: true,
  logprobs: false,
  seed: false,
  penalties: false,
  documents: true,
  clientTools: true,
  thinking: 'budget',
};

/** What is assumed of an operator-added endpoint on the Responses wire. */
export const RESPONSES_CAPABILITIES: EndpointCapabilities = {
  ...OPENAI_CAPABILITIES,
  seed: false,
  penalties: false,
  developerRole: true,
  store: true,
  customTools: true,
  reasoningSummary: true,
  encryptedReasoning: true,
};

/** The defaults of each wire, which an operator may change for an endpoint. */
export const DEFAULT_CAPABILITIES: Readonly<Record<Endpoint['wire'], EndpointCapabilities>> = {
  openai: OPENAI_CAPABILITIES,
  'openai-responses': RESPONSES_CAPABILITIES,
  anthropic: ANTHROPIC_CAPABILITIES,
};

/** Abilities that are there or not, by the name of their capability. */
export const SWITCHED_CAPABILITIES = [
  'tools',
  'jsonSchema',
  'images',
  'logprobs',
  'n',
  'seed',
  'penalties',
  'logitBias',
  'temperature',
  'reasoningText',
  'developerRole',
  'store',
  'documents',
  'clientTools',
  'promptCaching',
  'contextManagement',
  'customTools',
  'reasoningSummary',
  'encryptedReasoning',
] as const satisfies readonly (keyof EndpointCapabilities)[];
