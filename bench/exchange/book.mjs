// The book alone: one core, all of its rules on, no money, no store, no network.
import { Book } from '../../packages/exchange/dist/book/book.js';
import { BookPlayer } from '../../packages/exchange/dist/testing/mixed-workload.js';
import { MESSAGE } from '../../packages/exchange/dist/testing/public-workload.js';
import { mixed, publicWorkload, SCENARIOS } from './workloads.mjs';

const target = { perSecond: 5_000_000 };

function playMixed(workload) {
  const player = new BookPlayer();
  for (let at = 0; at < workload.count; at += 1) player.apply(workload, at);
  return { count: workload.count, note: `${player.book.orderCount} orders rest at the end` };
}

/** Frees the makers that were used up and says how many fills there were. */
function settle(book) {
  const { fills, orders } = book;
  for (let index = 0; index < fills.count; index += 1) {
    const slot = fills.slot[index];
    if (orders.remaining[slot] === 0) book.freeSlot(slot);
  }
  return fills.count;
}

function playPublic({ count, kind, id, side, price, quantity }) {
  const book = new Book();
  const incoming = { account: 0, side: 0, limitTicks: 0, quantity: 0, prevention: 0 };
  let fills = 0;
  for (let at = 0; at < count; at += 1) {
    if (kind[at] >= MESSAGE.modify) {
      const slot = book.find(id[at]);
      if (slot === -1) continue;
      book.unlink(slot);
      book.freeSlot(slot);
      if (kind[at] === MESSAGE.cancel) continue;
    }
    incoming.account = id[at];
    incoming.side = side[at];
    incoming.limitTicks = price[at];
    incoming.quantity = quantity[at];
    const left = book.match(incoming);
    fills += settle(book);
    if (left > 0 && kind[at] !== MESSAGE.immediate) book.rest(id[at], incoming, left);
  }
  return { count, note: `${fills} fills` };
}

const publicRows = SCENARIOS.map((scenario) => {
  let workload;
  return {
    name: `book alone, public workload ${scenario.name}`,
    target,
    prepare() {
      workload = publicWorkload(scenario);
    },
    run: () => playPublic(workload),
  };
});

export const rows = [
  {
    name: 'book alone, mixed stream',
    target,
    prepare: mixed,
    run: () => playMixed(mixed()),
  },
  ...publicRows,
];
