import type { OrderSeen, Trader, TradingAnswer } from './trader.ts';

type Known = 'yes' | 'no' | 'unknown';

/** An order as its client knows it: what was sent, and what was said about it. */
export interface SentOrder {
  readonly trader: Trader;
  readonly clientOrderId: string;
  readonly body: object;
  isPlaced: Known;
  id: string | undefined;
  isCancelled: Known;
  /** Price of the last amendment that was answered; unknown once one was not. */
  price: string | 'unknown';
}

export interface OrderLoad {
  readonly sent: readonly SentOrder[];
  /** Ends when every worker has met a broken connection or was told to stop. */
  stop(): Promise<void>;
}

const WORKERS_EACH = 4;
let loads = 0;

/** Places, amends and cancels around one price, through some connections for every trader. */
export function startOrderLoad(traders: readonly Trader[], random: () => number): OrderLoad {
  const sent: SentOrder[] = [];
  let isOver = false;
  loads += 1;
  const name = `load-${loads}`;
  const workers = traders.flatMap((trader) =>
    Array.from({ length: WORKERS_EACH }, () => work({ trader, random, sent, name }, () => isOver)),
  );
  return {
    sent,
    stop: async () => {
      isOver = true;
      await Promise.all(workers);
    },
  };
}

interface Worker {
  readonly trader: Trader;
  readonly random: () => number;
  readonly sent: SentOrder[];
  readonly name: string;
}

async function work(worker: Worker, isOver: () => boolean): Promise<void> {
  const own: SentOrder[] = [];
  while (!isOver()) {
    const roll = worker.random();
    const order = own[Math.floor(worker.random() * own.length)];
    if (order === undefined || roll < 0.6) {
      const placed = await place(worker);
      if (placed.isPlaced === 'yes') own.push(placed);
      if (placed.isPlaced === 'unknown') return;
    } else if (roll < 0.75) {
      await amend(worker, order);
      if (order.price === 'unknown') return;
    } else {
      own.splice(own.indexOf(order), 1);
      await cancel(order);
      if (order.isCancelled === 'unknown') return;
    }
  }
}

const ticks = (random: () => number): string => (2.4 + Math.floor(random() * 21) / 100).toFixed(4);

async function place({ trader, random, sent, name }: Worker): Promise<SentOrder> {
  const clientOrderId = `${name}-${sent.length + 1}`;
  const price = ticks(random);
  const body = {
    market_id: 'text-prime',
    side: random() < 0.5 ? 'buy' : 'sell',
    type: 'limit',
    quantity: 1 + Math.floor(random() * 3),
    price,
    client_order_id: clientOrderId,
  };
  const order: SentOrder = {
    trader,
    clientOrderId,
    body,
    isPlaced: 'unknown',
    id: undefined,
    isCancelled: 'no',
    price,
  };
  sent.push(order);
  const answer = await trader.call('POST', '/v1/orders', body);
  order.isPlaced = answered(answer, [200, 201]);
  order.id = (answer?.json.data as { id?: string } | undefined)?.id;
  return order;
}

async function amend({ trader, random }: Worker, order: SentOrder): Promise<void> {
  const price = ticks(random);
  const done = answered(await trader.call('PATCH', `/v1/orders/${order.id}`, { price }), [200]);
  if (done === 'yes') order.price = price;
  if (done === 'unknown') order.price = 'unknown';
}

async function cancel(order: SentOrder): Promise<void> {
  order.isCancelled = answered(await order.trader.call('DELETE', `/v1/orders/${order.id}`), [200, 204]);
}

/** What an answer says: done, certainly not done, or nothing that can be relied on. */
function answered(answer: TradingAnswer, good: readonly number[]): Known {
  if (answer === null || answer.json.error?.code === 'outcome_unknown') return 'unknown';
  return good.includes(answer.status) ? 'yes' : 'no';
}

/** Sentences about where the orders in the store differ from what their clients were told. */
export function differences(sent: readonly SentOrder[], seen: readonly OrderSeen[]): string[] {
  const wrong: string[] = [];
  const byClientId = new Map(seen.map((order) => [order.client_order_id, order]));
  if (byClientId.size !== seen.length) wrong.push('a client order id is there twice');
  const known = new Set(sent.map(({ clientOrderId }) => clientOrderId));
  for (const { client_order_id: name } of seen) if (!known.has(name)) wrong.push(`${name} was never sent`);
  for (const order of sent) wrong.push(...differencesOf(order, byClientId.get(order.clientOrderId)));
  return wrong;
}

function differencesOf(order: SentOrder, seen: OrderSeen | undefined): string[] {
  const { clientOrderId: name, isPlaced, isCancelled, price } = order;
  if (isPlaced === 'unknown') return [];
  // An order that the engine rejected is kept with that status.
  if (isPlaced === 'no')
    return seen === undefined || seen.status === 'rejected' ? [] : [`${name} was refused`];
  if (seen === undefined) return [`${name} was acknowledged and is gone`];
  const wrong: string[] = [];
  if (seen.id !== order.id) wrong.push(`${name} was ${order.id} and is ${seen.id}`);
  if (isCancelled === 'yes' && seen.status !== 'cancelled')
    wrong.push(`${name} was cancelled: ${seen.status}`);
  if (price !== 'unknown' && seen.price !== price)
    wrong.push(`${name} was amended to ${price}: ${seen.price}`);
  return wrong;
}
