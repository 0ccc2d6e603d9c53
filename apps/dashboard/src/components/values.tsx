import { useState } from 'react';
import { useNow } from '../lib/clock.ts';
import { alignDecimal, formatAge, formatDecimal, formatUtc, missing } from '../lib/format.ts';

type Price = string | null | undefined;

/** Keeps the price before the present one, so that a change knows its direction. */
const usePrevious = (price: Price): Price => {
  const [{ current, previous }, setPair] = useState({ current: price, previous: price });
  if (current === price) return previous;
  setPair({ current: price, previous: current });
  return current;
};

const flashOf = (previous: Price, price: Price): string => {
  if (!previous || !price || previous === price) return '';
  return Number(price) > Number(previous) ? 'flash-up' : 'flash-down';
};

/** A price that flashes when it changes. The new key restarts the animation. */
export const LivePrice = ({ price, className = '' }: { price: Price; className?: string }) => {
  const flash = flashOf(usePrevious(price), price);
  return (
    <span key={price} className={`rounded-sm ${flash} ${price ? '' : 'text-text-3'} ${className}`}>
      {formatDecimal(price)}
    </span>
  );
};

/** Relative time with the exact moment on hover. */
export const Age = ({ iso }: { iso: string }) => {
  const nowMs = useNow();
  return (
    <time dateTime={iso} title={formatUtc(iso)} className="whitespace-nowrap">
      {formatAge(iso, nowMs)}
    </time>
  );
};

/** An exact amount whose decimal point stands under the one above; zeros that only align are muted. */
export const Amount = ({ amount, fractionDigits }: { amount: string | null; fractionDigits: number }) => {
  if (amount === null) return <span className="text-text-3">{missing}</span>;
  const { digits, padding } = alignDecimal(amount, fractionDigits);
  return (
    <span className="whitespace-nowrap">
      {digits}
      <span aria-hidden="true" className="text-text-3 opacity-60">
        {padding}
      </span>
    </span>
  );
};
