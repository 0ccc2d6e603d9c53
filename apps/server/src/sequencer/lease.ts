import type { Queryable } from '../store/database.ts';

/** Where the one writer stands. The row is the fence: a batch commits only under the epoch that is in it. */
export interface Lease {
  readonly epoch: number;
  readonly batch: number;
  readonly lastSeq: number;
  readonly atMs: number;
}

interface LeaseRow {
  readonly epoch: number;
  readonly batch: number;
  readonly command_seq: number;
  readonly at_ms: number;
}

function toLease(row: LeaseRow): Lease {
  return { epoch: row.epoch, batch: row.batch, lastSeq: row.command_seq, atMs: row.at_ms };
}

const RETURNING = 'returning epoch, batch, command_seq, at_ms';

/** Becomes the writer, whoever was it before: whatever the old one still sends fails its fence. */
export async function takeLease(store: Queryable): Promise<Lease> {
  const { rows } = await store.query<LeaseRow>({
    text: `update writer_lease set epoch = epoch + 1 where id = 1 ${RETURNING}`,
    values: [],
  });
  return toLease(rows[0]!);
}

/** Takes a new epoch only if nobody took one since `epoch`; undefined: another writer has taken over. */
export async function renewLease(store: Queryable, epoch: number): Promise<Lease | undefined> {
  const { rows } = await store.query<LeaseRow>({
    text: `update writer_lease set epoch = epoch + 1 where id = 1 and epoch = $1 ${RETURNING}`,
    values: [epoch],
  });
  return rows[0] === undefined ? undefined : toLease(rows[0]);
}
