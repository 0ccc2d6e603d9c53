import { createHash } from 'node:crypto';
import {
  type Accepted,
  type Command,
  Earmarks,
  Exchange,
  invariant,
  type JournalEntry,
  SNAPSHOT_VERSION,
  type StateExport,
} from '@opengrid/exchange';
import type { Database, Queryable } from '../store/database.ts';

/** Journal rows read at once while replaying. */
const REPLAY_PAGE = 2_000;

interface JournalRow {
  readonly seq: number;
  readonly at_ms: number;
  readonly body: Command;
}

export interface Recovered {
  readonly exchange: Exchange;
  /** Commands replayed after the snapshot. */
  readonly replayed: number;
}

export type ReplayProgress = (done: number, total: number) => void;

/** Who looks on while a journal is replayed. */
export interface ReplayObserver {
  applied(entry: JournalEntry, outcome: Accepted): void;
  /** Between pages, when the store is free to be asked. */
  pageEnd(store: Queryable): Promise<void>;
}

export interface ReplayOptions {
  readonly lastSeq: number;
  readonly onProgress?: ReplayProgress | undefined;
  readonly observer?: ReplayObserver;
}

/** SHA-256 of the canonical export, hexadecimal. */
export function hashState(serialised: string): string {
  return createHash('sha256').update(serialised).digest('hex');
}

/** Applies journal rows after `exchange.lastSeq`, up to and including `lastSeq`. */
export async function replayJournal(
  store: Queryable,
  exchange: Exchange,
  { lastSeq, onProgress, observer }: ReplayOptions,
): Promise<void> {
  while (exchange.lastSeq < lastSeq) {
    const { rows } = await store.query<JournalRow>({
      name: 'journal_page',
      text: 'select seq, at_ms, body from journal where seq > $1 and seq <= $2 order by seq limit $3',
      values: [exchange.lastSeq, lastSeq, REPLAY_PAGE],
    });
    invariant(rows.length > 0, 'recovery: the journal reaches the last committed command');
    for (const row of rows) {
      const entry = { seq: row.seq, atMs: row.at_ms, command: row.body };
      const outcome = exchange.apply(entry);
      invariant(outcome.ok, 'recovery: a journalled command is accepted again');
      observer?.applied(entry, outcome);
    }
    await observer?.pageEnd(store);
    onProgress?.(exchange.lastSeq, lastSeq);
  }
}

interface SnapshotRow {
  readonly command_seq: number;
  readonly state_hash: string;
  readonly body: Buffer;
}

/** The newest snapshot in the present shape. One of an older program is passed over: the journal says the same. */
async function newestSnapshot(store: Queryable, lastSeq: number): Promise<Exchange> {
  const { rows } = await store.query<SnapshotRow>({
    text: `select command_seq, state_hash, body from snapshots where command_seq <= $1 and version = $2
           order by command_seq desc limit 1`,
    values: [lastSeq, SNAPSHOT_VERSION],
  });
  const row = rows[0];
  if (row === undefined) return new Exchange();
  const serialised = row.body.toString('utf8');
  invariant(
    hashState(serialised) === row.state_hash,
    'recovery: a snapshot has the hash it was written with',
  );
  return Exchange.restore(JSON.parse(serialised) as StateExport);
}

/** Rebuilds the state as of the last committed command: newest snapshot, then the journal after it. */
export async function recover(
  store: Queryable,
  lastSeq: number,
  onProgress?: ReplayProgress,
): Promise<Recovered> {
  const exchange = await newestSnapshot(store, lastSeq);
  const from = exchange.lastSeq;
  await replayJournal(store, exchange, { lastSeq, onProgress });
  return { exchange, replayed: lastSeq - from };
}

/**
 * Keeps the state so that the next start need not replay the whole journal. Older snapshots but one go. The state is that of
 * the moment of the call.
 * @returns the size of the snapshot in bytes.
 */
export async function writeSnapshot(store: Database, exchange: Exchange): Promise<number> {
  const { lastSeq, lastAtMs } = exchange;
  const serialised = JSON.stringify(exchange.export());
  const body = Buffer.from(serialised, 'utf8');
  await store.query({
    text: `insert into snapshots (command_seq, at_ms, state_hash, body, version) values ($1, $2, $3, $4, $5)
           on conflict (command_seq) do update set state_hash = excluded.state_hash, body = excluded.body,
             version = excluded.version`,
    values: [lastSeq, lastAtMs, hashState(serialised), body, SNAPSHOT_VERSION],
  });
  await store.query({
    text: `delete from snapshots where command_seq not in
           (select command_seq from snapshots order by command_seq desc limit 2)`,
    values: [],
  });
  return body.length;
}

/** The holds of requests begin anew: every token of every lot is free. */
export function earmarksOf(exchange: Exchange): Earmarks {
  const earmarks = new Earmarks();
  for (const lot of exchange.openLots()) earmarks.addLot(lot, lot.free);
  return earmarks;
}
