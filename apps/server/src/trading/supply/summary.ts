import { KIND, TOKENS_PER_UNIT } from '@opengrid/exchange';
import { filterRows } from '../accounts/account-rows.ts';
import type { TradingAnswer, TradingCall, TradingRoute } from '../http/route.ts';
import { INSTRUMENT_FIELD, READ, type SupplyDeps, standing } from './standing.ts';

interface SummaryRow {
  readonly no: number;
  readonly issued: number;
  readonly retired: number;
  readonly transferred: number;
  readonly soldTokens: number;
  readonly deliveredTokens: number;
}

const SUMMARY = `
  select i.no, i.issued, coalesce(r.units, 0) as retired, coalesce(t.units, 0) as transferred,
    coalesce(e.sold, 0) as "soldTokens", coalesce(e.delivered, 0) as "deliveredTokens"
  from (select instrument_no as no, sum(unit_to - unit_from + 1) as issued from issuances
        where account_number = $1 group by 1) i
  left join (select instrument_no as no, sum(unit_to - unit_from + 1) as units from retirements
        where account_number = $1 group by 1) r on r.no = i.no
  left join (select instrument_no as no, sum(quantity_units) as units from transfers
        where account_number = $1 and direction = 'issuance_to_trading' group by 1) t on t.no = i.no
  left join (select instrument_no as no, sum(tokens_total) as sold, sum(tokens_delivered) as delivered
        from escrow_ranges where issuer_account = $1 group by 1) e on e.no = i.no
  order by i.no`;

/** What a supplier has issued of each instrument, and where it is now. */
export function summaryRoute(deps: SupplyDeps): TradingRoute {
  return { ...READ, path: '/supply-issuances/summary', handle: (call) => summary(deps, call) };
}

async function summary(deps: SupplyDeps, call: TradingCall): Promise<TradingAnswer> {
  standing(deps, call);
  const { accountNumber } = call.caller;
  const { rows } = await deps.database.query<SummaryRow>({ text: SUMMARY, values: [accountNumber] });
  const available = await deps.database.query<{ no: number; tokens: number }>({
    text: 'select instrument_no as no, amount as tokens from balances where account_number = $1 and kind = $2',
    values: [accountNumber, KIND.issuance],
  });
  const tokensOf = new Map(available.rows.map(({ no, tokens }) => [no, tokens]));
  return filterRows(deps.instruments, call.query, {
    name: 'issuance summary',
    fields: INSTRUMENT_FIELD,
    rows: rows.map((row) => summaryShape(deps, row, tokensOf.get(row.no) ?? 0)),
  });
}

function wholeUnits(tokens: number): number {
  return Math.floor(tokens / TOKENS_PER_UNIT);
}

function summaryShape(
  { instruments }: SupplyDeps,
  row: SummaryRow,
  availableTokens: number,
): Record<string, unknown> {
  const instrument = instruments.byNumber(row.no)!;
  return {
    instrument_id: instrument.instrumentId,
    instrument_symbol: instrument.symbol,
    instrument_name: instrument.name,
    total_issued: row.issued,
    quantity: row.issued,
    units_available: wholeUnits(availableTokens),
    units_transferred_to_trading: row.transferred,
    units_sold: wholeUnits(row.soldTokens),
    units_delivered: wholeUnits(row.deliveredTokens),
    units_retired: row.retired,
  };
}
