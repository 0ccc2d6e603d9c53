import { OpenGridError } from './error.ts';

const decimalPattern = /^(-?)(\d+)(?:\.(\d+))?$/;

/**
 * Reads a decimal string of the API as an integer of 10^-`fractionDigits`, exactly: `("2.5", 4)` is `25000n`.
 * Money never passes through a float.
 * @throws OpenGridError when the text is no plain decimal or has more digits than asked for
 */
export const toScaled = (decimal: string, fractionDigits: number): bigint => {
  const match = decimalPattern.exec(decimal);
  const fraction = (match?.[3] ?? '').replace(/0+$/, '');
  if (match === null || fraction.length > fractionDigits) {
    throw new OpenGridError(`not a decimal with at most ${fractionDigits} fractional digits`);
  }
  const digits = BigInt((match[2] ?? '0') + fraction.padEnd(fractionDigits, '0'));
  return match[1] === '-' ? -digits : digits;
};

/** The way back: `(25000n, 4)` is `"2.5000"`. Always writes all `fractionDigits`. */
export const fromScaled = (scaled: bigint, fractionDigits: number): string => {
  const sign = scaled < 0n ? '-' : '';
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(fractionDigits + 1, '0');
  if (fractionDigits === 0) return sign + digits;
  return `${sign}${digits.slice(0, -fractionDigits)}.${digits.slice(-fractionDigits)}`;
};
