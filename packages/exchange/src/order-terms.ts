import { PREVENTION, type PreventionCode } from './book/book.ts';
import type { PlaceOrder, RestingTime, SelfTradePrevention } from './commands.ts';

/**
 * What an order was placed with, packed into the flags of its slot beside the side in bit 0, so that a resting order keeps
 * what an amend or an auction asks for. The bits are part of snapshots.
 */
export const AUTOTRANSFER_FLAG = 2;
const POST_ONLY_FLAG = 4;
const PREVENTION_SHIFT = 3;
const TIME_SHIFT = 5;
const TWO_BITS = 3;

const PREVENTION_CODES: Readonly<Record<SelfTradePrevention, PreventionCode>> = {
  cancel_newest: PREVENTION.cancelNewest,
  cancel_oldest: PREVENTION.cancelOldest,
  cancel_both: PREVENTION.cancelBoth,
  decrement: PREVENTION.decrement,
};
const PREVENTIONS = Object.keys(PREVENTION_CODES) as SelfTradePrevention[];
const TIMES: readonly RestingTime[] = ['gtc', 'gtd', 'day'];

/** The flags of an order. What never rests has no life to keep. */
export function termsOf(command: PlaceOrder): number {
  const prevention = PREVENTION_CODES[command.selfTradePrevention ?? 'cancel_newest'];
  const autotransfer = command.side === 'buy' && command.autotransfer === true ? AUTOTRANSFER_FLAG : 0;
  const postOnly = command.postOnly === true ? POST_ONLY_FLAG : 0;
  const terms = autotransfer | postOnly | (prevention << PREVENTION_SHIFT);
  const { timeInForce } = command;
  return isResting(timeInForce) ? withTime(terms, timeInForce) : terms;
}

export function isResting(timeInForce: string): timeInForce is RestingTime {
  return timeInForce === 'gtc' || timeInForce === 'gtd' || timeInForce === 'day';
}

export function preventionOf(flags: number): PreventionCode {
  return ((flags >> PREVENTION_SHIFT) & TWO_BITS) as PreventionCode;
}

export function preventionName(code: PreventionCode): SelfTradePrevention {
  return PREVENTIONS.find((name) => PREVENTION_CODES[name] === code)!;
}

export function isPostOnly(flags: number): boolean {
  return (flags & POST_ONLY_FLAG) !== 0;
}

export function timeOf(flags: number): RestingTime {
  return TIMES[(flags >> TIME_SHIFT) & TWO_BITS]!;
}

/** The same terms with another life. */
export function withTime(flags: number, time: RestingTime): number {
  return (flags & ~(TWO_BITS << TIME_SHIFT)) | (TIMES.indexOf(time) << TIME_SHIFT);
}
