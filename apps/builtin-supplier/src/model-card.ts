/** What the supplier calls its one model. */
export const MODEL_ID = 'opengrid/embedded-ngram';

/** Most prompt tokens of one request; only the last words of them shape the answer. */
export const CONTEXT_TOKENS = 131_072;

/** Most tokens of one answer; a request for more gets this many. */
export const MAX_OUTPUT_TOKENS = 32_768;

/** The limit of an answer when the request names none. */
export const DEFAULT_MAX_TOKENS = 256;

/** The entry of `/v1/models`: says plainly what this is and what it cannot do. */
export const MODEL_CARD = {
  id: MODEL_ID,
  object: 'model',
  created: 1_795_392_000,
  owned_by: 'opengrid',
  description: 'n-gram demonstration model',
  context_length: CONTEXT_TOKENS,
  max_output_tokens: MAX_OUTPUT_TOKENS,
  capabilities: {
    streaming: true,
    temperature: true,
    seed: true,
    penalties: true,
    tools: false,
    json_schema: false,
    images: false,
    logprobs: false,
    logit_bias: false,
    n: false,
  },
} as const;
