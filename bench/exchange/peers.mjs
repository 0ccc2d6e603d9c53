// The order books of npm on the same messages. They have no self-trade prevention switched on here, and take fewer messages,
// because some of what they do grows with the book: each run ends after a share of the stream or a few seconds.
import { OrderBook as HftBook } from 'hft-limit-order-book';
import { OrderBook as NodeBook } from 'nodejs-order-book';
import { ACTION, LIFE } from '../../packages/exchange/dist/testing/mixed-workload.js';
import { MESSAGE } from '../../packages/exchange/dist/testing/public-workload.js';
import { mixed, publicWorkload, SCENARIOS } from './workloads.mjs';

const MESSAGES = 100_000;
const LONGEST_MS = 5_000;
const LIVES = new Map([
  [LIFE.rest, 'GTC'],
  [LIFE.postOnly, 'GTC'],
  [LIFE.immediate, 'IOC'],
  [LIFE.fillOrKill, 'FOK'],
]);
const SIDES = ['buy', 'sell'];

/** The calls of a peer, made ahead, so that only its own work is measured. */
function mixedCalls({ action, id, side, priceTicks, quantity, life }) {
  return Array.from({ length: MESSAGES }, (_, at) => {
    const size = quantity[at];
    const price = priceTicks[at];
    if (action[at] === ACTION.cancel) return { cancel: String(id[at]) };
    if (action[at] === ACTION.amend) return { amend: String(id[at]), update: { size, price } };
    const order = { id: String(id[at]), side: SIDES[side[at]], size, price };
    return { order: { ...order, timeInForce: LIVES.get(life[at]), postOnly: life[at] === LIFE.postOnly } };
  });
}

function publicCalls({ kind, id, side, price, quantity }) {
  return Array.from({ length: MESSAGES }, (_, at) => {
    const size = quantity[at];
    if (kind[at] === MESSAGE.cancel) return { cancel: String(id[at]) };
    if (kind[at] === MESSAGE.modify) return { amend: String(id[at]), update: { size, price: price[at] } };
    const order = { id: String(id[at]), side: SIDES[side[at]], size, price: price[at] };
    return { order: { ...order, timeInForce: kind[at] === MESSAGE.immediate ? 'IOC' : 'GTC' } };
  });
}

function play(Book, calls) {
  const book = new Book();
  const endMs = performance.now() + LONGEST_MS;
  let count = 0;
  for (const { order, cancel, amend, update } of calls) {
    if (order !== undefined) book.limit(order);
    else if (cancel !== undefined) book.cancel(cancel);
    else book.modify(amend, update);
    count += 1;
    if (count % 1_000 === 0 && performance.now() > endMs) break;
  }
  return { count, note: count < calls.length ? `stopped after ${LONGEST_MS / 1000} s` : '' };
}

const peers = [
  ['nodejs-order-book', NodeBook],
  ['hft-limit-order-book', HftBook],
];
const streams = [
  ['mixed stream', () => mixedCalls(mixed())],
  ['public workload flash-crash', () => publicCalls(publicWorkload(SCENARIOS.at(-1)))],
];

export const rows = peers.flatMap(([name, Book]) =>
  streams.map(([stream, callsOf]) => {
    let calls;
    return {
      name: `${name}, ${stream}`,
      prepare() {
        calls = callsOf();
      },
      run: () => play(Book, calls),
    };
  }),
);
