import { z } from 'zod';
import { INTEGER, named, TEXT, TOKENS } from './parts.ts';

/**
 * Requests and answers of inference, as OpenAI's and Anthropic's clients know them. Requests are read by `@opengrid/wire`,
 * which drops or refuses what it does not act on; what is named here is what is acted on.
 */

const EFFORT = z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);
/** Something whose members are the dialect's own and are passed on. */
const OPEN_OBJECT = z.looseObject({});

const MODEL = z
  .string()
  .optional()
  .meta({
    description: "An instrument, by symbol or id; the account's default when left out.",
    examples: ['text-standard'],
  });

export const CHAT_REQUEST = named(
  'ChatCompletionRequest',
  z.looseObject({
    model: MODEL,
    messages: z.array(OPEN_OBJECT).min(1),
    stream: z.boolean().nullish(),
    stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
    max_completion_tokens: z.int().min(1).nullish(),
    max_tokens: z.int().min(1).nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    n: z.int().min(1).max(128).nullish(),
    stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
    seed: z.int().nullish(),
    frequency_penalty: z.number().min(-2).max(2).nullish(),
    presence_penalty: z.number().min(-2).max(2).nullish(),
    logit_bias: OPEN_OBJECT.nullish(),
    logprobs: z.boolean().nullish(),
    top_logprobs: z.int().min(0).max(20).nullish(),
    response_format: OPEN_OBJECT.nullish(),
    tools: z.array(OPEN_OBJECT).max(512).nullish(),
    tool_choice: z.union([z.string(), OPEN_OBJECT]).nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    reasoning_effort: EFFORT.nullish(),
    reasoning: z.looseObject({ effort: EFFORT.nullish() }).nullish(),
    verbosity: z.enum(['low', 'medium', 'high']).nullish(),
  }),
);

export const CHAT_ANSWER = named(
  'ChatCompletion',
  z.strictObject({
    id: z.string().regex(/^chatcmpl-[0-9a-hjkmnp-tv-z]{26}$/),
    object: z.literal('chat.completion'),
    created: INTEGER,
    model: TEXT.meta({ description: 'The model that answered.' }),
    service_tier: z.literal('default'),
    system_fingerprint: z.null(),
    choices: z.array(
      z.strictObject({
        index: INTEGER,
        message: z.looseObject({
          role: z.literal('assistant'),
          content: z.string().nullable(),
          reasoning_content: z.string().optional(),
          refusal: z.string().nullable(),
          tool_calls: z.array(OPEN_OBJECT).optional(),
        }),
        logprobs: OPEN_OBJECT.nullable(),
        finish_reason: z.enum(['stop', 'length', 'tool_calls', 'content_filter']),
      }),
    ),
    usage: z.strictObject({
      prompt_tokens: TOKENS,
      completion_tokens: TOKENS,
      total_tokens: TOKENS.meta({ description: 'What is billed.' }),
      prompt_tokens_details: z.strictObject({ cached_tokens: TOKENS }),
      completion_tokens_details: z.strictObject({ reasoning_tokens: TOKENS }),
    }),
  }),
);

export const RESPONSES_REQUEST = named(
  'ResponsesRequest',
  z.looseObject({
    model: MODEL,
    input: z.union([z.string(), z.array(OPEN_OBJECT)]),
    instructions: z.string().nullish(),
    stream: z.boolean().nullish(),
    max_output_tokens: z.int().min(1).nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    tools: z.array(OPEN_OBJECT).nullish(),
    tool_choice: z.union([z.string(), OPEN_OBJECT]).nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    text: OPEN_OBJECT.nullish(),
    reasoning: z.looseObject({ effort: EFFORT.nullish() }).nullish(),
    include: z.array(z.string()).nullish(),
    metadata: OPEN_OBJECT.nullish(),
  }),
);

export const RESPONSES_ANSWER = named(
  'Response',
  z.looseObject({
    id: z.string().regex(/^resp_[0-9a-hjkmnp-tv-z]{26}$/),
    object: z.literal('response'),
    model: TEXT,
    status: z.enum(['completed', 'incomplete', 'failed']),
    output: z.array(OPEN_OBJECT),
    usage: z
      .strictObject({
        input_tokens: TOKENS,
        input_tokens_details: z.looseObject({ cached_tokens: TOKENS }),
        output_tokens: TOKENS,
        output_tokens_details: z.strictObject({ reasoning_tokens: TOKENS }),
        total_tokens: TOKENS,
      })
      .nullable(),
    store: z.literal(false),
    previous_response_id: z.null(),
  }),
);

const MESSAGE_MEMBERS = {
  model: TEXT.meta({ description: 'An instrument, by symbol or id.', examples: ['text-standard'] }),
  messages: z.array(OPEN_OBJECT).min(1),
  system: z.union([z.string(), z.array(OPEN_OBJECT)]).optional(),
  tools: z.array(OPEN_OBJECT).optional(),
  tool_choice: OPEN_OBJECT.optional(),
  thinking: OPEN_OBJECT.optional(),
} as const;

export const MESSAGES_REQUEST = named(
  'MessagesRequest',
  z.looseObject({
    ...MESSAGE_MEMBERS,
    max_tokens: z.int().min(1),
    stream: z.boolean().optional(),
    stop_sequences: z.array(z.string()).optional(),
    temperature: z.number().min(0).max(1).optional(),
    top_p: z.number().optional(),
    top_k: z.int().optional(),
    output_config: OPEN_OBJECT.optional(),
  }),
);

export const MESSAGES_ANSWER = named(
  'Message',
  z.looseObject({
    id: z.string().regex(/^msg_[0-9a-hjkmnp-tv-z]{26}$/),
    type: z.literal('message'),
    role: z.literal('assistant'),
    model: TEXT,
    content: z.array(OPEN_OBJECT),
    stop_reason: z.enum(['end_turn', 'max_tokens', 'stop_sequence', 'tool_use', 'refusal']).nullable(),
    stop_sequence: z.string().nullable(),
    usage: z.looseObject({
      input_tokens: TOKENS,
      cache_creation_input_tokens: TOKENS,
      cache_read_input_tokens: TOKENS,
      output_tokens: TOKENS,
    }),
  }),
);

export const COUNT_TOKENS_REQUEST = named('CountTokensRequest', z.looseObject(MESSAGE_MEMBERS));
export const COUNT_TOKENS_ANSWER = named('TokenCount', z.strictObject({ input_tokens: TOKENS }));
