import type { OrderTable } from './book/order-table.ts';
import { invariant } from './integers.ts';
import { KIND, type Kind, type Ledger } from './ledger.ts';

/** USD is spent in this order (clearing): promotional, proceeds, card. */
const AVAILABLE: readonly Kind[] = [KIND.userPromotional, KIND.userProceeds, KIND.userCard];
const HELD: readonly Kind[] = [KIND.heldPromotional, KIND.heldProceeds, KIND.heldCard];

export function availableUsd(ledger: Ledger, account: number): number {
  return AVAILABLE.reduce((sum, kind) => sum + ledger.balance(kind, account), 0);
}

/** Takes USD from what is available, in spending order, and returns the promotional part. */
export function payAvailable(ledger: Ledger, account: number, amountMicros: number): number {
  let left = amountMicros;
  let promotional = 0;
  for (const kind of AVAILABLE) {
    const part = Math.min(left, ledger.balance(kind, account));
    ledger.post(kind, { account }, -part);
    if (kind === KIND.userPromotional) promotional = part;
    left -= part;
  }
  invariant(left === 0, 'usd: a payment was checked against the available balance');
  return promotional;
}

/** Moves available USD into the hold of a resting order. */
export function holdUsd(ledger: Ledger, orders: OrderTable, slot: number, amountMicros: number): void {
  const account = orders.account[slot]!;
  let left = amountMicros;
  AVAILABLE.forEach((kind, origin) => {
    const part = Math.min(left, ledger.balance(kind, account));
    ledger.post(kind, { account }, -part);
    ledger.post(HELD[origin]!, { account }, part);
    heldColumn(orders, origin)[slot]! += part;
    left -= part;
  });
  invariant(left === 0, 'usd: a hold was checked against the available balance');
}

/** Pays from the hold of a resting order, in spending order, and returns the promotional part. */
export function payHeld(ledger: Ledger, orders: OrderTable, slot: number, amountMicros: number): number {
  const account = orders.account[slot]!;
  let left = amountMicros;
  let promotional = 0;
  for (let origin = 0; origin < HELD.length; origin += 1) {
    const column = heldColumn(orders, origin);
    const part = Math.min(left, column[slot]!);
    column[slot]! -= part;
    ledger.post(HELD[origin]!, { account }, -part);
    if (origin === 0) promotional = part;
    left -= part;
  }
  invariant(left === 0, 'usd: the hold of a resting order covers its fills');
  return promotional;
}

/** Gives back a part of a hold: what would have been spent last returns first. */
export function releaseHeld(ledger: Ledger, orders: OrderTable, slot: number, amountMicros: number): void {
  const account = orders.account[slot]!;
  let left = amountMicros;
  for (let origin = HELD.length - 1; origin >= 0; origin -= 1) {
    const column = heldColumn(orders, origin);
    const part = Math.min(left, column[slot]!);
    column[slot]! -= part;
    ledger.post(HELD[origin]!, { account }, -part);
    ledger.post(AVAILABLE[origin]!, { account }, part);
    left -= part;
  }
  invariant(left === 0, 'usd: no more is released than was held');
}

function heldColumn(orders: OrderTable, origin: number): Float64Array {
  if (origin === 0) return orders.heldPromotionalMicros;
  return origin === 1 ? orders.heldProceedsMicros : orders.heldCardMicros;
}

/** Credits sale money: up to what the units carried as promotional share comes back as promotional USD. */
export function creditSale(
  ledger: Ledger,
  account: number,
  amount: { net: number; promotional: number },
): void {
  const promotional = Math.min(amount.net, amount.promotional);
  ledger.post(KIND.userPromotional, { account }, promotional);
  ledger.post(KIND.userProceeds, { account }, amount.net - promotional);
}
