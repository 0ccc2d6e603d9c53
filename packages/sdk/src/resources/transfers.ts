import type { PagePromise } from '../core/pagination.ts';
import { randomId } from '../internal/random-id.ts';
import { readPages } from '../internal/read.ts';
import type { RequestOptions, Transport } from '../internal/transport.ts';
import type { CursorParams, DataEnvelope, OpenEnum, Timestamp } from './common.ts';

/** Options of a call that moves units: an idempotency key of the caller's own survives its restart. */
export type KeyedOptions = RequestOptions & {
  /** 1 to 255 visible ASCII characters; one is made up where none is given. */
  idempotencyKey?: string | undefined;
};

/** Whole units to move. */
export type TransferParams = {
  /** Id or symbol. */
  instrument_id: string;
  /** Units. */
  quantity: number;
};

/** What was moved. */
export type Transfer = {
  status: OpenEnum<'success'>;
  transfer_id: string;
  instrument_id: string;
  quantity: number;
  /** Lots that were made, or drawn on. */
  lots?: string[];
};

/** One movement of the past. */
export type TransferRecord = {
  id: string;
  transfer_id: string;
  market_id: string;
  instrument_id: string;
  instrument_symbol: string;
  instrument_name: string;
  sender_account_id: string;
  account_id: string;
  from_account_type: OpenEnum<'issuance' | 'trading' | 'consumption'>;
  to_account_type: OpenEnum<'trading' | 'consumption'>;
  direction: OpenEnum<'issuance_to_trading' | 'trading_to_consumption' | 'consumption_to_trading'>;
  quantity: number;
  status: OpenEnum<'completed'>;
  origin: OpenEnum<'user' | 'auto_transfer' | 'auto_buy' | 'expiry'>;
  transferred_at: Timestamp;
  completed_at: Timestamp;
  inserted_at: Timestamp;
  updated_at: Timestamp;
};

/** Filters of `transfers.list`. */
export type TransferListParams = CursorParams & {
  market_id?: string | undefined;
  instrument_id?: string | undefined;
  direction?: TransferRecord['direction'] | undefined;
};

/** `/v1/transfers` and `/v1/transfer-histories`. Both directions are one step and final. */
export class TransfersResource {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Makes units available to inference. @throws BadRequestError `insufficient_balance` */
  toConsumption(params: TransferParams, options?: KeyedOptions): Promise<Transfer> {
    return this.#move('/v1/transfers/trading-to-consumption', params, options);
  }

  /** Takes whole, unopened units back, the newest first. @throws ConflictError `transfer_not_allowed` */
  toTrading(params: TransferParams & { lot_id?: string }, options?: KeyedOptions): Promise<Transfer> {
    return this.#move('/v1/transfers/consumption-to-trading', params, options);
  }

  /** Movements, the latest first. */
  list(params: TransferListParams = {}, options?: RequestOptions): PagePromise<TransferRecord> {
    const reading = { path: '/v1/transfer-histories', query: params, wants: 'signature', options } as const;
    return readPages(this.#transport, reading);
  }

  async #move(path: string, params: object, options: KeyedOptions = {}): Promise<Transfer> {
    const call = { method: 'POST', path, wants: 'signature', repetition: 'keyed', options } as const;
    const keyed = { ...call, ...keyedBody(params, options) };
    return (await this.#transport.send<DataEnvelope<Transfer>>(keyed)).data;
  }
}

/**
 * A body under its idempotency key. The key stands in the body as well, where servers ignore it, so that it is signed:
 * two movements that are alike and wanted within one second would otherwise have one signature, and the second would be
 * taken for a copy of the first.
 */
export const keyedBody = (
  params: object,
  { idempotencyKey = randomId() }: KeyedOptions,
): { body: object; idempotencyKey: string } => ({
  body: { ...params, idempotency_key: idempotencyKey },
  idempotencyKey,
});
