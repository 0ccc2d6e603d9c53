export { OpenGrid, type OpenGridOptions } from './client.ts';
export { fromScaled, toScaled } from './core/decimal.ts';
export {
  ApiError,
  type ApiErrorDetails,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  ConnectionError,
  InvalidResponseError,
  NotFoundError,
  OpenGridError,
  PaymentRequiredError,
  PermissionDeniedError,
  RateLimitError,
  ServerError,
  TimeoutError,
  TruncatedListError,
  UnprocessableError,
  UserAbortError,
} from './core/error.ts';
export { Page, PagePromise, type Paging } from './core/pagination.ts';
export type { RequestOptions } from './internal/transport.ts';
export type { BookStatus, BookView, LiveBook } from './live/book.ts';
export type { LiveLevel } from './live/book-state.ts';
export type { LiveOptions, LiveState, LiveStatus } from './live/connection.ts';
export { LiveError, OutcomeUnknownError } from './live/errors.ts';
export type {
  BalanceEvent,
  GapEvent,
  MarketStatusEvent,
  MarketTradeEvent,
  OrderEvent,
  TickerEvent,
  TradeEvent,
  UserHandlers,
} from './live/events.ts';
export type { Live } from './live/live.ts';
export type { BatchCommand, BatchOutcome, LiveOrders, OrderReference } from './live/live-orders.ts';
export type { SocketClass } from './live/socket.ts';
export type { Subscription } from './live/subscriptions.ts';
export type { AccountLimits, AccountResource, Diagnostics, Profile } from './resources/account.ts';
export type {
  AccountListParams,
  AccountsResource,
  ConsumptionAccount,
  ConsumptionAccountsResource,
  CurrencyAccount,
  Lot,
  TradingAccount,
} from './resources/accounts.ts';
export type { CursorParams, DecimalString, OpenEnum, TimeInput, Timestamp } from './resources/common.ts';
export type { Health } from './resources/health.ts';
export type {
  AiSpecs,
  IndexParams,
  IndexPoint,
  Instrument,
  InstrumentListParams,
  InstrumentSpec,
  InstrumentsResource,
  SlaRequirements,
  TradingParams,
} from './resources/instruments.ts';
export type {
  BookLevel,
  Market,
  MarketStats,
  MarketsResource,
  OrderBook,
  OrderControls,
  PublicTrade,
  Qualification,
  Ticker,
} from './resources/markets.ts';
export type { Model, ModelPricing, ModelsResource } from './resources/models.ts';
export type {
  AmendOrderParams,
  CancelAllAfterParams,
  CancelAllParams,
  CancelAllResult,
  CancelResult,
  CancelTimer,
  Order,
  OrderCount,
  OrderListParams,
  OrderStatus,
  OrdersResource,
  PlaceOrderParams,
  SelfTradePrevention,
} from './resources/orders.ts';
export type { Position, PositionListParams, PositionsResource } from './resources/positions.ts';
export type {
  Candle,
  PriceHistoriesResource,
  PriceHistoryParams,
  Resolution,
} from './resources/price-histories.ts';
export type {
  Issuance,
  IssuanceAccount,
  IssuanceListParams,
  IssuanceSummary,
  IssuanceTransfer,
  Liability,
  Retirement,
  SupplyResource,
} from './resources/supply.ts';
export type { Trade, TradeListParams, TradesResource } from './resources/trades.ts';
export type {
  KeyedOptions,
  Transfer,
  TransferListParams,
  TransferParams,
  TransferRecord,
  TransfersResource,
} from './resources/transfers.ts';
export type {
  LotDraw,
  Receipt,
  ReceiptCost,
  ReceiptUsage,
  UsageCost,
  UsageListParams,
  UsageResource,
  UsageSummary,
  UsageSummaryParams,
  UsageTotals,
} from './resources/usage.ts';
export {
  type GeneratedKey,
  generateKey,
  type Signer,
  signerFromCryptoKeys,
  signerFromKey,
} from './signing/signer.ts';
