import { parseRequestTime } from '@opengrid/wire';
import { z } from 'zod';
import { PRICE, QUANTITY, REFERENCE } from '../http/fields.ts';

const TIME = z.union([z.string(), z.number()]).transform((value, context) => {
  const atMs = parseRequestTime(value);
  if (atMs !== undefined) return atMs;
  context.addIssue({ code: 'custom', message: 'must be a time with an offset, a date, or Unix seconds' });
  return z.NEVER;
});

const NOT_OFFERED = z.null({ error: 'is not offered' }).optional();

/** Orders that wait for a price are told apart from words that mean nothing. */
const ORDER_TYPE = z.enum(['limit', 'market'], {
  error: ({ input }) => (input === 'stop' || input === 'stop_limit' ? 'is not offered' : undefined),
});

/** Body of `POST /orders`. Unknown members are ignored. */
export const PLACE_ORDER = z
  .object({
    market_id: REFERENCE,
    side: z.enum(['buy', 'sell']),
    type: ORDER_TYPE,
    quantity: QUANTITY,
    price: PRICE.nullish(),
    stop_price: NOT_OFFERED,
    time_in_force: z.enum(['gtc', 'ioc', 'fok', 'gtd', 'day']).nullish(),
    expire_at: TIME.nullish(),
    post_only: z.boolean().nullish(),
    reduce_only: z.literal(false, { error: 'must be false: accounts cannot go short' }).nullish(),
    self_trade_prevention: z.enum(['cancel_newest', 'cancel_oldest', 'cancel_both', 'decrement']).nullish(),
    should_autotransfer: z.boolean().nullish(),
    client_order_id: z
      .string()
      .regex(/^[A-Za-z0-9._:-]{1,64}$/)
      .nullish(),
  })
  .superRefine((order, context) => {
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    const life = order.time_in_force ?? 'gtc';
    const isLimit = order.type === 'limit';
    if (isLimit && (order.price ?? null) === null) refuse('price', 'is required for a limit order');
    const rests = isLimit && life !== 'ioc' && life !== 'fok';
    if (order.post_only === true && !rests) refuse('post_only', 'is for limit orders that rest');
    if (isLimit) refuseExpiry(life, order.expire_at ?? null, refuse);
  });

/** Body of `PUT /orders/{id}`: at least one member that changes something. */
export const AMEND_ORDER = z
  .object({
    quantity: QUANTITY.nullish(),
    price: PRICE.nullish(),
    stop_price: NOT_OFFERED,
    time_in_force: z.enum(['gtc', 'gtd', 'day']).nullish(),
    expire_at: TIME.nullish(),
  })
  .superRefine((change, context) => {
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    const life = change.time_in_force ?? null;
    const changes = [change.quantity, change.price, life, change.expire_at];
    if (changes.every((value) => (value ?? null) === null))
      refuse('body', 'takes at least one of quantity, price, time_in_force, expire_at');
    if (life !== null) refuseExpiry(life, change.expire_at ?? null, refuse);
  });

/** Body of `POST /orders/cancel-all-after`. */
export const CANCEL_TIMER = z.object({
  timeout_ms: z
    .number()
    .int()
    .refine((timeoutMs) => timeoutMs === 0 || (timeoutMs >= 5_000 && timeoutMs <= 600_000), {
      error: 'takes 5000 to 600000 milliseconds, or 0 to disarm',
    }),
  market_id: REFERENCE.nullish(),
});

export type PlaceOrderBody = z.infer<typeof PLACE_ORDER>;
export type AmendOrderBody = z.infer<typeof AMEND_ORDER>;

function refuseExpiry(
  life: string,
  expireAtMs: number | null,
  refuse: (field: string, message: string) => void,
): void {
  if (life === 'gtd' && expireAtMs === null) refuse('expire_at', 'is required for gtd');
  if (life !== 'gtd' && expireAtMs !== null) refuse('expire_at', 'is for gtd alone');
}
