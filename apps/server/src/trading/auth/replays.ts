import { gridError, type Result } from '@opengrid/wire';
import type { Database } from '../../store/database.ts';

export type ReplayPolicy = 'coalesce' | 'reject' | 'off';

/** Whether a copy is answered from what was recorded, or carried out again within two seconds. */
export type CopyRule = 'coalesce' | 'repeat';

/** What a recorded command made, by which its answer is rebuilt from state. */
export interface RecordedCommand {
  readonly commandSeq: number;
  readonly objectId: string | null;
  readonly atMs: number;
}

/** A signed mutation, by key and hash of its decoded signature. */
export interface SignatureUse {
  readonly keyId: string;
  readonly hash: Buffer;
}

/** What to do with a signed mutation: carry it out and say how it ended, or answer from the one before it. */
export type Replay =
  | { readonly kind: 'first'; readonly end: (how: RecordedCommand | 'refused' | 'unknown') => void }
  | { readonly kind: 'copy'; readonly recorded: RecordedCommand };

export interface ReplayOptions {
  readonly database: Database;
  readonly policy: ReplayPolicy;
  /** Whether the sequencer's state is that of the store: while it recovers, the store may still change. */
  readonly isLeading: () => boolean;
  readonly clock?: () => number;
}

interface Entry {
  recorded: RecordedCommand | undefined;
  running: Promise<void> | undefined;
  /** The first one may or may not have been recorded: the store is asked before a copy is carried out. */
  isUnknown: boolean;
}

const REMEMBER_MS = 90_000;
const WAIT_MS = 5_000;
/** Cancelling or amending twice in a moment is legitimate, and missing a cancel is worse than repeating it. */
const REPEATABLE_MS = 2_000;

/**
 * Signatures of commands that were recorded in the last 90 seconds. The rows are written by the commands' own commits, so
 * that a restarted or another process knows them as well.
 */
export class SignatureReplays {
  private readonly database: Database;
  private readonly policy: ReplayPolicy;
  private readonly clock: () => number;
  private readonly isLeading: () => boolean;
  private readonly entries = new Map<string, Entry>();

  private constructor(options: ReplayOptions & { clock: () => number }) {
    this.database = options.database;
    this.isLeading = options.isLeading;
    this.policy = options.policy;
    this.clock = options.clock;
  }

  /** Reads what was recorded in the last 90 seconds. */
  static async open(options: ReplayOptions): Promise<SignatureReplays> {
    const replays = new SignatureReplays({ clock: Date.now, ...options });
    const { rows } = await options.database.query<RecordedCommand & SignatureUse>({
      text: `select key_id as "keyId", signature_hash as hash, command_seq as "commandSeq", object_id as "objectId",
               at_ms as "atMs" from signature_replays where at_ms > $1 order by at_ms`,
      values: [replays.clock() - REMEMBER_MS],
    });
    for (const { keyId, hash, ...recorded } of rows) {
      replays.entries.set(nameOf({ keyId, hash }), { recorded, running: undefined, isUnknown: false });
    }
    return replays;
  }

  /**
   * Looks a mutation up before it is carried out.
   *
   * @returns `signature_replayed` under the policy `reject`, `outcome_unknown` when the first one still runs after 5 s.
   */
  async begin(use: SignatureUse, copies: CopyRule): Promise<Result<Replay>> {
    if (this.policy === 'off') return { ok: true, value: { kind: 'first', end: () => {} } };
    const deadlineMs = this.clock() + WAIT_MS;
    for (;;) {
      const entry = this.current(use);
      if (entry === undefined) return { ok: true, value: this.first(use) };
      if (entry.isUnknown) {
        if (!this.isLeading()) return { ok: false, error: gridError('outcome_unknown') };
        await this.resolve(use, entry);
        continue;
      }
      if (this.policy === 'reject') return { ok: false, error: gridError('signature_replayed') };
      const { running, recorded } = entry;
      if (copies === 'repeat' && this.isRepeatable(entry)) return { ok: true, value: this.first(use) };
      if (running === undefined) return { ok: true, value: { kind: 'copy', recorded: recorded! } };
      const isOver = await within(running, deadlineMs - this.clock());
      if (!isOver) return { ok: false, error: gridError('outcome_unknown') };
    }
  }

  /** What the store recorded under a signature, whoever carried it out. */
  async recorded({ keyId, hash }: SignatureUse): Promise<RecordedCommand | undefined> {
    const { rows } = await this.database.query<RecordedCommand>({
      text: `select command_seq as "commandSeq", object_id as "objectId", at_ms as "atMs" from signature_replays
             where key_id = $1 and signature_hash = $2 order by command_seq desc limit 1`,
      values: [keyId, hash],
    });
    return rows[0];
  }

  /** Removes rows that nobody looks at any more; calls with an Idempotency-Key that never ended still look at theirs. */
  async purge(): Promise<void> {
    const oldestMs = this.clock() - REMEMBER_MS;
    for (const [name, { recorded, running }] of this.entries) {
      if (running === undefined && recorded !== undefined && recorded.atMs <= oldestMs)
        this.entries.delete(name);
    }
    await this.database.query({
      text: `delete from signature_replays s where at_ms < $1 and not exists (
               select from idempotency_keys i
               where i.status is null and i.key_id = s.key_id and i.signature_hash = s.signature_hash)`,
      values: [oldestMs],
    });
  }

  /** Asks the store what became of a command whose outcome was unknown. */
  private async resolve(use: SignatureUse, entry: Entry): Promise<void> {
    entry.recorded = await this.recorded(use);
    entry.isUnknown = false;
    if (entry.recorded === undefined) this.entries.delete(nameOf(use));
  }

  private isRepeatable({ recorded, running }: Entry): boolean {
    return running !== undefined || this.clock() - (recorded?.atMs ?? 0) < REPEATABLE_MS;
  }

  private current(use: SignatureUse): Entry | undefined {
    const entry = this.entries.get(nameOf(use));
    if (entry === undefined || entry.running !== undefined || entry.isUnknown) return entry;
    return this.clock() - (entry.recorded?.atMs ?? 0) < REMEMBER_MS ? entry : undefined;
  }

  private first(use: SignatureUse): Replay {
    const name = nameOf(use);
    const before = this.entries.get(name)?.recorded;
    let release = (): void => {};
    const running = new Promise<void>((resolve) => {
      release = resolve;
    });
    const entry: Entry = { recorded: before, running, isUnknown: false };
    this.entries.set(name, entry);
    const end = (how: RecordedCommand | 'refused' | 'unknown'): void => {
      entry.running = undefined;
      entry.isUnknown = how === 'unknown';
      if (typeof how === 'object') entry.recorded ??= how;
      // What was refused before a command was recorded leaves no entry and is evaluated afresh.
      const isForgotten = entry.recorded === undefined && !entry.isUnknown;
      if (isForgotten && this.entries.get(name) === entry) this.entries.delete(name);
      release();
    };
    return { kind: 'first', end };
  }
}

function nameOf({ keyId, hash }: SignatureUse): string {
  return `${keyId}:${hash.toString('base64')}`;
}

async function within(running: Promise<void>, waitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.max(0, waitMs));
  });
  try {
    return await Promise.race([running.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
