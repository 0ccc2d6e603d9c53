import type { Queryable } from '../../store/database.ts';

/** What an issuer has sold of one instrument and still owes. */
export interface Liability {
  readonly instrumentNo: number;
  readonly soldTokens: number;
  readonly deliveredTokens: number;
  readonly outstandingTokens: number;
  readonly escrowedMicros: number;
  readonly releasedMicros: number;
}

/** Sums of the escrow of an issuer, and its collateral. A closed range owes nothing and holds nothing. */
export async function readLiabilities(
  store: Queryable,
  accountNumber: number,
  collateralKind: number,
): Promise<{ rows: Liability[]; collateralMicros: number }> {
  const { rows } = await store.query<Liability>({
    name: 'issuer_liabilities',
    text: `select instrument_no as "instrumentNo", sum(tokens_total) as "soldTokens",
             sum(tokens_delivered) as "deliveredTokens",
             sum(case when is_closed then 0 else tokens_total - tokens_delivered end) as "outstandingTokens",
             sum(case when is_closed then 0 else escrow_micros - released_micros end) as "escrowedMicros",
             sum(released_micros) as "releasedMicros"
           from escrow_ranges where issuer_account = $1 group by instrument_no order by instrument_no`,
    values: [accountNumber],
  });
  const collateral = await store.query<{ amount: number }>({
    name: 'issuer_collateral',
    text: 'select coalesce(sum(amount), 0) as amount from balances where account_number = $1 and kind = $2',
    values: [accountNumber, collateralKind],
  });
  return { rows, collateralMicros: collateral.rows[0]?.amount ?? 0 };
}
