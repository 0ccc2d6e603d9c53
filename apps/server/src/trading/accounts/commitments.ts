import type { Queryable } from '../../store/database.ts';
import type { Commitments } from './account-shapes.ts';

/** What inference requests of an account held and spent by instrument number, up to the command `throughSeq`. */
export async function readCommitments(
  store: Queryable,
  accountNumber: number,
  throughSeq = Number.MAX_SAFE_INTEGER,
): Promise<(instrumentNo: number) => Commitments> {
  const { rows } = await store.query<{ no: number; tokens: number; last: number; settled: number }>({
    name: 'account_commitments',
    text: `select instrument_no as no, sum(held_tokens) as tokens, max(created_at_ms) as last,
             max(settled_at_ms) as settled from receipts
           where account_number = $1 and command_seq <= $2 group by instrument_no`,
    values: [accountNumber, throughSeq],
  });
  return (instrumentNo) => {
    const row = rows.find(({ no }) => no === instrumentNo);
    return { tokens: row?.tokens ?? 0, lastAtMs: row?.last ?? null, lastSettledAtMs: row?.settled ?? null };
  };
}
