import { z } from 'zod';
import { PRICE, QUANTITY, REFERENCE } from '../http/fields.ts';

/** Body of `POST /orders`. Unknown members are ignored. */
export const PLACE_ORDER = z
  .object({
    market_id: REFERENCE,
    side: z.enum(['buy', 'sell']),
    type: z.enum(['limit', 'market']),
    quantity: QUANTITY,
    price: PRICE.nullish(),
    stop_price: z.null({ error: 'is not offered' }).optional(),
    time_in_force: z.enum(['gtc', 'ioc', 'fok']).nullish(),
    expire_at: z.null({ error: 'is not offered yet' }).optional(),
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
    if (order.type === 'limit' && (order.price ?? null) === null) {
      context.addIssue({ code: 'custom', path: ['price'], message: 'is required for a limit order' });
    }
    const rests = order.type === 'limit' && (order.time_in_force ?? 'gtc') === 'gtc';
    if (order.post_only === true && !rests) {
      const message = 'is for limit orders that rest';
      context.addIssue({ code: 'custom', path: ['post_only'], message });
    }
  });

export type PlaceOrderBody = z.infer<typeof PLACE_ORDER>;
