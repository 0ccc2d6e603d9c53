import { Exchange, InvariantViolation, SNAPSHOT_VERSION, type StateExport } from '@opengrid/exchange';
import type { Database, Queryable } from '../store/database.ts';
import { RESOLUTIONS } from './candles.ts';
import { hashState, type ReplayOptions, type ReplayProgress, replayJournal } from './recovery.ts';
import { ReplayedRows } from './verify-rows.ts';

/** One rule of the ledger and whether the store keeps it. */
export interface LedgerCheck {
  readonly name: string;
  readonly ok: boolean;
  /** How many rows break the rule. */
  readonly violations: number;
}

export interface LedgerReport {
  readonly ok: boolean;
  readonly commandSeq: number;
  readonly checks: readonly LedgerCheck[];
  readonly stateHash: string;
  readonly durationMs: number;
}

/** Ledger kinds that may be negative: bad debt, promotions, stripe, fees, stripe fees, operator funds, issued. */
const MAY_BE_NEGATIVE = '11, 20, 21, 22, 24, 25, 120';

/** Resolutions as a list of values: name, length of a period, start of one. */
const PERIODS = [...RESOLUTIONS]
  .map(([name, { periodMs, originMs }]) => `('${name}', ${periodMs}, ${originMs})`)
  .join(', ');

/** What was traded in each minute: every period is made of whole ones, and there are far fewer of them than trades. */
const TRADED_MINUTES = `
  select instrument_no, executed_at_ms / 60000 * 60000 as minute,
    (array_agg(price_ticks order by market_trade))[1] as open, max(price_ticks) as high, min(price_ticks) as low,
    (array_agg(price_ticks order by market_trade desc))[1] as close, sum(quantity_units) as units,
    sum(quantity_units * price_ticks) as value, sum(quantity_units - excluded_units) as counted_units,
    sum((quantity_units - excluded_units) * price_ticks) as counted_value, count(*) as trades
  from trades group by instrument_no, executed_at_ms / 60000`;

/** Each query returns one row per violation. */
const RULES: readonly { readonly name: string; readonly text: string }[] = [
  {
    name: 'the legs of every command sum to zero per asset',
    text: `select command_seq from entries
           group by command_seq, case when kind >= 100 then instrument_no else 0 end having sum(amount) <> 0`,
  },
  {
    name: 'every balance equals the sum of its entries',
    text: `select 1 from balances b full join (
             select kind, account_number, instrument_no, sum(amount) as amount from entries
             group by kind, account_number, instrument_no
           ) e using (kind, account_number, instrument_no)
           where coalesce(b.amount, 0) <> coalesce(e.amount, 0)`,
  },
  {
    name: 'no balance of a user, of escrow or of the reserve is below zero',
    text: `select 1 from balances where amount < 0 and kind not in (${MAY_BE_NEGATIVE})`,
  },
  {
    name: 'the journal is dense and reaches the last batch',
    text: `select 1 from (select count(*) as n, coalesce(max(seq), 0) as last from journal) j
           left join writer_lease l on l.id = 1 where j.n <> j.last or j.last is distinct from l.command_seq`,
  },
  {
    name: 'consumption balances equal the tokens left in lots',
    text: `select 1 from (
             select account_number, instrument_no, sum(tokens_remaining) as tokens from lots
             where status = 'open' group by account_number, instrument_no
           ) l full join (select * from balances where kind = 104 and amount <> 0) b
             using (account_number, instrument_no)
           where coalesce(l.tokens, 0) <> coalesce(b.amount, 0)`,
  },
  {
    name: 'escrow balances equal what undelivered units still owe',
    text: `select 1 from (
             select issuer_account as account_number, instrument_no, sum(escrow_micros - released_micros) as amount
             from escrow_ranges where not is_closed group by issuer_account, instrument_no
           ) r full join (select * from balances where kind = 10 and amount <> 0) b
             using (account_number, instrument_no)
           where coalesce(r.amount, 0) <> coalesce(b.amount, 0)`,
  },
  {
    name: 'escrow is released as floor(escrow x delivered / sold), cumulatively',
    text: `select 1 from escrow_ranges where not is_closed
           and released_micros <> div(escrow_micros::numeric * tokens_delivered, tokens_total::numeric)`,
  },
  {
    name: 'resting sell orders equal the units held for them',
    text: `select 1 from (
             select account_number, instrument_no, sum(remaining_units) * 1000000 as tokens from orders
             where side = 'sell' and status in ('active', 'partially_filled') group by account_number, instrument_no
           ) o full join (select * from balances where kind = 103 and amount <> 0) b
             using (account_number, instrument_no)
           where coalesce(o.tokens, 0) <> coalesce(b.amount, 0)`,
  },
  {
    name: 'resting buy orders are covered by the USD held for them',
    text: `select 1 from (
             select account_number, sum(remaining_units * price_ticks * 100) as micros from orders
             where side = 'buy' and status in ('active', 'partially_filled') group by account_number
           ) o left join (
             select account_number, sum(amount) as amount from balances where kind in (4, 5, 6) group by account_number
           ) b using (account_number)
           where coalesce(b.amount, 0) < o.micros`,
  },
  {
    name: 'retired tokens equal the units that were retired',
    text: `select 1 from (
             select instrument_no, sum(unit_to - unit_from + 1) * 1000000 as tokens from retirements group by instrument_no
           ) r full join (select * from balances where kind = 122 and amount <> 0) b using (instrument_no)
           where coalesce(r.tokens, 0) <> coalesce(b.amount, 0)`,
  },
  {
    name: 'every billed token was drawn from a lot, once',
    text: `select 1 from lots l left join (
             select lot_seq, sum(tokens) as tokens from receipt_draws group by lot_seq
           ) d using (lot_seq)
           where l.status in ('open', 'exhausted') and l.tokens_total - l.tokens_remaining <> coalesce(d.tokens, 0)`,
  },
  {
    name: 'consumed tokens equal the draws of receipts',
    text: `select 1 from (
             select l.instrument_no, sum(d.tokens) as tokens from receipt_draws d join lots l using (lot_seq)
             group by l.instrument_no
           ) d full join (select * from balances where kind = 121 and amount <> 0) b using (instrument_no)
           where coalesce(d.tokens, 0) <> coalesce(b.amount, 0)`,
  },
  {
    name: 'the draws of a receipt equal its tokens and its cost',
    text: `select 1 from receipts r left join (
             select request_id, sum(tokens) as tokens, sum(tokens::numeric * price_ticks) as cost from receipt_draws
             group by request_id
           ) d using (request_id)
           where (r.cost_status = 'cancelled' and d.tokens is not null)
              or (r.cost_status <> 'cancelled' and (r.input_tokens + r.output_tokens <> d.tokens
                  or r.cost_e10 <> coalesce(d.cost, 0)))`,
  },
  {
    name: 'receipts of an account are numbered without a gap',
    text: `select 1 from receipts group by account_number having count(*) <> max(receipt_no)`,
  },
  {
    name: 'trades of a market are numbered without a gap',
    text: `select 1 from trades group by instrument_no having count(*) <> max(market_trade)`,
  },
  {
    name: 'every candle is what its trades make of it, in every resolution',
    text: `select 1 from candles c full join (
             select t.instrument_no, p.resolution,
               (t.minute - p.origin_ms) / p.period_ms * p.period_ms + p.origin_ms as period_start_ms,
               (array_agg(t.open order by t.minute))[1] as open_ticks, max(t.high) as high_ticks,
               min(t.low) as low_ticks, (array_agg(t.close order by t.minute desc))[1] as close_ticks,
               sum(t.units) as units, sum(t.value) as value_ticks, sum(t.counted_units) as counted_units,
               sum(t.counted_value) as counted_ticks, sum(t.trades) as trade_count
             from (${TRADED_MINUTES}) t cross join (values ${PERIODS}) as p (resolution, period_ms, origin_ms)
             group by t.instrument_no, p.resolution, 3
           ) m using (instrument_no, resolution, period_start_ms)
           where (c.open_ticks, c.high_ticks, c.low_ticks, c.close_ticks, c.units, c.value_ticks, c.counted_units,
               c.counted_ticks, c.trade_count)
             is distinct from (m.open_ticks, m.high_ticks, m.low_ticks, m.close_ticks, m.units, m.value_ticks,
               m.counted_units, m.counted_ticks, m.trade_count)`,
  },
  {
    name: 'filled quantities of orders equal their trades',
    text: `select 1 from orders o left join (
             select order_seq, sum(quantity_units) as units from (
               select buy_order_seq as order_seq, quantity_units from trades
               union all select sell_order_seq, quantity_units from trades
             ) t group by order_seq
           ) f using (order_seq)
           where o.filled_units <> coalesce(f.units, 0)`,
  },
];

interface BalanceRow {
  readonly kind: number;
  readonly account_number: number;
  readonly instrument_no: number;
  readonly amount: number;
}

/** Compares the balances that the journal leads to with those in the store. */
async function differencesFromReplay(store: Queryable, exported: StateExport): Promise<number> {
  const { rows } = await store.query<BalanceRow>({
    text: 'select kind, account_number, instrument_no, amount from balances where amount <> 0',
    values: [],
  });
  const stored = new Map(
    rows.map((row) => [`${row.kind}:${row.account_number}:${row.instrument_no}`, row.amount]),
  );
  let differences = 0;
  for (const [kind, account, instrument, amount] of exported.balances) {
    const key = `${kind}:${account}:${instrument}`;
    if (stored.get(key) !== amount) differences += 1;
    stored.delete(key);
  }
  return differences + stored.size;
}

/** Replays the journal snapshot by snapshot, and then to its end. */
async function checkReplay(store: Queryable, exchange: Exchange, options: ReplayOptions): Promise<number> {
  const { rows } = await store.query<{ command_seq: number; state_hash: string }>({
    text: 'select command_seq, state_hash from snapshots where version = $1 order by command_seq',
    values: [SNAPSHOT_VERSION],
  });
  let wrong = 0;
  for (const row of rows) {
    await replayJournal(store, exchange, { ...options, lastSeq: row.command_seq });
    if (hashState(JSON.stringify(exchange.export())) !== row.state_hash) wrong += 1;
  }
  await replayJournal(store, exchange, options);
  return wrong;
}

async function lastCommand(store: Queryable): Promise<number> {
  const { rows } = await store.query<{ command_seq: number }>({
    text: 'select command_seq from writer_lease where id = 1',
    values: [],
  });
  return rows[0]?.command_seq ?? 0;
}

/** @returns false when the journal itself is broken: what the rest would be compared with is then not known. */
async function checkAgainstReplay(
  store: Queryable,
  exchange: Exchange,
  { replay, report }: { replay: ReplayOptions; report: (name: string, violations: number) => void },
): Promise<boolean> {
  const replayed = new ReplayedRows();
  try {
    const wrongSnapshots = await checkReplay(store, exchange, { ...replay, observer: replayed });
    report('every snapshot is the state that the journal leads to', wrongSnapshots);
  } catch (error) {
    if (error instanceof InvariantViolation) return false;
    throw error;
  }
  const differences = await differencesFromReplay(store, exchange.export());
  report('replaying the journal gives the balances in the store', differences);
  for (const { name, violations } of await replayed.end(store)) report(name, violations);
  return true;
}

/**
 * Recomputes every balance from the entries and the whole state from the journal, and checks every invariant of the
 * ledger, over one consistent view of the store.
 */
export async function verifyLedger(database: Database, onProgress?: ReplayProgress): Promise<LedgerReport> {
  const startedAtMs = Date.now();
  return database.transaction(async (store) => {
    await store.query({ text: 'set transaction isolation level repeatable read read only' });
    const checks: LedgerCheck[] = [];
    const report = (name: string, violations: number): void => {
      checks.push({ name, ok: violations === 0, violations });
    };
    for (const { name, text } of RULES) {
      const { rows } = await store.query<{ violations: number }>({
        text: `select count(*) as violations from (${text}) rule`,
        values: [],
      });
      report(name, rows[0]!.violations);
    }
    const commandSeq = await lastCommand(store);
    const exchange = new Exchange();
    const replay = { lastSeq: commandSeq, onProgress };
    const canReplay = await checkAgainstReplay(store, exchange, { replay, report });
    report('the journal can be replayed from its first command to its last', canReplay ? 0 : 1);
    const stateHash = hashState(JSON.stringify(exchange.export()));
    const durationMs = Date.now() - startedAtMs;
    return { ok: checks.every((check) => check.ok), commandSeq, checks, stateHash, durationMs };
  });
}
