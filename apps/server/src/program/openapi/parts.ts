import { z } from 'zod';

/**
 * Fields that many answers share. The schemas are strict, so that the tests notice a member that is described nowhere; the
 * document does not say so, because clients must ignore members that they do not know.
 */

const matching = (pattern: RegExp, description: string, example: string): z.ZodString =>
  z
    .string()
    .regex(pattern)
    .meta({ description, examples: [example] });

export const TIME = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  .meta({ format: 'date-time', examples: ['2026-01-01T00:00:00.000Z'] });
export const PRICE = matching(/^\d+\.\d{4}$/, 'USD per unit, four decimals.', '2.5000');
export const SIGNED_PRICE = matching(/^-?\d+\.\d{4}$/, 'Change of a price, in USD per unit.', '-0.1000');
export const PERCENT = matching(/^-?\d+\.\d{2}$/, 'Percent, two decimals.', '-4.00');
export const MONEY = matching(/^-?\d+\.\d{6}$/, 'USD, six decimals.', '25.125000');
export const DIGITS = matching(/^\d+$/, 'A whole number as a string.', '12');
export const DECIMAL = matching(/^\d+(\.\d{1,10})?$/, 'A decimal without trailing zeros.', '0.0000025');
/** Units with six decimals, as a string. */
export const UNIT_DECIMAL = matching(/^-?\d+\.\d{6}$/, 'Units, six decimals.', '1.234567');

export const INTEGER = z.int();
export const COUNT = z.int().min(0);
export const UNITS = z.int().min(0).meta({ description: 'Whole units of 1,000,000 tokens.' });
export const TOKENS = z.int().min(0).meta({ description: 'Tokens.' });
export const BASIS_POINTS = z.int().min(0).meta({ description: 'Hundredths of a percent.' });
export const TEXT = z.string();

/** An id with this prefix, such as `order_01jz3v8m2k7f9q0x4w6t5s1r8a`. */
export function id(prefix: string): z.ZodString {
  const example = `${prefix}_01jz3v8m2k7f9q0x4w6t5s1r8a`;
  return z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`))
    .meta({ examples: [example] });
}

export const SUPPLIER_ID = matching(
  /^supplier_[0-9a-z]{1,26}$/,
  'The supplier.',
  'supplier_01jz3v8m2k7f9q0x4w6t5s1r8v',
);

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
export const MARKET_ID = matching(
  new RegExp(`^market-${UUID}$`),
  'The market.',
  'market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514',
);
export const INSTRUMENT_ID = matching(
  new RegExp(`^instrument-${UUID}$`),
  'The instrument.',
  'instrument-3911579c-017a-5533-a6c4-dc93f9be1b72',
);

export const SIDE = z.enum(['buy', 'sell']);
export const QUALIFICATION = z.enum(['probed', 'waived', 'mixed']).nullable();

/** Who and what a row of the Trading surface is about. */
export const INSTRUMENT_MEMBERS = {
  instrument_id: INSTRUMENT_ID,
  instrument_symbol: TEXT,
  instrument_name: TEXT,
} as const;

export const PAGING = z
  .strictObject({
    next_cursor: z
      .string()
      .nullable()
      .meta({ description: 'Send it back as `next`, with the same filters.' }),
    prev_cursor: z.string().nullable().meta({ description: 'Send it back as `prev`.' }),
    has_more: z.boolean(),
  })
  .meta({ id: 'Paging' });

/** A schema of the document's own list, by its name there. */
export function named<T extends z.ZodType>(name: string, schema: T): T {
  return schema.meta({ id: name });
}

/** The answer with one object: `{"data": …}`. */
export function answerOf<T extends z.ZodType>(name: string, schema: T) {
  return named(`${name}Answer`, z.strictObject({ data: schema }));
}

/** The answer with a page of objects. */
export function pageOf<T extends z.ZodType>(name: string, schema: T) {
  return named(`${name}Page`, z.strictObject({ data: z.array(schema), paging: PAGING }));
}
