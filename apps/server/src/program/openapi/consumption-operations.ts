import type { ErrorCode } from '@opengrid/wire';
import { z } from 'zod';
import {
  CHAT_ANSWER,
  CHAT_REQUEST,
  COUNT_TOKENS_ANSWER,
  COUNT_TOKENS_REQUEST,
  MESSAGES_ANSWER,
  MESSAGES_REQUEST,
  RESPONSES_ANSWER,
  RESPONSES_REQUEST,
} from './inference-schemas.ts';
import type { Operation } from './operation.ts';
import { FILTERS, paging } from './queries.ts';
import {
  MODEL_ANSWER,
  MODEL_LIST,
  RECEIPT_ANSWER,
  RECEIPT_PAGE,
  USAGE_SUMMARY_ANSWER,
} from './receipt-schemas.ts';

const INFERENCE = { method: 'POST', tag: 'Inference', access: 'key' } as const;
const READ = { method: 'GET', errors: 'openai' } as const;
const BAD_REQUEST: readonly ErrorCode[] = [
  'invalid_json',
  'invalid_request',
  'unsupported_parameter',
  'unknown_parameter',
  'payload_too_large',
  'unsupported_media_type',
  'request_timeout',
  'invalid_value',
  'unsupported_value',
  'model_not_found',
  'context_length_exceeded',
];
const SERVING: readonly ErrorCode[] = [
  ...BAD_REQUEST,
  'insufficient_balance',
  'insufficient_credits',
  'payment_method_declined',
  'spend_limit_reached',
  'concurrency_limited',
  'daily_limit_reached',
  'upstream_error',
  'upstream_timeout',
  'balance_replenishing',
  'no_capacity',
  'region_unavailable',
  'engine_unavailable',
  'overloaded',
];
const REDIRECTED: readonly ErrorCode[] = ['routing_token_invalid'];
const BAD_LIST = ['invalid_request', 'invalid_cursor'] as const;

const DIALECTS: readonly Operation[] = [
  {
    ...INFERENCE,
    id: 'createChatCompletion',
    path: '/v1/chat/completions',
    summary: "An answer in the shape of OpenAI's Chat Completions",
    body: CHAT_REQUEST,
    example: { model: 'text-standard', messages: [{ role: 'user', content: 'Say hello.' }], stream: true },
    answers: {
      200: {
        description: 'The answer. A stream ends with `data: [DONE]`, sent after the settlement is durable.',
        schema: CHAT_ANSWER,
        stream: 'Chunks of the answer, and `data: [DONE]`.',
      },
      307: {
        description:
          'Where routing is `redirect`: the same request goes to `location`, once, within 60 seconds.',
      },
    },
    codes: [...SERVING, ...REDIRECTED],
    errors: 'openai',
  },
  {
    ...INFERENCE,
    id: 'createResponse',
    path: '/v1/responses',
    summary: "An answer in the shape of OpenAI's Responses; nothing is stored",
    body: RESPONSES_REQUEST,
    example: { model: 'text-standard', input: 'Say hello.' },
    answers: {
      200: {
        description: 'The response.',
        schema: RESPONSES_ANSWER,
        stream: 'Named events with a `sequence_number`; the last one ends the response.',
      },
    },
    codes: SERVING,
    errors: 'openai',
  },
  {
    ...INFERENCE,
    id: 'createMessage',
    path: '/v1/messages',
    summary: "An answer in the shape of Anthropic's Messages",
    body: MESSAGES_REQUEST,
    example: {
      model: 'text-standard',
      max_tokens: 256,
      messages: [{ role: 'user', content: 'Say hello.' }],
    },
    answers: {
      200: {
        description: 'The message.',
        schema: MESSAGES_ANSWER,
        stream: 'Events from `message_start` to `message_stop`.',
      },
    },
    codes: SERVING,
    errors: 'anthropic',
  },
  {
    ...INFERENCE,
    id: 'countTokens',
    path: '/v1/messages/count_tokens',
    summary: 'An estimate of the tokens of a message, free of charge',
    body: COUNT_TOKENS_REQUEST,
    answers: { 200: { description: 'The estimate.', schema: COUNT_TOKENS_ANSWER } },
    codes: BAD_REQUEST,
    errors: 'anthropic',
  },
];

/** Nothing is stored, so nothing is ever found: the routes exist to say so. */
const STORED: readonly Operation[] = (
  [
    ['GET', '/v1/responses/{id}', 'getResponse', 'Reading a response'],
    ['DELETE', '/v1/responses/{id}', 'deleteResponse', 'Deleting a response'],
    ['GET', '/v1/responses/{id}/input_items', 'listResponseItems', 'Reading the input of a response'],
    ['POST', '/v1/responses/{id}/cancel', 'cancelResponse', 'Cancelling a response'],
  ] as const
).map(([method, path, id, act]) => ({
  id,
  method,
  path,
  tag: 'Inference',
  summary: `${act}: never found, because none is stored`,
  access: 'key',
  answers: {},
  codes: ['response_not_found'],
  errors: 'openai',
}));

const RECORDS: readonly Operation[] = [
  {
    ...READ,
    id: 'listModels',
    path: '/v1/models',
    tag: 'Models',
    summary: 'Instruments that are served',
    description: "With the header `anthropic-version` the list has Anthropic's shape.",
    access: 'public',
    query: z.object({ funded: z.boolean().optional() }),
    answers: { 200: { description: 'The list, by family and tier.', schema: MODEL_LIST } },
  },
  {
    ...READ,
    id: 'getModel',
    path: '/v1/models/{model}',
    tag: 'Models',
    summary: 'One instrument that is served',
    access: 'public',
    answers: { 200: { description: 'The entry.', schema: MODEL_ANSWER } },
    codes: ['model_not_found'],
  },
  {
    ...READ,
    id: 'listReceipts',
    path: '/v1/usage',
    tag: 'Receipts',
    summary: 'Receipts, newest first',
    access: 'key',
    query: z.object({
      from: FILTERS.from,
      to: FILTERS.to,
      status: FILTERS.status,
      cost_status: z.string().optional(),
      model: z.string().optional(),
      api_key_id: z.string().optional(),
      ...paging({ orderBy: ['inserted_at', 'total_tokens'] }),
    }),
    answers: { 200: { description: 'Receipts without their draws.', schema: RECEIPT_PAGE } },
    codes: BAD_LIST,
  },
  {
    ...READ,
    id: 'summariseUsage',
    path: '/v1/usage/summary',
    tag: 'Receipts',
    summary: 'Sums of receipts; 31 days at most',
    access: 'key',
    query: z.object({
      from: FILTERS.from,
      to: FILTERS.to,
      api_key_id: z.string().optional(),
      group_by: z.enum(['none', 'day', 'model', 'api_key']).optional(),
    }),
    answers: { 200: { description: 'The sums.', schema: USAGE_SUMMARY_ANSWER } },
    codes: ['invalid_request', 'window_too_large'],
  },
  {
    ...READ,
    id: 'getReceipt',
    path: '/v1/usage/{requestId}',
    tag: 'Receipts',
    summary: 'One receipt with its draws',
    access: 'key',
    answers: { 200: { description: 'The receipt.', schema: RECEIPT_ANSWER } },
    codes: ['receipt_not_found'],
  },
];

/** Routes of inference, models and receipts. */
export const CONSUMPTION_OPERATIONS: readonly Operation[] = [...DIALECTS, ...STORED, ...RECORDS];
