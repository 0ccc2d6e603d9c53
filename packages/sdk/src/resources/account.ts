import { readOne } from '../internal/read.ts';
import type { RequestOptions, Transport } from '../internal/transport.ts';
import type { OpenEnum, Timestamp } from './common.ts';

/** Who is asking. */
export type Profile = {
  user_id: string;
  id: string;
  /** Absent for consumption keys. */
  email?: string;
  name?: string;
  email_verified: boolean;
  accepted_terms: boolean;
  /** Orders need `advanced`. */
  account_mode: OpenEnum<'easy' | 'advanced'>;
  capabilities: OpenEnum<'consume' | 'trade' | 'supply' | 'admin'>[];
  onboarding_complete: boolean;
  /** Suppliers only. */
  supplier_id?: string;
  created_at: Timestamp;
  updated_at: Timestamp;
};

/** Limits and fees in force for the caller in one market. */
export type AccountLimits = {
  market_id: string;
  order_rate_limits: {
    scope: OpenEnum<'user_market'>;
    max_orders_per_second: number;
    max_orders_per_minute: number;
    burst_capacity: number;
    window_seconds: number;
  };
  response_headers: { limit: string; remaining: string; retry_after: string };
  open_orders: { max: number; current: number };
  fees: { maker_bps: number; taker_bps: number };
};

/** What stands between the caller and a working setup, check by check. */
export type Diagnostics = {
  status: OpenEnum<'ok' | 'warn' | 'fail'>;
  service: OpenEnum<'consumption' | 'trading' | 'opengrid'>;
  server_time: Timestamp;
  checks: {
    name: string;
    status: OpenEnum<'ok' | 'warn' | 'fail'>;
    code: string;
    detail: string;
    next_action?: string;
  }[];
  summary: Record<string, unknown>;
};

/** `/v1/me`, `/v1/account` and `/v1/diagnostics`. */
export class AccountResource {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async me(options?: RequestOptions): Promise<Profile> {
    return await readOne<Profile>(this.#transport, { path: '/v1/me', wants: 'signature', options });
  }

  /** Limits in one market. @throws NotFoundError `market_not_found` */
  async limits(market: string, options?: RequestOptions): Promise<AccountLimits> {
    const query = { market_id: market };
    const reading = { path: '/v1/account/limits', query, wants: 'signature', options } as const;
    return await readOne<AccountLimits>(this.#transport, reading);
  }

  async diagnostics(options?: RequestOptions): Promise<Diagnostics> {
    const reading = { path: '/v1/diagnostics', wants: 'signature', options } as const;
    return await readOne<Diagnostics>(this.#transport, reading);
  }
}
