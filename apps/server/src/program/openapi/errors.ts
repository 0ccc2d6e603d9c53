import { z } from 'zod';
import { named, TIME } from './parts.ts';

const CODE = z
  .string()
  .regex(/^[a-z_]+$/)
  .meta({ description: 'A code of the catalogue. It is also in the header `x-grid-error-code`.' });

const ERRORS_MEMBER = named(
  'ErrorDetail',
  z.strictObject({
    detail: z.string().meta({ description: 'The code; for 401 the sentence.' }),
    message: z.string().meta({ description: 'One sentence for people. It never repeats the request.' }),
    code: CODE,
    server_time: TIME.optional(),
    fields: z
      .record(z.string(), z.array(z.string()))
      .optional()
      .meta({ description: 'Of `validation_failed`: what is wrong with each field.' }),
    context: z
      .record(z.string(), z.union([z.string(), z.number()]))
      .optional()
      .meta({ description: 'Numbers and ids that explain the refusal.' }),
  }),
);

const EXAMPLE = {
  errors: {
    detail: 'market_not_found',
    message: 'No market with that id.',
    code: 'market_not_found',
    server_time: '2026-01-01T00:00:00.000Z',
  },
};

/** Errors by the surface that answers. */
export const ERROR_BODIES = {
  trading: z
    .strictObject({
      errors: ERRORS_MEMBER,
      code: z
        .literal('INSUFFICIENT_BALANCE')
        .optional()
        .meta({ description: 'Of `insufficient_balance` alone, for existing clients.' }),
    })
    .meta({ id: 'TradingError', examples: [EXAMPLE] }),
  openai: named(
    'OpenAiError',
    z.strictObject({
      error: z.strictObject({
        message: z.string(),
        type: z.string(),
        param: z.string().nullable().meta({ description: 'The field of the request that is meant.' }),
        code: CODE,
      }),
      errors: ERRORS_MEMBER,
    }),
  ),
  anthropic: named(
    'AnthropicError',
    z.strictObject({
      type: z.literal('error'),
      error: z.strictObject({ type: z.string(), message: z.string() }),
      request_id: z.string(),
    }),
  ),
} as const;
