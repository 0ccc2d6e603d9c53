/**
 * Micro-benchmark of the matching engine: the book alone, then the whole exchange (checks, holds, matching, settlement,
 * ledger, events). One core, no store, no network. Run after `npm run build:code`: `node bench/book.mjs`.
 */
import { Book, BUY, PREVENTION, SELL } from '../packages/exchange/dist/book/book.js';
import { Exchange } from '../packages/exchange/dist/index.js';

const BOOK_MESSAGES = 1_000_000;
const EXCHANGE_COMMANDS = 300_000;
const ACCOUNTS = 100;
const MID_TICKS = 25_000;
const INSTRUMENT = 1;

/** A small generator with a fixed seed, so that every run measures the same stream. */
function randomSource(seed) {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** 60 of 100 messages are new limit orders, 30 cancel one of them, 10 take at once. Prices cluster around a drifting mid. */
function messages(count) {
  const random = randomSource(23);
  const kinds = new Uint8Array(count);
  const sides = new Uint8Array(count);
  const prices = new Int32Array(count);
  const quantities = new Int32Array(count);
  const accounts = new Int32Array(count);
  let mid = MID_TICKS;
  for (let index = 0; index < count; index += 1) {
    const draw = random(100);
    kinds[index] = draw < 60 ? 0 : draw < 90 ? 1 : 2;
    const side = random(2);
    sides[index] = side;
    mid = Math.min(MID_TICKS + 2_000, Math.max(MID_TICKS - 2_000, mid + random(3) - 1));
    const away = Math.min(random(100), random(100)) - 4;
    prices[index] = side === BUY ? mid - away : mid + away;
    quantities[index] = 1 + random(20);
    accounts[index] = 1 + random(ACCOUNTS);
  }
  return { kinds, sides, prices, quantities, accounts, random };
}

/** Picks a live order to cancel: anywhere in the book, not only the newest. */
function pickLive(live, random) {
  if (live.length === 0) return 0;
  const at = random(live.length);
  const order = live[at];
  live[at] = live[live.length - 1];
  live.pop();
  return order;
}

function benchBook() {
  const { kinds, sides, prices, quantities, accounts, random } = messages(BOOK_MESSAGES);
  const book = new Book();
  const live = [];
  let fills = 0;
  const startedMs = performance.now();
  for (let index = 0; index < BOOK_MESSAGES; index += 1) {
    if (kinds[index] === 1) {
      const slot = book.find(pickLive(live, random));
      if (slot !== -1) {
        book.unlink(slot);
        book.freeSlot(slot);
      }
      continue;
    }
    const incoming = {
      account: accounts[index],
      side: sides[index] === 0 ? BUY : SELL,
      limitTicks: prices[index],
      quantity: quantities[index],
      prevention: PREVENTION.cancelNewest,
    };
    const left = book.match(incoming);
    fills += book.fills.count;
    for (let fill = 0; fill < book.fills.count; fill += 1) {
      const slot = book.fills.slot[fill];
      if (book.orders.remaining[slot] === 0) book.freeSlot(slot);
    }
    if (left > 0 && kinds[index] === 0 && !book.incomingPrevented) {
      book.rest(index + 1, incoming, left);
      live.push(index + 1);
    }
  }
  report(
    'book alone',
    BOOK_MESSAGES,
    performance.now() - startedMs,
    `${fills} fills, ${book.orderCount} orders resting`,
  );
}

const RULES = {
  takerBps: 50,
  makerBps: 0,
  minOrderUnits: 1,
  maxOrderUnits: 10_000,
  maxOpenOrders: 1_000_000,
  marketCollarBps: 1_000,
  limitCollarBps: 5_000,
  autoBuyCollarBps: 1_000,
  referencePriceTicks: MID_TICKS,
};

/** An exchange with accounts that have money and units enough for the whole stream. */
function fundedExchange() {
  const exchange = new Exchange();
  const apply = (command) => {
    const outcome = exchange.apply({ seq: exchange.lastSeq + 1, atMs: exchange.lastSeq, command });
    return outcome;
  };
  apply({ kind: 'open_market', instrument: INSTRUMENT, rules: RULES });
  for (let account = 1; account <= ACCOUNTS; account += 1) {
    apply({ kind: 'open_account', account });
    apply({ kind: 'credit', account, origin: 'card', amountMicros: 10_000_000_000_000 });
    apply({ kind: 'issue', account, instrument: INSTRUMENT, quantityUnits: 1_000_000 });
    apply({ kind: 'transfer_issued', account, instrument: INSTRUMENT, quantityUnits: 1_000_000 });
  }
  return { exchange, apply };
}

function orderAt(stream, index) {
  const isTaker = stream.kinds[index] === 2;
  return {
    kind: 'place_order',
    account: stream.accounts[index],
    instrument: INSTRUMENT,
    side: stream.sides[index] === 0 ? 'buy' : 'sell',
    type: 'limit',
    quantityUnits: stream.quantities[index],
    priceTicks: stream.prices[index],
    timeInForce: isTaker ? 'ioc' : 'gtc',
    // Half of the buys go to consumption at once, as automatic purchases do.
    autotransfer: (index & 1) === 0,
  };
}

function benchExchange() {
  const stream = messages(EXCHANGE_COMMANDS);
  const { exchange, apply } = fundedExchange();
  const live = [];
  const counts = { accepted: 0, refused: 0, events: 0 };
  const startedMs = performance.now();
  for (let index = 0; index < EXCHANGE_COMMANDS; index += 1) {
    let command = orderAt(stream, index);
    if (stream.kinds[index] === 1) {
      const picked = pickLive(live, stream.random) || { account: 1, order: 0 };
      command = { kind: 'cancel_order', ...picked };
    }
    const outcome = apply(command);
    if (!outcome.ok) {
      counts.refused += 1;
      continue;
    }
    counts.accepted += 1;
    counts.events += outcome.events.length;
    if (stream.kinds[index] === 0) live.push({ account: command.account, order: outcome.order });
  }
  const elapsedMs = performance.now() - startedMs;
  const { accepted, refused, events } = counts;
  report(
    'Exchange.apply',
    EXCHANGE_COMMANDS,
    elapsedMs,
    `${accepted} accepted, ${refused} refused, ${events} events`,
  );
  const exportStartedMs = performance.now();
  const bytes = JSON.stringify(exchange.export()).length;
  console.log(
    `export: ${(performance.now() - exportStartedMs).toFixed(0)} ms, ${(bytes / 1e6).toFixed(1)} MB of JSON`,
  );
}

function report(name, count, elapsedMs, detail) {
  const perSecond = Math.round((count / elapsedMs) * 1_000).toLocaleString('en-US');
  console.log(`${name}: ${perSecond} operations/s (${count} in ${elapsedMs.toFixed(0)} ms; ${detail})`);
}

benchBook();
benchExchange();
