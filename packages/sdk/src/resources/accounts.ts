import type { PagePromise } from '../core/pagination.ts';
import { readOne, readPages } from '../internal/read.ts';
import type { RequestOptions, Transport } from '../internal/transport.ts';
import type { CursorParams, DecimalString, OpenEnum, Timestamp } from './common.ts';

type AccountTimes = {
  last_deposit_at: Timestamp | null;
  last_withdrawal_at: Timestamp | null;
  created_at: Timestamp;
  updated_at: Timestamp;
};

/** USD, or the units of one instrument, that can be traded. Balances are decimals: money or whole units. */
export type TradingAccount = AccountTimes & {
  account_id: string;
  id: string;
  user_id: string;
  instrument_id: string;
  instrument_symbol: string;
  instrument_name: string;
  /** `USD` on the row of money, absent on units. */
  currency?: string;
  /** Absent on the row of money, as is the next. */
  market_id?: string;
  market_name?: string;
  total_balance: DecimalString;
  available_balance: DecimalString;
  /** Held for open orders. */
  locked_balance: DecimalString;
  /** Suppliers' USD row only: proceeds that wait for delivery. */
  escrowed_balance?: DecimalString;
  status: OpenEnum<'active'>;
  last_trade_price: DecimalString | null;
  last_trading_activity_at: Timestamp | null;
};

/** The USD of the account, by where it came from. */
export type CurrencyAccount = AccountTimes & {
  account_id: string;
  id: string;
  user_id: string;
  currency: string;
  total_balance: DecimalString;
  available_balance: DecimalString;
  locked_balance: DecimalString;
  /** Promotional, spent first. */
  credit_balance: DecimalString;
  proceeds_balance: DecimalString;
  card_balance: DecimalString;
  /** Absent when nothing is owed. */
  owed_usd?: DecimalString;
  status: OpenEnum<'active'>;
  last_trading_activity_at: Timestamp | null;
};

/** Tokens of one instrument that inference can spend. Balances are units; the three token counts are exact. */
export type ConsumptionAccount = AccountTimes & {
  account_id: string;
  id: string;
  user_id: string;
  instrument_id: string;
  instrument_symbol: string;
  status: OpenEnum<'active' | 'closed'>;
  uncommitted_balance: number;
  available_balance: number;
  /** Earmarked by requests in flight. */
  committed_balance: number;
  total_balance: number;
  total_deposits: number;
  total_withdrawals: number;
  total_commitments: number;
  total_transfers_in: number;
  total_transfers_out: number;
  total_tokens: number;
  free_tokens: number;
  held_tokens: number;
  last_commitment_at: Timestamp | null;
  last_transfer_at: Timestamp | null;
};

/** Units of one purchase, in the order in which they are drawn. */
export type Lot = {
  lot_id: string;
  id: string;
  instrument_id: string;
  trade_id: string | null;
  supplier_id: string | null;
  supplier: string | null;
  unit_from: number;
  unit_to: number;
  acquisition_price_per_unit: DecimalString | null;
  tokens_total: number;
  tokens_remaining: number;
  acquired_at: Timestamp;
  deposited_at: Timestamp;
  /** Whether a token of it was drawn. */
  opened: boolean;
  expires_at: Timestamp | null;
  status: OpenEnum<'open' | 'exhausted' | 'expired' | 'moved' | 'bought_back'>;
};

/** Filters of the account lists. */
export type AccountListParams = CursorParams & {
  account_id?: string | undefined;
  instrument_id?: string | undefined;
  status?: string | undefined;
};

/** One of the account lists. Reading takes a signer or a key with `trade:read`. */
export class AccountsResource<Account> {
  readonly #transport: Transport;
  readonly #path: string;

  constructor(transport: Transport, path: string) {
    this.#transport = transport;
    this.#path = path;
  }

  list(params: AccountListParams = {}, options?: RequestOptions): PagePromise<Account> {
    return readPages(this.#transport, { path: this.#path, query: params, wants: 'signature', options });
  }

  /** @throws NotFoundError `account_not_found` */
  async retrieve(accountId: string, options?: RequestOptions): Promise<Account> {
    const path = `${this.#path}/${encodeURIComponent(accountId)}`;
    return await readOne<Account>(this.#transport, { path, wants: 'signature', options });
  }
}

/** `/v1/consumption-accounts`. */
export class ConsumptionAccountsResource extends AccountsResource<ConsumptionAccount> {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    super(transport, '/v1/consumption-accounts');
    this.#transport = transport;
  }

  /** Lots of one account, in drawing order. */
  lots(accountId: string, params: CursorParams = {}, options?: RequestOptions): PagePromise<Lot> {
    const path = `/v1/consumption-accounts/${encodeURIComponent(accountId)}/lots`;
    return readPages(this.#transport, { path, query: params, wants: 'signature', options });
  }
}
