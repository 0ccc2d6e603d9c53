import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  effectivePricePerToken,
  formatCardCents,
  formatDecimal,
  formatMoneyMicros,
  formatPriceTicks,
  parseCardCents,
  parseMoneyMicros,
  parsePriceTicks,
  parseQuantity,
  pricePerToken,
  subtotalOf,
  sumDecimals,
} from './numbers.ts';

const safe = fc.maxSafeNat();

describe('prices and money', () => {
  it('prints fixed digits', () => {
    expect(formatPriceTicks(25_000)).toBe('2.5000');
    expect(formatPriceTicks(1)).toBe('0.0001');
    expect(formatMoneyMicros(25_125_000)).toBe('25.125000');
    expect(formatMoneyMicros(-1)).toBe('-0.000001');
    expect(formatCardCents(2500)).toBe('25.00');
    expect(() => formatMoneyMicros(0.5)).toThrow(RangeError);
  });

  it('reads strings and JSON numbers', () => {
    expect([parsePriceTicks('2.5000'), parsePriceTicks('2.5'), parsePriceTicks(2.5)]).toEqual(
      Array(3).fill(25_000),
    );
    expect(parsePriceTicks('2.50000000')).toBe(25_000);
    expect(parseMoneyMicros('0.000001')).toBe(1);
    expect(parseCardCents('25')).toBe(2500);
  });

  const refused = [
    '',
    '+1',
    '-1',
    ' 1',
    '1 ',
    '1.',
    '.5',
    '1e3',
    '0x10',
    'NaN',
    '1,5',
    '1.00001',
    '１',
    null,
  ];
  it.each([...refused, true, [], {}, Number.NaN, 1e21, 1e-7, -1, '9'.repeat(41)])('refuses %j', (value) => {
    expect(parsePriceTicks(value)).toBeUndefined();
  });

  it('refuses what does not fit a safe integer', () => {
    expect(parsePriceTicks('900719925474.0991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(parsePriceTicks('900719925474.0992')).toBeUndefined();
  });

  it('reads back what it printed', () => {
    fc.assert(
      fc.property(safe, (amount) => {
        expect(parsePriceTicks(formatPriceTicks(amount))).toBe(amount);
        expect(parseMoneyMicros(formatMoneyMicros(amount))).toBe(amount);
        expect(parseCardCents(formatCardCents(amount))).toBe(amount);
      }),
    );
  });

  it('never throws and never rounds', () => {
    const text = fc.stringMatching(/^[0-9.eE+-]{0,12}$/);
    fc.assert(
      fc.property(text, (value) => {
        const ticks = parsePriceTicks(value);
        if (ticks !== undefined) expect(ticks / 10_000).toBe(Number(value));
      }),
    );
  });
});

describe('quantities', () => {
  it('are integers or digits with a fraction of zeros', () => {
    expect([10, '10', '10.0', '010'].map(parseQuantity)).toEqual([10, 10, 10, 10]);
    expect([1.5, '10.1', '-1', '1e1', 2 ** 53].map(parseQuantity)).toEqual(Array(5).fill(undefined));
  });
});

describe('exact decimals', () => {
  it('reproduce a receipt', () => {
    const subtotals = [subtotalOf(400, 25_000), subtotalOf(600, 27_000)];
    expect(subtotals.map(formatDecimal)).toEqual(['0.001', '0.00162']);
    const amount = sumDecimals(subtotals);
    expect(formatDecimal(amount)).toBe('0.00262');
    expect(effectivePricePerToken(amount, 1000)).toBe('0.00000262');
    expect([pricePerToken(25_000), pricePerToken(27_000)]).toEqual(['0.0000025', '0.0000027']);
  });

  it('round half up, once, at the tenth digit', () => {
    expect(effectivePricePerToken(1n, 2)).toBe('0.0000000001');
    expect(effectivePricePerToken(1n, 3)).toBe('0');
    expect(effectivePricePerToken(0n, 0)).toBeUndefined();
  });

  it('print no exponent and no trailing zero, and lose nothing', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (scaled) => {
        const text = formatDecimal(scaled);
        expect(text).toMatch(/^-?(0|[1-9]\d*)(\.\d{0,9}[1-9])?$/);
        const [whole = '', fraction = ''] = text.replace('-', '').split('.');
        const back = BigInt(whole + fraction.padEnd(10, '0'));
        expect(text.startsWith('-') ? -back : back).toBe(scaled);
      }),
    );
  });

  it('stay within half a step of the quotient', () => {
    fc.assert(
      fc.property(safe, fc.integer({ min: 1, max: 2 ** 40 }), (amount, tokens) => {
        const price = effectivePricePerToken(BigInt(amount), tokens) ?? '';
        const [whole = '', fraction = ''] = price.split('.');
        const error = BigInt(whole + fraction.padEnd(10, '0')) * BigInt(tokens) - BigInt(amount);
        expect(2n * error <= BigInt(tokens) && 2n * error > -BigInt(tokens)).toBe(true);
      }),
    );
  });
});
