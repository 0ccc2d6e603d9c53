import { KIND } from '@opengrid/exchange';
import type { Queryable } from '../../store/database.ts';

/** USD of one account by origin and use, in micro-dollars. The three origins add up to the total. */
export interface UsdBalances {
  readonly availableMicros: number;
  readonly lockedMicros: number;
  readonly promotionalMicros: number;
  readonly proceedsMicros: number;
  readonly cardMicros: number;
  readonly owedMicros: number;
  readonly escrowMicros: number;
}

/** What an account has of one instrument, in tokens. */
export interface UnitBalances {
  readonly instrumentNo: number;
  readonly tradingTokens: number;
  readonly heldTokens: number;
  readonly consumptionTokens: number;
  readonly issuanceTokens: number;
  /** Kinds of ledger accounts that exist, empty ones included. */
  readonly kinds: ReadonlySet<number>;
}

export interface AccountBalances {
  readonly usd: UsdBalances;
  readonly units: readonly UnitBalances[];
}

/** One balance of the ledger. */
export interface BalanceRow {
  readonly kind: number;
  readonly no: number;
  readonly amount: number;
}

/** The durable balances of an account. */
export async function readBalances(store: Queryable, accountNumber: number): Promise<AccountBalances> {
  const { rows } = await store.query<BalanceRow>({
    name: 'account_balances',
    text: 'select kind, instrument_no as no, amount from balances where account_number = $1',
    values: [accountNumber],
  });
  return balancesOf(rows);
}

/** The balances of an account from its rows of the ledger. */
export function balancesOf(rows: readonly BalanceRow[]): AccountBalances {
  const sum = (...kinds: number[]): number =>
    rows.reduce((total, row) => (kinds.includes(row.kind) ? total + row.amount : total), 0);
  const numbers = [...new Set(rows.map(({ no }) => no))].filter((no) => no > 0).sort((a, b) => a - b);
  return { usd: usdOf(sum), units: numbers.map((no) => unitsOf(rows, no)).filter(isHeld) };
}

function usdOf(sum: (...kinds: number[]) => number): UsdBalances {
  return {
    availableMicros: sum(KIND.userPromotional, KIND.userProceeds, KIND.userCard),
    lockedMicros: sum(
      KIND.heldPromotional,
      KIND.heldProceeds,
      KIND.heldCard,
      KIND.refundPending,
      KIND.disputeHeld,
      KIND.disputeHeldProceeds,
    ),
    promotionalMicros: sum(KIND.userPromotional, KIND.heldPromotional),
    proceedsMicros: sum(KIND.userProceeds, KIND.heldProceeds, KIND.disputeHeldProceeds),
    cardMicros: sum(KIND.userCard, KIND.heldCard, KIND.refundPending, KIND.disputeHeld),
    owedMicros: Math.abs(sum(KIND.badDebt)),
    escrowMicros: sum(KIND.escrow),
  };
}

function unitsOf(rows: readonly BalanceRow[], instrumentNo: number): UnitBalances {
  const own = new Map(rows.filter(({ no }) => no === instrumentNo).map((row) => [row.kind, row.amount]));
  return {
    instrumentNo,
    tradingTokens: own.get(KIND.trading) ?? 0,
    heldTokens: own.get(KIND.tradingHeld) ?? 0,
    consumptionTokens: own.get(KIND.consumption) ?? 0,
    issuanceTokens: own.get(KIND.issuance) ?? 0,
    kinds: new Set(own.keys()),
  };
}

function isHeld({ kinds }: UnitBalances): boolean {
  return [KIND.trading, KIND.tradingHeld, KIND.consumption, KIND.issuance].some((kind) => kinds.has(kind));
}
