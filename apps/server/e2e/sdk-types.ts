// The client's types hold what the document says that the server sends. The compiler checks it: a member that only one of
// the two knows, or knows differently, does not build. The document itself is held to real answers by the server's tests.
import type {
  AccountLimits,
  BookLevel,
  CancelAllResult,
  CancelTimer,
  Candle,
  ConsumptionAccount,
  CurrencyAccount,
  Diagnostics,
  Health,
  IndexPoint,
  Instrument,
  InstrumentSpec,
  Issuance,
  IssuanceAccount,
  IssuanceSummary,
  IssuanceTransfer,
  Liability,
  Lot,
  Market,
  MarketStats,
  Model,
  Order,
  OrderBook,
  OrderCount,
  Position,
  Profile,
  PublicTrade,
  Receipt,
  Retirement,
  Ticker,
  Trade,
  TradingAccount,
  Transfer,
  TransferRecord,
  UsageSummary,
} from '@opengrid/sdk';
import type { z } from 'zod';
import type * as market from '../src/program/openapi/market-schemas.ts';
import type * as receipt from '../src/program/openapi/receipt-schemas.ts';
import type * as supply from '../src/program/openapi/supply-schemas.ts';
import type * as trading from '../src/program/openapi/trading-schemas.ts';

/** A value as JSON has it, all the way down: what is undefined is not there. */
type Json<T> = T extends readonly (infer Item)[]
  ? Json<Item>[]
  : T extends object
    ? { [Name in keyof T]: Json<Exclude<T[Name], undefined>> }
    : T;

type Data<Schema extends z.ZodType<{ data: unknown }>> = Json<z.output<Schema>['data']>;
type Row<Schema extends z.ZodType<{ data: unknown[] }>> = Json<z.output<Schema>['data'][number]>;

/** What the server sends is what the client expects, and the client knows every member. */
type Agrees<Server extends Client, Client> = [Unknown<Server, Client>] extends [never]
  ? true
  : Unknown<Server, Client>;
/** Member by member of a union: what the client does not know. */
type Unknown<Server, Client> = Server extends unknown ? Exclude<keyof Server, keyof Client> : never;
type All<Checks extends readonly true[]> = Checks;

export type MarketTypes = All<
  [
    Agrees<Data<typeof market.HEALTH_ANSWER>, Health>,
    Agrees<Row<typeof market.INSTRUMENT_PAGE>, Instrument>,
    Agrees<Row<typeof market.SPECIFICATION_PAGE>, InstrumentSpec>,
    Agrees<Row<typeof market.REFERENCE_INDEX_PAGE>, IndexPoint>,
    Agrees<Row<typeof market.MARKET_PAGE>, Market>,
    Agrees<Data<typeof market.TICKER_ANSWER>, Ticker>,
    Agrees<Data<typeof market.ORDER_BOOK_ANSWER>, OrderBook>,
    Agrees<Data<typeof market.ORDER_BOOK_ANSWER>['bids'][number], BookLevel>,
    Agrees<Row<typeof market.PUBLIC_TRADE_PAGE>, PublicTrade>,
    Agrees<Data<typeof market.STATS_ANSWER>, MarketStats>,
    Agrees<Row<typeof market.CANDLE_PAGE>, Candle>,
  ]
>;

export type TradingTypes = All<
  [
    Agrees<Data<typeof trading.ORDER_ANSWER>, Order>,
    Agrees<Data<typeof trading.BULK_CANCEL_ANSWER>, CancelAllResult>,
    Agrees<Data<typeof trading.CANCEL_TIMER_ANSWER>, CancelTimer>,
    Agrees<Data<typeof trading.ORDER_COUNT_ANSWER>, OrderCount>,
    Agrees<Data<typeof trading.TRADE_ANSWER>, Trade>,
    Agrees<Data<typeof trading.PROFILE_ANSWER>, Profile>,
    Agrees<Data<typeof trading.LIMITS_ANSWER>, AccountLimits>,
    Agrees<Row<typeof trading.TRADING_ACCOUNT_PAGE>, TradingAccount>,
    Agrees<Row<typeof trading.CURRENCY_ACCOUNT_PAGE>, CurrencyAccount>,
    Agrees<Row<typeof trading.CONSUMPTION_ACCOUNT_PAGE>, ConsumptionAccount>,
    Agrees<Row<typeof trading.LOT_PAGE>, Lot>,
    Agrees<Row<typeof trading.POSITION_PAGE>, Position>,
    Agrees<Data<typeof trading.TRANSFER_ANSWER>, Transfer>,
    Agrees<Row<typeof trading.TRANSFER_PAGE>, TransferRecord>,
  ]
>;

export type SupplyTypes = All<
  [
    Agrees<Data<typeof supply.ISSUANCE_ANSWER>, Issuance>,
    Agrees<Row<typeof supply.ISSUANCE_SUMMARY_PAGE>, IssuanceSummary>,
    Agrees<Data<typeof supply.RETIREMENT_ANSWER>, Retirement>,
    Agrees<Row<typeof supply.ISSUANCE_ACCOUNT_PAGE>, IssuanceAccount>,
    Agrees<Data<typeof supply.ISSUANCE_TRANSFER_ANSWER>, IssuanceTransfer>,
    Agrees<Data<typeof supply.LIABILITY_ANSWER>, Liability>,
    Agrees<Data<typeof supply.DIAGNOSTICS_ANSWER>, Diagnostics>,
    Agrees<Extract<Row<typeof receipt.MODEL_LIST>, { object: 'model' }>, Model>,
    Agrees<Row<typeof receipt.RECEIPT_PAGE>, Receipt>,
    Agrees<Json<z.output<typeof receipt.USAGE_SUMMARY_ANSWER>>, UsageSummary>,
  ]
>;
