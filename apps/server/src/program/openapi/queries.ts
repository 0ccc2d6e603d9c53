import { z } from 'zod';

/** Query parameters. Lists take every filter flat as well as in the two nested forms that their description tells. */

const REFERENCE = z.string().meta({ description: 'An id in any spelling, or a symbol.' });
const WHEN = z
  .string()
  .meta({ description: 'ISO 8601, a date, or Unix seconds. Inclusive start, exclusive end.' });

/** Names that filters of several lists share. */
export const FILTERS = {
  market_id: REFERENCE.optional(),
  instrument_id: REFERENCE.optional(),
  side: z.enum(['buy', 'sell']).optional(),
  status: z.string().optional(),
  start_datetime: WHEN.optional(),
  end_datetime: WHEN.optional(),
  from: WHEN.optional(),
  to: WHEN.optional(),
} as const;

/** Filters by text, for each of these names. */
export function texts<Name extends string>(
  ...names: readonly Name[]
): Record<Name, z.ZodOptional<z.ZodString>> {
  const entries = names.map((name) => [name, z.string().optional()] as const);
  return Object.fromEntries(entries) as Record<Name, z.ZodOptional<z.ZodString>>;
}

/** What every list takes beside its filters. */
export function paging(options: { orderBy: readonly [string, ...string[]]; maxLimit?: number }) {
  const { orderBy, maxLimit = 100 } = options;
  return {
    limit: z
      .int()
      .min(1)
      .max(maxLimit)
      .optional()
      .meta({ description: 'Default 50. Above the maximum is clamped.' }),
    next: z.string().optional().meta({ description: 'A cursor from `paging`.' }),
    prev: z.string().optional().meta({ description: 'A cursor from `paging`. Excludes `next`.' }),
    order_by: z.enum(orderBy).optional(),
    order_direction: z.enum(['asc', 'desc']).optional(),
  } as const;
}
