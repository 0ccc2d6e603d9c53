import { KIND } from '@opengrid/exchange';
import { GridFailure, gridError } from '@opengrid/wire';
import type { Sequencer } from '../sequencer/types.ts';

/** USD of an account in micro-dollars, by origin. */
export interface UsdBalance {
  readonly promotionalMicros: number;
  readonly proceedsMicros: number;
  readonly cardMicros: number;
  readonly heldMicros: number;
  readonly owedMicros: number;
  /** What can be spent at once. */
  readonly availableMicros: number;
}

const MAX_GRANT_MICROS = 1_000_000_000_000;

/**
 * Grants promotional credit: spent first, never refundable.
 * @throws GridFailure invalid_value when the amount is not within USD 0.000001 to 1,000,000; account_not_found
 */
export async function grantCredit(
  sequencer: Sequencer,
  account: number,
  amountMicros: number,
): Promise<void> {
  if (!Number.isSafeInteger(amountMicros) || amountMicros < 1 || amountMicros > MAX_GRANT_MICROS) {
    throw new GridFailure(
      gridError('invalid_value', { param: 'amount', message: 'amount is out of range.' }),
    );
  }
  const result = await sequencer.submit({ kind: 'credit', account, origin: 'promotional', amountMicros });
  if (result.ok) return;
  const code = result.code === 'account_not_found' ? 'account_not_found' : 'invalid_value';
  throw new GridFailure(gridError(code, { param: 'amount' }));
}

/** The balance as applied by the exchange. */
export function balanceOf(sequencer: Sequencer, account: number): UsdBalance {
  const { exchange } = sequencer;
  const of = (kind: Parameters<typeof exchange.balance>[0]): number => exchange.balance(kind, account);
  const promotionalMicros = of(KIND.userPromotional);
  const proceedsMicros = of(KIND.userProceeds);
  const cardMicros = of(KIND.userCard);
  return {
    promotionalMicros,
    proceedsMicros,
    cardMicros,
    heldMicros: of(KIND.heldPromotional) + of(KIND.heldProceeds) + of(KIND.heldCard),
    owedMicros: 0 - of(KIND.badDebt),
    availableMicros: promotionalMicros + proceedsMicros + cardMicros,
  };
}
