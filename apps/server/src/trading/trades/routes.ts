import type { MarketRules } from '@opengrid/exchange';
import { formatIso, formatMoneyMicros, formatPriceTicks } from '@opengrid/wire';
import type { Instrument, InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { AccountDirectory } from '../../ports/identity.ts';
import type { Sequencer } from '../../sequencer/types.ts';
import type { Database } from '../../store/database.ts';
import { type AccountOwner, accountIdOf } from '../accounts/account-ids.ts';
import { fail, ok, type TradingCall, type TradingRoute } from '../http/route.ts';
import { instrumentField, timeField, wordField, words } from '../list/fields.ts';
import { type ListSpec, listPage, TEXT_FIELD } from '../list/list-page.ts';

export interface TradeDeps {
  readonly sequencer: Sequencer;
  readonly database: Database;
  readonly instruments: InstrumentCatalogue;
  readonly accounts: AccountDirectory;
}

/** A trade from the side of one account. */
export interface OwnTradeRow {
  readonly trade_seq: number;
  readonly trade_id: string;
  readonly instrument_no: number;
  readonly price_ticks: number;
  readonly quantity_units: number;
  readonly side: 'buy' | 'sell';
  readonly aggressor: string;
  readonly fee_micros: number;
  readonly units: readonly { from: number; to: number }[];
  readonly order_id: string;
  readonly market_trade: number;
  readonly executed_at_ms: number;
}

/** Trades of one account with its own side and order. An account never trades with itself; in an auction nobody took. */
const OWN_TRADES = `
  select t.trade_seq, t.trade_id, t.instrument_no, t.price_ticks, t.quantity_units, 'buy' as side,
    case when t.is_auction then 'auction' else t.aggressor end as aggressor,
    t.buyer_fee_micros as fee_micros, t.units, t.market_trade, t.executed_at_ms, o.order_id
  from trades t join orders o on o.order_seq = t.buy_order_seq where t.buyer_account = $1
  union all
  select t.trade_seq, t.trade_id, t.instrument_no, t.price_ticks, t.quantity_units, 'sell',
    case when t.is_auction then 'auction' else t.aggressor end,
    t.seller_fee_micros, t.units, t.market_trade, t.executed_at_ms, o.order_id
  from trades t join orders o on o.order_seq = t.sell_order_seq where t.seller_account = $1`;

function tradeList(instruments: InstrumentCatalogue): ListSpec {
  const orderOf = (side: string): string => `(case when ${side} then order_id end)`;
  return {
    name: 'trades',
    source: OWN_TRADES,
    fields: {
      market_id: instrumentField(instruments, 'instrument_no'),
      instrument_id: instrumentField(instruments, 'instrument_no'),
      trade_id: TEXT_FIELD('trade_id'),
      order_id: TEXT_FIELD('order_id'),
      buyer_order_id: TEXT_FIELD(orderOf("side = 'buy'")),
      seller_order_id: TEXT_FIELD(orderOf("side = 'sell'")),
      triggering_order_id: TEXT_FIELD(orderOf('side = aggressor')),
      status: wordField("'settled'", words('settled', 'reversed')),
      start_datetime: timeField('executed_at_ms', '>='),
      end_datetime: timeField('executed_at_ms', '<'),
    },
    sorts: { execution_timestamp: 'executed_at_ms' },
    direction: 'desc',
    tie: 'trade_seq',
    maxLimit: 500,
  };
}

const READ = { method: 'GET', scope: 'trade:read', consumptionKeys: 'allowed', rate: 'read' } as const;
const TRADE_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** The caller's own trades. The other side is never shown. */
export function tradeRoutes(deps: TradeDeps): TradingRoute[] {
  const { database } = deps;
  const spec = tradeList(deps.instruments);
  return [
    {
      ...READ,
      path: '/trades',
      handle: (call) =>
        listPage<OwnTradeRow>(database, spec, {
          accountNumber: call.caller.accountNumber,
          query: call.query,
          shape: (trade) => shapeOf(deps, call, trade),
        }),
    },
    {
      ...READ,
      path: '/trades/:trade_id',
      handle: async (call) => {
        const { trade_id: tradeId = '' } = call.params;
        if (!TRADE_ID.test(tradeId)) throw fail('trade_not_found');
        const { rows } = await database.query<OwnTradeRow>({
          name: 'own_trade',
          text: `select * from (${OWN_TRADES}) r where trade_id = $2`,
          values: [call.caller.accountNumber, tradeId],
        });
        if (rows[0] === undefined) throw fail('trade_not_found');
        return ok(shapeOf(deps, call, rows[0]));
      },
    },
  ];
}

function shapeOf(deps: TradeDeps, call: TradingCall, trade: OwnTradeRow): Record<string, unknown> {
  const instrument = deps.instruments.byNumber(trade.instrument_no);
  const owner = deps.accounts.byNumber(call.caller.accountNumber);
  const rules = deps.sequencer.exchange.rulesOf(trade.instrument_no);
  if (instrument === undefined || owner === undefined || rules === undefined)
    throw new Error('a trade names an instrument and an account that exist');
  return tradeShape(trade, { instrument, owner, rules });
}

/** The rate that a fee was charged at: one of the market's, unless the market has changed its fees since. */
function feeBps(trade: OwnTradeRow, valueMicros: number, bps: number): number {
  const charged = Math.floor((valueMicros * bps + 5_000) / 10_000);
  return charged === trade.fee_micros ? bps : Math.round((trade.fee_micros * 10_000) / valueMicros);
}

/** The trade as its own account sees it. */
export function tradeShape(
  trade: OwnTradeRow,
  { instrument, owner, rules }: { instrument: Instrument; owner: AccountOwner; rules: MarketRules },
): Record<string, unknown> {
  const at = formatIso(trade.executed_at_ms);
  const valueMicros = trade.price_ticks * trade.quantity_units * 100;
  const liquidity = trade.side === trade.aggressor ? 'taker' : 'maker';
  return {
    trade_id: trade.trade_id,
    id: trade.trade_id,
    market_id: instrument.marketId,
    market_name: `${instrument.symbol}/USD`,
    instrument_id: instrument.instrumentId,
    instrument_symbol: instrument.symbol,
    instrument_name: instrument.name,
    price: formatPriceTicks(trade.price_ticks),
    quantity: trade.quantity_units,
    total_value: formatMoneyMicros(valueMicros),
    fee: formatMoneyMicros(trade.fee_micros),
    fee_bps: feeBps(trade, valueMicros, liquidity === 'taker' ? rules.takerBps : rules.makerBps),
    fee_currency: 'USD',
    liquidity,
    status: 'settled',
    side: trade.side,
    execution_timestamp: at,
    settlement_timestamp: at,
    order_id: trade.order_id,
    trading_account_id: accountIdOf('trading_account', owner, trade.instrument_no),
    units: trade.units,
    sequence: trade.market_trade,
  };
}
