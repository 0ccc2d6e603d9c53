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
export type { CursorParams, DecimalString, OpenEnum, TimeInput, Timestamp } from './resources/common.ts';
export type { Health } from './resources/health.ts';
export type {
  AiSpecs,
  Instrument,
  InstrumentListParams,
  InstrumentsResource,
  SlaRequirements,
  TradingParams,
} from './resources/instruments.ts';
export type {
  BookLevel,
  Market,
  MarketsResource,
  OrderBook,
  OrderControls,
  PublicTrade,
  Qualification,
  Ticker,
} from './resources/markets.ts';
export type { Model, ModelPricing, ModelsResource } from './resources/models.ts';
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
