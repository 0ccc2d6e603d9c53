import type { Caller } from '../../ports/identity.ts';
import type { Database } from '../../store/database.ts';

/** What counts of a hold: the tokens in it, none once it is closed. */
interface Held {
  readonly tokens: number;
}

interface KeyUse {
  readonly monthStartMs: number;
  billedTokens: number;
  readonly holds: Set<Held>;
}

/**
 * Tokens that keys with a monthly limit have used in the calendar month (UTC): what was billed, and what running requests
 * hold. Read from the receipts when a key is first met in a month, then kept up by what is settled.
 */
export class KeyTokens {
  private readonly database: Database;
  private readonly clock: () => number;
  private readonly uses = new Map<string, KeyUse>();
  private readonly readings = new Map<string, Promise<KeyUse>>();

  constructor(deps: { database: Database; clock: () => number }) {
    this.database = deps.database;
    this.clock = deps.clock;
  }

  /** What the key may still take this month; null where it has no limit. Asked before the others. */
  async left({ keyId, accountNumber, monthlyTokenLimit }: Caller): Promise<number | null> {
    if (keyId === null || monthlyTokenLimit === null) return null;
    return Math.max(0, monthlyTokenLimit - takenOf(await this.use(keyId, accountNumber)));
  }

  /**
   * Counts a hold of the key until it is closed. False, and not counted, when it is beyond the limit: requests that were
   * asked about at the same time may have taken the room.
   */
  track(caller: Caller, hold: Held): boolean {
    const use = this.limitedUse(caller);
    use?.holds.add(hold);
    if (this.spare(caller) >= 0) return true;
    use?.holds.delete(hold);
    return false;
  }

  /** Tokens by which the holds of the key may still grow. */
  spare(caller: Caller): number {
    const use = this.limitedUse(caller);
    return use === undefined ? Number.POSITIVE_INFINITY : (caller.monthlyTokenLimit ?? 0) - takenOf(use);
  }

  bill(caller: Caller, tokens: number): void {
    const use = this.limitedUse(caller);
    if (use !== undefined) use.billedTokens += tokens;
  }

  private limitedUse({ keyId, monthlyTokenLimit }: Caller): KeyUse | undefined {
    return keyId === null || monthlyTokenLimit === null ? undefined : this.uses.get(keyId);
  }

  private async use(keyId: string, accountNumber: number): Promise<KeyUse> {
    const monthStartMs = monthStartOf(this.clock());
    const known = this.uses.get(keyId);
    if (known?.monthStartMs === monthStartMs) return known;
    let reading = this.readings.get(keyId);
    if (reading === undefined) {
      const month = { monthStartMs, holds: known?.holds ?? new Set<Held>() };
      reading = this.read({ keyId, accountNumber }, month).finally(() => this.readings.delete(keyId));
      this.readings.set(keyId, reading);
    }
    const use = await reading;
    if (this.uses.get(keyId)?.monthStartMs !== use.monthStartMs) this.uses.set(keyId, use);
    return this.uses.get(keyId) ?? use;
  }

  private async read(
    { keyId, accountNumber }: { keyId: string; accountNumber: number },
    month: Pick<KeyUse, 'monthStartMs' | 'holds'>,
  ): Promise<KeyUse> {
    const { rows } = await this.database.query<{ tokens: number }>({
      name: 'key_tokens_of_month',
      text: `select coalesce(sum(input_tokens + output_tokens), 0)::bigint as tokens from receipts
             where account_number = $1 and created_at_ms >= $2 and key_id = $3 and cost_status <> 'cancelled'`,
      values: [accountNumber, month.monthStartMs, keyId],
    });
    return { ...month, billedTokens: rows[0]?.tokens ?? 0 };
  }
}

/** What was billed, and what open holds have. */
function takenOf(use: KeyUse): number {
  let taken = use.billedTokens;
  for (const hold of use.holds) {
    if (hold.tokens === 0) use.holds.delete(hold);
    else taken += hold.tokens;
  }
  return taken;
}

function monthStartOf(nowMs: number): number {
  const now = new Date(nowMs);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
}
