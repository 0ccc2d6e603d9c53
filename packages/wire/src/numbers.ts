/** Ticks of the price grid: 1 tick = 0.0001 USD per unit. */
const PRICE_DIGITS = 4;
const MONEY_DIGITS = 6;
const CARD_DIGITS = 2;

/** Exact decimals (cost basis, price per token) are big integers in units of 10^-10 USD. */
const DECIMAL_DIGITS = 10;

// Longer digits cannot be a safe integer in any unit; the bound keeps hostile input from costing time.
const MAX_TEXT_LENGTH = 40;

const DECIMAL = /^(\d+)(?:\.(\d+))?$/;

/**
 * Reads a plain decimal into an integer of 10^-digits, or gives `undefined` when it is not one, has
 * more digits than allowed (trailing zeros aside) or does not fit a safe integer. Nothing is rounded.
 */
function parseScaled(value: unknown, digits: number): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  if (text.length > MAX_TEXT_LENGTH) return undefined;
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  if (fraction.length > digits) return undefined;
  const scaled = Number(BigInt(match[1] + fraction.padEnd(digits, '0')));
  return Number.isSafeInteger(scaled) ? scaled : undefined;
}

/** Prints an integer of 10^-digits with exactly that many fractional digits. */
function formatScaled(scaled: number, digits: number): string {
  if (!Number.isSafeInteger(scaled)) throw new RangeError('amount is not a safe integer');
  const text = String(Math.abs(scaled)).padStart(digits + 1, '0');
  const sign = scaled < 0 ? '-' : '';
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** `"2.5000"`, `"2.5"` or `2.5` to 25000 ticks; `undefined` when it is no price. Zero is one. */
export function parsePriceTicks(value: unknown): number | undefined {
  return parseScaled(value, PRICE_DIGITS);
}

/** 25000 ticks to `"2.5000"`. Throws RangeError when not a safe integer. */
export function formatPriceTicks(priceTicks: number): string {
  return formatScaled(priceTicks, PRICE_DIGITS);
}

/** `"25.125"` or `25.125` to 25125000 micro-dollars; `undefined` when it is no amount. */
export function parseMoneyMicros(value: unknown): number | undefined {
  return parseScaled(value, MONEY_DIGITS);
}

/** 25125000 micro-dollars to `"25.125000"`. Throws RangeError when not a safe integer. */
export function formatMoneyMicros(amountMicros: number): string {
  return formatScaled(amountMicros, MONEY_DIGITS);
}

/** `"25.00"` to 2500 cents; `undefined` when it is no amount of card money. */
export function parseCardCents(value: unknown): number | undefined {
  return parseScaled(value, CARD_DIGITS);
}

/** 2500 cents to `"25.00"`. Throws RangeError when not a safe integer. */
export function formatCardCents(amountCents: number): string {
  return formatScaled(amountCents, CARD_DIGITS);
}

/** An integer, or a string of digits with an optional fraction of zeros (`"10.0"`), else `undefined`. */
export function parseQuantity(value: unknown): number | undefined {
  return parseScaled(value, 0);
}

/**
 * Prints an exact decimal without exponent and without trailing zeros: 25000n to `"0.0000025"`.
 *
 * @param scaled in units of 10^-10.
 */
export function formatDecimal(scaled: bigint): string {
  const sign = scaled < 0n ? '-' : '';
  const text = String(scaled < 0n ? -scaled : scaled).padStart(DECIMAL_DIGITS + 1, '0');
  const fraction = text.slice(-DECIMAL_DIGITS).replace(/0+$/, '');
  const whole = text.slice(0, -DECIMAL_DIGITS);
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** The price of one token as a decimal string. One tick per unit is exactly 10^-10 USD per token. */
export function pricePerToken(priceTicks: number): string {
  return formatDecimal(BigInt(priceTicks));
}

/** What tokens cost at a unit price, exact, in units of 10^-10 USD. Throws RangeError on fractions. */
export function subtotalOf(tokens: number, priceTicks: number): bigint {
  return BigInt(tokens) * BigInt(priceTicks);
}

/** The exact sum of amounts of 10^-10 USD. */
export function sumDecimals(amounts: Iterable<bigint>): bigint {
  let sum = 0n;
  for (const amount of amounts) sum += amount;
  return sum;
}

/**
 * Amount over priced tokens, rounded half up to 10 digits, as a decimal string; `undefined` without tokens.
 *
 * @param amount non-negative, in units of 10^-10 USD.
 */
export function effectivePricePerToken(amount: bigint, pricedTokens: number): string | undefined {
  if (pricedTokens <= 0) return undefined;
  const tokens = BigInt(pricedTokens);
  return formatDecimal((2n * amount + tokens) / (2n * tokens));
}
