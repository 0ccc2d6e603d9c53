import { PRICE_LIMIT_TICKS } from '@opengrid/exchange';
import { parsePriceTicks, parseQuantity } from '@opengrid/wire';
import { z } from 'zod';

/** Input forms of numbers: a JSON number, or the same as a string. */
const NUMBER = z.union([z.string(), z.number()], {
  error: ({ input }) => (input === undefined ? 'is required' : 'must be a plain number, or one as a string'),
});

/** A price in USD per unit, to ticks. */
export const PRICE = NUMBER.transform((value, context) => {
  const ticks = parsePriceTicks(value);
  if (ticks !== undefined && ticks > 0 && ticks < PRICE_LIMIT_TICKS) return ticks;
  context.addIssue({ code: 'custom', message: 'must be a price above 0 with at most 4 decimals' });
  return z.NEVER;
});

/** Whole units. */
export const QUANTITY = NUMBER.transform((value, context) => {
  const units = parseQuantity(value);
  if (units !== undefined && units > 0) return units;
  context.addIssue({ code: 'custom', message: 'must be a whole number above 0' });
  return z.NEVER;
});

/** An instrument or a market by id in any spelling, or by symbol. */
export const REFERENCE = z.string().min(1).max(64);
