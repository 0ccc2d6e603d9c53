import { formatIso, formatMoneyMicros, formatPriceTicks } from '@opengrid/wire';
import type { Instrument, InstrumentCatalogue } from '../ports/catalogue.ts';
import type { Database } from '../store/database.ts';
import type { TradingAnswer } from './http/route.ts';
import { instrumentField, timeField, wordField, words } from './list/fields.ts';
import { type ListSpec, listPage, TEXT_FIELD } from './list/list-page.ts';

interface PublicTradeRow {
  readonly trade_id: string;
  readonly market_trade: number;
  readonly price_ticks: number;
  readonly quantity_units: number;
  readonly aggressor: string;
  readonly executed_at_ms: number;
}

/** The trades of one market, whoever made them: what `listPage` takes for the account is the market here. */
function publicTrades(instruments: InstrumentCatalogue): ListSpec {
  return {
    name: 'public trades',
    source: `select trade_id, instrument_no, market_trade, price_ticks, quantity_units, aggressor, executed_at_ms
             from trades where instrument_no = $1`,
    fields: {
      market_id: instrumentField(instruments, 'instrument_no'),
      instrument_id: instrumentField(instruments, 'instrument_no'),
      trade_id: TEXT_FIELD('trade_id'),
      side: wordField('aggressor', words('buy', 'sell')),
      start_datetime: timeField('executed_at_ms', '>='),
      end_datetime: timeField('executed_at_ms', '<'),
    },
    sorts: { execution_timestamp: 'executed_at_ms' },
    direction: 'desc',
    tie: 'market_trade',
    maxLimit: 100,
  };
}

/**
 * Public trades of a market, newest first unless asked otherwise, by cursor.
 *
 * @throws GridFailure `validation_failed`, `invalid_cursor`.
 */
export function listTrades(
  deps: { readonly database: Database; readonly instruments: InstrumentCatalogue },
  instrument: Instrument,
  query: URLSearchParams,
): Promise<TradingAnswer> {
  return listPage<PublicTradeRow>(deps.database, publicTrades(deps.instruments), {
    accountNumber: instrument.instrumentNo,
    query,
    shape: (row) => publicTradeShape(instrument, row),
  });
}

function publicTradeShape(instrument: Instrument, row: PublicTradeRow): Record<string, unknown> {
  const at = formatIso(row.executed_at_ms);
  return {
    trade_id: row.trade_id,
    id: row.trade_id,
    sequence: row.market_trade,
    market_id: instrument.marketId,
    market_name: `${instrument.symbol}/USD`,
    instrument_id: instrument.instrumentId,
    instrument_symbol: instrument.symbol,
    instrument_name: instrument.name,
    price: formatPriceTicks(row.price_ticks),
    quantity: row.quantity_units,
    total_value: formatMoneyMicros(row.price_ticks * row.quantity_units * 100),
    side: row.aggressor,
    status: 'settled',
    execution_timestamp: at,
    timestamp: at,
    settlement_timestamp: at,
  };
}
