import type { PagePromise } from '../core/pagination.ts';
import { readOne, readPages } from '../internal/read.ts';
import type { RequestOptions, Transport } from '../internal/transport.ts';
import type { CursorParams, DataEnvelope, DecimalString, OpenEnum, Timestamp } from './common.ts';
import { type KeyedOptions, keyedBody, type TransferParams } from './transfers.ts';

/** Units that a supplier issued together. */
export type Issuance = {
  id: string;
  issuance_id: string;
  issuance_account_id: string;
  instrument_id: string;
  instrument_symbol: string;
  quantity: number;
  unit_from: number;
  unit_to: number;
  spec_version: number;
  status: OpenEnum<'issued' | 'retired'>;
  issued_at: Timestamp;
  created_at: Timestamp;
};

/** What became of everything issued of one instrument, in units. */
export type IssuanceSummary = {
  instrument_id: string;
  instrument_symbol: string;
  instrument_name: string;
  total_issued: number;
  quantity: number;
  units_available: number;
  units_transferred_to_trading: number;
  units_sold: number;
  units_delivered: number;
  units_retired: number;
};

/** Units that were taken out of the world before anybody bought them. */
export type Retirement = {
  instrument_id: string;
  instrument_symbol: string;
  quantity: number;
  /** Serial numbers, the newest units first. */
  units: { from: number; to: number }[];
  status: OpenEnum<'retired'>;
  retired_at: Timestamp;
};

/** Units that are issued but not yet in trading. */
export type IssuanceAccount = {
  account_id: string;
  issuance_account_id: string;
  id: string;
  user_id: string;
  instrument_id: string;
  instrument_symbol: string;
  status: OpenEnum<'active'>;
  total_issued: DecimalString;
  total_transferred: DecimalString;
  available_balance: DecimalString;
  total_balance: number;
  total_deposits: number;
  total_transferred_to_trading: number;
  total_transfers: number;
  last_deposit_at: Timestamp | null;
  last_transfer_at: Timestamp | null;
  created_at: Timestamp;
  updated_at: Timestamp;
};

/** Units on their way into trading; effective at once. */
export type IssuanceTransfer = {
  status: OpenEnum<'accepted'>;
  message: string;
  transfer_id: string;
  id: string;
  trading_account_id: string;
  instrument_id: string;
  quantity: number;
};

/** What a supplier sold of one instrument and still owes. Units with six digits. */
export type Liability = {
  instrument_id: string;
  instrument_symbol: string;
  total_liability: DecimalString;
  fulfilled: DecimalString;
  outstanding: DecimalString;
  escrowed_usd: DecimalString;
  released_usd: DecimalString;
  collateral_usd: DecimalString;
};

/** Filters of `supply.issuances`. */
export type IssuanceListParams = CursorParams & {
  instrument_id?: string | undefined;
  status?: Issuance['status'] | undefined;
};

const wants = 'signature';

/** Issuing and what is owed. For approved suppliers. */
export class SupplyResource {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Issues units. @throws UnprocessableError `issuance_limit_exceeded` */
  issue(params: TransferParams, options?: KeyedOptions): Promise<Issuance> {
    return this.#post<Issuance>('/v1/supply-issuances', params, options);
  }

  /** Takes unsold units that are still in issuance out of the world. */
  retire(params: TransferParams, options?: KeyedOptions): Promise<Retirement> {
    return this.#post<Retirement>('/v1/supply-issuances/retire', params, options);
  }

  /** Moves issued units into trading, where they can be sold. */
  transferToTrading(
    params: TransferParams & { trading_account_id?: string },
    options?: KeyedOptions,
  ): Promise<IssuanceTransfer> {
    return this.#post<IssuanceTransfer>('/v1/issuance-accounts/transfer', params, options);
  }

  issuances(params: IssuanceListParams = {}, options?: RequestOptions): PagePromise<Issuance> {
    return readPages(this.#transport, { path: '/v1/supply-issuances', query: params, wants, options });
  }

  /** One row an instrument. */
  async summary(options?: RequestOptions): Promise<IssuanceSummary[]> {
    const path = '/v1/supply-issuances/summary';
    return await readOne<IssuanceSummary[]>(this.#transport, { path, wants, options });
  }

  accounts(params: CursorParams = {}, options?: RequestOptions): PagePromise<IssuanceAccount> {
    return readPages(this.#transport, { path: '/v1/issuance-accounts', query: params, wants, options });
  }

  /** One row an instrument. */
  liabilities(params: CursorParams = {}, options?: RequestOptions): PagePromise<Liability> {
    return readPages(this.#transport, { path: '/v1/supplier-liability', query: params, wants, options });
  }

  async liability(instrument: string, options?: RequestOptions): Promise<Liability> {
    const path = `/v1/supplier-liability/${encodeURIComponent(instrument)}`;
    return await readOne<Liability>(this.#transport, { path, wants, options });
  }

  async #post<Data>(path: string, params: object, options: KeyedOptions = {}): Promise<Data> {
    const call = { method: 'POST', path, wants, repetition: 'keyed', options } as const;
    const keyed = { ...call, ...keyedBody(params, options) };
    return (await this.#transport.send<DataEnvelope<Data>>(keyed)).data;
  }
}
