import { fromScaled, toScaled } from '@opengrid/sdk';
import { InvalidArgumentError } from 'commander';

/** Integers of the API stay below 2^53. */
const MAX_SCALED = BigInt(Number.MAX_SAFE_INTEGER);

/** A decimal above zero, with all its fractional digits written out: `0.90` becomes `0.9000`. Never a float. */
function decimal(text: string, rule: { digits: number; what: string }): string {
  const refusal = new InvalidArgumentError(
    `must be ${rule.what} above 0 with at most ${rule.digits} decimals, such as 0.90.`,
  );
  if (!/^\d{1,16}(\.\d{1,20})?$/.test(text)) throw refusal;
  let scaled: bigint;
  try {
    scaled = toScaled(text, rule.digits);
  } catch {
    throw refusal;
  }
  if (scaled <= 0n || scaled > MAX_SCALED) throw refusal;
  return fromScaled(scaled, rule.digits);
}

/** USD per unit of 1,000,000 tokens, in steps of 0.0001. */
export function parsePrice(text: string): string {
  return decimal(text, { digits: 4, what: 'a price in USD' });
}

/** An amount of USD, to the micro-dollar. */
export function parseMoney(text: string): string {
  return decimal(text, { digits: 6, what: 'an amount of USD' });
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,15}$/.test(text) && count > 0) return count;
  throw new InvalidArgumentError('must be a whole number above 0.');
}
