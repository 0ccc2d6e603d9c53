/** The API surface an error is sent on. A few codes have another HTTP status on each. */
export type Surface = 'trading' | 'platform' | 'consumption';

/** May a client repeat the same request? Everything but the first three means "not before you acted". */
export type RetryAdvice =
  | 'yes'
  | 'later'
  | 'inference_only'
  | 'no'
  | 'with_key'
  | 'after_change'
  | 'after_fixing'
  | 'after_funding'
  | 'after_login'
  | 'after_mode_switch'
  | 'after_onboarding'
  | 'after_query'
  | 'after_refresh'
  | 'after_top_up'
  | 'from_first_hop'
  | 're_sign';

/** The values of `error.type` on OpenAI-shaped routes. */
export type OpenAiErrorType =
  | 'api_error'
  | 'authentication_error'
  | 'insufficient_quota'
  | 'invalid_request_error'
  | 'permission_error'
  | 'rate_limit_error';

/** The values of `error.type` on Anthropic-shaped routes. */
export type AnthropicErrorType =
  | 'api_error'
  | 'authentication_error'
  | 'billing_error'
  | 'invalid_request_error'
  | 'not_found_error'
  | 'overloaded_error'
  | 'permission_error'
  | 'rate_limit_error'
  | 'request_too_large'
  | 'timeout_error';

/** What the catalogue knows about one error code. */
export interface CatalogueEntry {
  /** One number, or one for each surface it differs on; `null` when the code only occurs in receipts. */
  readonly httpStatus: number | Readonly<Record<Surface, number>> | null;
  /** `null` when the code does not occur on OpenAI-shaped routes. */
  readonly openAiType: OpenAiErrorType | null;
  /** `null` when the code does not occur on Anthropic-shaped routes. */
  readonly anthropicType: AnthropicErrorType | null;
  readonly retry: RetryAdvice;
  /** One sentence for people. Never holds anything of the request. */
  readonly defaultMessage: string;
}

type Wires = readonly [OpenAiErrorType | null, AnthropicErrorType | null];

const NO_WIRE: Wires = [null, null];
const INVALID: Wires = ['invalid_request_error', 'invalid_request_error'];
const INVALID_OPENAI: Wires = ['invalid_request_error', null];
const UNAUTHENTICATED: Wires = ['authentication_error', 'authentication_error'];
const UNPAID: Wires = ['insufficient_quota', 'billing_error'];
const FORBIDDEN: Wires = ['permission_error', 'permission_error'];
const MISSING: Wires = ['invalid_request_error', 'not_found_error'];
const TOO_LARGE: Wires = ['invalid_request_error', 'request_too_large'];
const LIMITED: Wires = ['rate_limit_error', 'rate_limit_error'];
const FAULT: Wires = ['api_error', 'api_error'];
const OVERLOADED: Wires = ['api_error', 'overloaded_error'];
const TIMEOUT: Wires = ['api_error', 'timeout_error'];

/** How and how often a code occurs: its HTTP status and the advice on repeating. */
type Occurrence = readonly [CatalogueEntry['httpStatus'], RetryAdvice];

function row([httpStatus, retry]: Occurrence, wires: Wires, defaultMessage: string): CatalogueEntry {
  return { httpStatus, retry, openAiType: wires[0], anthropicType: wires[1], defaultMessage };
}

// Trading clients recognise a lack of money by 400 and its own top-level code; inference clients by 402.
const NOT_ENOUGH: Readonly<Record<Surface, number>> = { trading: 400, platform: 400, consumption: 402 };
const FIELD_RULES: Readonly<Record<Surface, number>> = { trading: 400, platform: 422, consumption: 422 };

/** Every error code of every surface. Documentation, envelopes and headers are made from this table. */
export const ERROR_CATALOGUE = {
  invalid_json: row([400, 'no'], INVALID, 'The request body is not valid JSON.'),
  invalid_request: row([400, 'no'], INVALID, 'The request is malformed.'),
  validation_failed: row([FIELD_RULES, 'no'], NO_WIRE, 'One or more fields are not valid.'),
  invalid_cursor: row([400, 'no'], INVALID_OPENAI, 'The cursor is unknown or belongs to other filters.'),
  insufficient_balance: row([NOT_ENOUGH, 'after_funding'], UNPAID, 'The balance is too small for this.'),
  context_length_exceeded: row([400, 'no'], INVALID, 'The input is longer than the instrument accepts.'),
  unsupported_parameter: row([400, 'no'], INVALID, 'A parameter needs state that is never kept here.'),
  unknown_parameter: row([400, 'no'], INVALID, 'A parameter is unknown or would be ignored.'),
  idempotency_key_required: row([400, 'with_key'], NO_WIRE, 'This endpoint requires an Idempotency-Key.'),

  missing_credentials: row([401, 'no'], UNAUTHENTICATED, 'No usable credential was sent.'),
  ambiguous_credentials: row([401, 'no'], UNAUTHENTICATED, 'Send one kind of credential, not two.'),
  invalid_api_key: row([401, 'no'], UNAUTHENTICATED, 'The API key is not valid.'),
  api_key_revoked: row([401, 'no'], UNAUTHENTICATED, 'The API key has been revoked.'),
  api_key_expired: row([401, 'no'], UNAUTHENTICATED, 'The API key has expired.'),
  wrong_credential_type: row([401, 'no'], UNAUTHENTICATED, 'This kind of credential is not accepted here.'),
  invalid_token: row([401, 'after_refresh'], UNAUTHENTICATED, 'The access token is not valid any more.'),
  missing_signature_headers: row([401, 'no'], NO_WIRE, 'Some of the signature headers are missing.'),
  timestamp_invalid: row([401, 're_sign'], NO_WIRE, 'The timestamp is not a 10-digit Unix second count.'),
  timestamp_expired: row([401, 're_sign'], NO_WIRE, 'The timestamp is outside the accepted window.'),
  unknown_key: row([401, 'no'], NO_WIRE, 'No signing key with that fingerprint is registered.'),
  key_revoked: row([401, 'no'], NO_WIRE, 'The signing key has been revoked.'),
  invalid_signature: row([401, 'no'], NO_WIRE, 'The signature does not match the request.'),
  signature_replayed: row([401, 're_sign'], NO_WIRE, 'This signature has been used before.'),
  nonce_required: row([401, 're_sign'], NO_WIRE, 'This account requires a nonce in the signature.'),
  nonce_reused: row([401, 're_sign'], NO_WIRE, 'The nonce has been used before.'),
  invalid_credentials: row([401, 'no'], NO_WIRE, 'The e-mail address or the password is wrong.'),
  session_expired: row([401, 'after_login'], NO_WIRE, 'The session has ended; log in again.'),
  reauthentication_required: row([401, 'after_login'], NO_WIRE, 'Log in again to do this.'),
  routing_token_invalid: row(
    [401, 'from_first_hop'],
    ['authentication_error', null],
    'The routing token is not valid for this request; start again at the first address.',
  ),

  insufficient_credits: row([402, 'after_top_up'], UNPAID, 'The USD balance cannot pay for more tokens.'),
  payment_method_declined: row([402, 'after_fixing'], UNPAID, 'The last automatic payment was declined.'),
  spend_limit_reached: row([402, 'no'], UNPAID, 'A spending limit has been reached.'),

  insufficient_scope: row([403, 'no'], FORBIDDEN, 'The credential lacks the scope this needs.'),
  forbidden: row([403, 'no'], FORBIDDEN, 'This belongs to another account.'),
  email_unverified: row([403, 'after_onboarding'], FORBIDDEN, 'Verify the e-mail address first.'),
  terms_not_accepted: row([403, 'after_onboarding'], FORBIDDEN, 'Accept the current terms first.'),
  account_suspended: row([403, 'no'], FORBIDDEN, 'The account is suspended.'),
  auto_mode_trading_restricted: row(
    [403, 'after_mode_switch'],
    NO_WIRE,
    'Orders are placed for you in easy mode; switch to advanced mode to trade.',
  ),
  mode_managed_setting: row([403, 'no'], NO_WIRE, 'The account mode decides this setting.'),
  supplier_not_approved: row([403, 'no'], NO_WIRE, 'The supplier is not approved.'),
  supplier_suspended: row([403, 'no'], NO_WIRE, 'The supplier is suspended.'),
  origin_not_allowed: row([403, 'no'], NO_WIRE, 'Requests from this origin are not allowed.'),

  not_found: row([404, 'no'], MISSING, 'There is nothing at this address.'),
  model_not_found: row([404, 'no'], MISSING, 'No instrument of that name is served.'),
  instrument_not_found: row([404, 'no'], MISSING, 'No instrument with that id.'),
  market_not_found: row([404, 'no'], MISSING, 'No market with that id.'),
  order_not_found: row([404, 'no'], MISSING, 'No order with that id.'),
  trade_not_found: row([404, 'no'], MISSING, 'No trade with that id.'),
  account_not_found: row([404, 'no'], MISSING, 'No account with that id.'),
  receipt_not_found: row([404, 'no'], MISSING, 'No receipt with that request id.'),
  response_not_found: row([404, 'no'], MISSING, 'No response with that id; responses are never stored.'),
  method_not_allowed: row([405, 'no'], INVALID, 'This address does not accept that method.'),
  request_timeout: row([408, 'yes'], INVALID, 'The request body did not arrive in time.'),

  duplicate_client_order_id: row([409, 'no'], NO_WIRE, 'The client order id belongs to a different order.'),
  idempotency_key_conflict: row([409, 'no'], NO_WIRE, 'The idempotency key was used with another body.'),
  idempotency_in_progress: row([409, 'yes'], NO_WIRE, 'The first call with this key is still running.'),
  order_already_cancelled: row([409, 'no'], NO_WIRE, 'The order has already been cancelled.'),
  order_not_cancellable: row([409, 'no'], NO_WIRE, 'The order has ended and cannot be cancelled.'),
  order_not_amendable: row([409, 'no'], NO_WIRE, 'The order has ended and cannot be amended.'),
  transfer_not_allowed: row([409, 'no'], NO_WIRE, 'These units cannot be moved in that direction.'),
  deletion_blocked: row([409, 'later'], NO_WIRE, 'Open obligations prevent the deletion for now.'),

  payload_too_large: row([413, 'no'], TOO_LARGE, 'The request body is too large.'),
  uri_too_long: row([414, 'no'], TOO_LARGE, 'The request line is too long.'),
  unsupported_media_type: row([415, 'no'], INVALID, 'Send the body as application/json.'),

  invalid_value: row([422, 'no'], INVALID, 'A value is out of range.'),
  unsupported_value: row([422, 'no'], INVALID, 'A value is valid but not offered here.'),
  window_too_large: row([422, 'no'], INVALID_OPENAI, 'The date range is longer than allowed.'),
  price_outside_collar: row([422, 'after_change'], NO_WIRE, 'The price is outside the collar.'),
  no_reference_price: row([422, 'after_change'], NO_WIRE, 'The market has no reference price yet.'),
  post_only_would_cross: row([422, 'after_change'], NO_WIRE, 'The post-only order would trade at once.'),
  market_not_open: row([422, 'after_change'], NO_WIRE, 'The market is not open.'),
  open_order_limit: row([422, 'after_change'], NO_WIRE, 'Too many orders are open in this market.'),
  issuance_limit_exceeded: row([422, 'no'], NO_WIRE, 'The issuance is above the attested limit.'),
  public_key_invalid: row([422, 'no'], NO_WIRE, 'The public key is not a valid Ed25519 key.'),
  proof_of_possession_invalid: row([422, 'no'], NO_WIRE, 'The proof of possession does not verify.'),

  rate_limited: row([429, 'yes'], LIMITED, 'Too many requests; slow down.'),
  concurrency_limited: row([429, 'yes'], LIMITED, 'Too many requests are running at once.'),
  daily_limit_reached: row([429, 'yes'], LIMITED, 'The limit for today has been reached.'),
  too_many_attempts: row([429, 'yes'], LIMITED, 'Too many attempts; wait a little.'),

  internal_error: row([500, 'inference_only'], FAULT, 'Something went wrong here; inference is not billed.'),
  outcome_unknown: row([500, 'after_query'], NO_WIRE, 'The outcome is unknown; look before you repeat.'),
  upstream_error: row([502, 'yes'], FAULT, 'The supplier failed; nothing is billed.'),
  balance_replenishing: row([503, 'yes'], OVERLOADED, 'Tokens are being bought; try again in a moment.'),
  no_capacity: row([503, 'yes'], OVERLOADED, 'No supplier has capacity at the moment.'),
  region_unavailable: row([503, 'later'], OVERLOADED, 'No supplier is available in the allowed regions.'),
  engine_unavailable: row([503, 'yes'], OVERLOADED, 'The exchange is not available; nothing was changed.'),
  overloaded: row([503, 'yes'], OVERLOADED, 'The exchange is overloaded; nothing was changed.'),
  upstream_timeout: row([504, 'yes'], TIMEOUT, 'The supplier did not answer in time; nothing is billed.'),

  routing_abandoned: row([null, 'no'], NO_WIRE, 'The redirect was never followed.'),
  out_of_spec: row([null, 'no'], NO_WIRE, 'The delivery did not meet the specification; it is not billed.'),
} satisfies Record<string, CatalogueEntry>;

/** A machine code of the catalogue. */
export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** All codes, in the order of the catalogue. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(ERROR_CATALOGUE) as ErrorCode[];

/** The catalogue's row of a code. */
export function catalogueEntry(code: ErrorCode): CatalogueEntry {
  return ERROR_CATALOGUE[code];
}
