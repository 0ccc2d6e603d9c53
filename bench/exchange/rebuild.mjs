// A cold start: an exchange with a million open orders written out, and read back into memory.
import { Exchange } from '../../packages/exchange/dist/index.js';
import { ACCOUNTS, fundedExchange, INSTRUMENT, limitOrder } from './market.mjs';

const ORDERS = 1_000_000;
/** Bids stand below this price and asks above it, on a thousand levels each. */
const MIDDLE_TICKS = 25_000;
const LEVELS = 1_000;

let exchange;
let exported;
let text;

function fill() {
  const made = fundedExchange();
  for (let index = 0; index < ORDERS; index += 1) {
    const side = index % 2 === 0 ? 'buy' : 'sell';
    const away = 1 + ((index * 7_919) % LEVELS);
    const priceTicks = side === 'buy' ? MIDDLE_TICKS - away : MIDDLE_TICKS + away;
    const account = 1 + (index % ACCOUNTS);
    const outcome = made.apply(limitOrder({ account, side, quantityUnits: 1 + (index % 20), priceTicks }));
    if (!outcome.ok) throw new Error(`order ${index} was refused: ${JSON.stringify(outcome)}`);
  }
  return made.exchange;
}

function restingIn(restored) {
  const count = (side) =>
    restored.depth(INSTRUMENT, side, 2 * LEVELS).reduce((sum, { orderCount }) => sum + orderCount, 0);
  const resting = count('buy') + count('sell');
  if (resting !== ORDERS) throw new Error(`${resting} orders are back, not ${ORDERS}`);
  return { count: ORDERS, note: `${resting.toLocaleString('en-US')} open orders` };
}

export const rows = [
  {
    name: 'export a million open orders',
    inMs: true,
    once: true,
    prepare() {
      exchange = fill();
    },
    run() {
      exported = exchange.export();
      return { count: ORDERS };
    },
  },
  {
    name: 'the same as JSON text',
    inMs: true,
    once: true,
    run() {
      text = JSON.stringify(exported);
      return { count: ORDERS, note: `${Math.round(text.length / 1e6)} MB` };
    },
  },
  {
    name: 'cold rebuild from that text',
    target: { ms: 10_000 },
    once: true,
    run() {
      exchange = undefined;
      exported = undefined;
      return restingIn(Exchange.restore(JSON.parse(text)));
    },
  },
];
