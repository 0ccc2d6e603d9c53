/**
 * What a server does in background processes and PGlite, a single process, never does by itself: checkpoints
 * (or the write-ahead log grows for as long as the program runs) and vacuuming (or every update leaves its
 * old row behind). Each call does at most one piece of work, so that commits get in between.
 */

export const MAINTENANCE_INTERVAL_MS = 15_000;

/**
 * A restart after a crash replays this much at most, plus what one interval wrote; a checkpoint takes about
 * 50 ms.
 */
const CHECKPOINT_AFTER_BYTES = 67_108_864;

/** PostgreSQL's own defaults for autovacuum: this many rows, plus this share of the table. */
const DEAD_ROWS = 50;
const DEAD_SHARE = 0.2;
const CHANGED_ROWS = 50;
const CHANGED_SHARE = 0.1;

/** Runs one statement on the connection that the caller holds. */
export type Housekeep = (text: string) => Promise<MaintenanceRow[]>;

interface MaintenanceRow {
  readonly due?: boolean;
  readonly name?: string;
  readonly dead?: boolean;
}

/** Writes a checkpoint when enough has been logged since the last one. */
export async function checkpointWhenDue(run: Housekeep): Promise<void> {
  const [row] = await run(
    `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) >= ${CHECKPOINT_AFTER_BYTES} as due
     from pg_control_checkpoint()`,
  );
  if (row?.due) await run('checkpoint');
}

/** Vacuums or analyzes the one table that needs it most, when any does. */
export async function vacuumWhenDue(run: Housekeep): Promise<void> {
  const [row] = await run(
    `select format('%I.%I', schemaname, relname) as name,
       n_dead_tup > ${DEAD_ROWS} + ${DEAD_SHARE} * n_live_tup as dead
     from pg_stat_user_tables
     where n_dead_tup > ${DEAD_ROWS} + ${DEAD_SHARE} * n_live_tup
        or n_mod_since_analyze > ${CHANGED_ROWS} + ${CHANGED_SHARE} * n_live_tup
     order by n_dead_tup desc
     limit 1`,
  );
  if (row === undefined) return;
  await run(row.dead ? `vacuum (analyze) ${row.name}` : `analyze ${row.name}`);
}
