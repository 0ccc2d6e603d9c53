import type { Queryable } from '../../store/database.ts';

/** What moved in and out of the accounts of one instrument. Times are Unix milliseconds. */
export interface Activity {
  /** When the account first had anything of the instrument; absent when it never had. */
  readonly firstAtMs?: number;
  readonly lastTradeAtMs: number | null;
  readonly inToTradingAtMs: number | null;
  readonly outOfTradingAtMs: number | null;
  readonly toConsumptionUnits: number;
  readonly toTradingUnits: number;
  readonly toConsumptionAtMs: number | null;
  readonly toTradingAtMs: number | null;
}

interface ActivityRow {
  readonly no: number;
  readonly what: string;
  readonly units: number;
  readonly at: number;
  readonly first: number;
}

const NOTHING: Activity = {
  lastTradeAtMs: null,
  inToTradingAtMs: null,
  outOfTradingAtMs: null,
  toConsumptionUnits: 0,
  toTradingUnits: 0,
  toConsumptionAtMs: null,
  toTradingAtMs: null,
};

/** Trades and transfers of an account by instrument number; transfers up to the command `throughSeq`. */
export async function readActivity(
  store: Queryable,
  accountNumber: number,
  throughSeq = Number.MAX_SAFE_INTEGER,
): Promise<(instrumentNo: number) => Activity> {
  const { rows } = await store.query<ActivityRow>({
    name: 'account_activity',
    text: `select instrument_no as no, direction as what, sum(quantity_units) as units, max(transferred_at_ms) as at,
               min(transferred_at_ms) as first
             from transfers where account_number = $1 and command_seq <= $2 group by instrument_no, direction
           union all
           select instrument_no, 'bought', sum(quantity_units), max(executed_at_ms), min(executed_at_ms)
             from trades where buyer_account = $1 group by instrument_no
           union all
           select instrument_no, 'sold', sum(quantity_units), max(executed_at_ms), min(executed_at_ms)
             from trades where seller_account = $1 group by instrument_no`,
    values: [accountNumber, throughSeq],
  });
  return (instrumentNo) => activityOf(rows.filter(({ no }) => no === instrumentNo));
}

function activityOf(rows: readonly ActivityRow[]): Activity {
  if (rows.length === 0) return NOTHING;
  const at = (...kinds: string[]): number | null => {
    const times = rows.filter(({ what }) => kinds.includes(what)).map((row) => row.at);
    return times.length === 0 ? null : Math.max(...times);
  };
  const units = (kind: string): number => rows.find(({ what }) => what === kind)?.units ?? 0;
  return {
    firstAtMs: Math.min(...rows.map(({ first }) => first)),
    lastTradeAtMs: at('bought', 'sold'),
    inToTradingAtMs: at('bought', 'issuance_to_trading', 'consumption_to_trading'),
    outOfTradingAtMs: at('sold', 'trading_to_consumption'),
    toConsumptionUnits: units('trading_to_consumption'),
    toTradingUnits: units('consumption_to_trading'),
    toConsumptionAtMs: at('trading_to_consumption'),
    toTradingAtMs: at('consumption_to_trading'),
  };
}
