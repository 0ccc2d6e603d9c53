/** Exact integer arithmetic below 2^53. Products that could pass it go through big integers; only results must stay below. */

/** A rule of the exchange that can only be broken by a fault in the program. It ends the process, never a request. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}

export function isPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

export function isNonNegativeInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** floor(a x b / divisor), exact for non-negative integers whose result is below 2^53. */
export function mulDiv(a: number, b: number, divisor: number): number {
  const product = a * b;
  if (product <= Number.MAX_SAFE_INTEGER) return (product - (product % divisor)) / divisor;
  const exact = (BigInt(a) * BigInt(b)) / BigInt(divisor);
  invariant(exact <= BigInt(Number.MAX_SAFE_INTEGER), 'mulDiv: the result passes 2^53');
  return Number(exact);
}

/** a x b / divisor rounded half up, exact under the same conditions as {@link mulDiv}. */
export function mulDivHalfUp(a: number, b: number, divisor: number): number {
  const product = a * b;
  if (product <= Number.MAX_SAFE_INTEGER / 4) {
    const doubled = 2 * product + divisor;
    return (doubled - (doubled % (2 * divisor))) / (2 * divisor);
  }
  const exact = (2n * BigInt(a) * BigInt(b) + BigInt(divisor)) / (2n * BigInt(divisor));
  invariant(exact <= BigInt(Number.MAX_SAFE_INTEGER), 'mulDivHalfUp: the result passes 2^53');
  return Number(exact);
}

/**
 * The share of `total` that the first `part` of `whole` carries when shares are cumulative and rounded down,
 * so that consecutive parts always add up to the whole.
 */
export function cumulativeShare(total: number, part: number, whole: number): number {
  return part === whole ? total : mulDiv(total, part, whole);
}
