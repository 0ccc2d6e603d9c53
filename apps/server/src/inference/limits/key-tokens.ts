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
  private readonly uses = new Map<string, Promise<KeyUse>>();

  constructor(deps: { database: Database; clock: () => number }) {
    this.database = deps.database;
    this.clock = deps.clock;
  }

  /** What the key may still take this month; null where it has no limit. */
  async left({ keyId, accountNumber, monthlyTokenLimit }: Caller): Promise<number | null> {
    if (keyId === null || monthlyTokenLimit === null) return null;
    const use = await this.use(keyId, accountNumber);
    let taken = use.billedTokens;
    for (const hold of use.holds) {
      if (hold.tokens === 0) use.holds.delete(hold);
      else taken += hold.tokens;
    }
    return Math.max(0, monthlyTokenLimit - taken);
  }

  /** A request of the key holds tokens, until it closes its hold. */
  async track({ keyId, accountNumber, monthlyTokenLimit }: Caller, hold: Held): Promise<void> {
    if (keyId !== null && monthlyTokenLimit !== null) (await this.use(keyId, accountNumber)).holds.add(hold);
  }

  async bill({ keyId, accountNumber, monthlyTokenLimit }: Caller, tokens: number): Promise<void> {
    if (keyId !== null && monthlyTokenLimit !== null)
      (await this.use(keyId, accountNumber)).billedTokens += tokens;
  }

  private async use(keyId: string, accountNumber: number): Promise<KeyUse> {
    const monthStartMs = monthStartOf(this.clock());
    const known = await this.uses.get(keyId);
    if (known?.monthStartMs === monthStartMs) return known;
    // Whoever came first while this waited has begun to read.
    const begun = this.uses.get(keyId);
    if (begun !== undefined && (await begun) !== known) return await begun;
    const month = { monthStartMs, holds: known?.holds ?? new Set<Held>() };
    const reading = this.read({ keyId, accountNumber }, month);
    this.uses.set(keyId, reading);
    reading.catch(() => this.uses.delete(keyId));
    return await reading;
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

function monthStartOf(nowMs: number): number {
  const now = new Date(nowMs);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
}
