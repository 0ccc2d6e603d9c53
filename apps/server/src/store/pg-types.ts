/**
 * How PostgreSQL values become JavaScript values, the same on both engines.
 *
 * Domain numbers are integers below 2^53. A value outside of that range is a broken invariant, and rounding
 * it would be a wrong number in somebody's books, so it is an error instead.
 */
import pg from 'pg';
import { StoreError } from './errors.ts';

type TypeParser = (text: string) => unknown;

const INT8 = 20;
const NUMERIC = 1700;
const INT8_ARRAY = 1016;
const NUMERIC_ARRAY = 1231;

/** A number in a result that JavaScript cannot hold exactly. The statement itself has run. */
export class UnreadableNumber extends StoreError {
  constructor() {
    super(
      'The database returned a number that is not an integer below 2^53.',
      'Have the statement return an integer, or cast the value to text.',
    );
  }
}

/**
 * Reads an `int8`, or a `numeric` without fraction (which prints as `5` or, when its scale says so, as
 * `5.00`).
 *
 * @throws UnreadableNumber when the text is not an integer that JavaScript holds exactly.
 */
export function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new UnreadableNumber();
  return value;
}

/** The driver's array parser; its published type does not know that it can be called. */
const { create: createArrayParser } = pg.types.arrayParser as unknown as {
  create(text: string, parse: TypeParser): { parse(): unknown[] };
};

function parseIntegers(text: string): unknown[] {
  return createArrayParser(text, parseInteger).parse();
}

const parsers = new Map<number, TypeParser>([
  [INT8, parseInteger],
  [NUMERIC, parseInteger],
  [INT8_ARRAY, parseIntegers],
  [NUMERIC_ARRAY, parseIntegers],
]);

/** Given to every connection as its `types`; nothing global is changed. */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: string) =>
    (format !== 'binary' && parsers.get(oid)) || pg.types.getTypeParser(oid, format as 'text'),
};
