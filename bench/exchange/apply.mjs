// The whole exchange: checks, holds, matching, settlement, ledger, events. One core, no store, no network.
import { ACTION, LIFE } from '../../packages/exchange/dist/testing/mixed-workload.js';
import { fundedExchange, limitOrder } from './market.mjs';
import { mixed } from './workloads.mjs';

const COMMANDS = 100_000;
const MODES = ['cancel_newest', 'cancel_oldest', 'cancel_both', 'decrement'];
const LIVES = new Map([
  [LIFE.rest, { timeInForce: 'gtc' }],
  [LIFE.postOnly, { timeInForce: 'gtc', postOnly: true }],
  [LIFE.immediate, { timeInForce: 'ioc' }],
  [LIFE.fillOrKill, { timeInForce: 'fok' }],
]);

/** The command of a message. Orders of the stream are known to the exchange by the numbers it gave them. */
function commandOf(workload, at, placed) {
  if (workload.action[at] !== ACTION.place) {
    const { account, order } = placed.get(workload.id[at]) ?? { account: 1, order: 0 };
    if (workload.action[at] === ACTION.cancel) return { kind: 'cancel_order', account, order };
    const change = { quantityUnits: workload.quantity[at], priceTicks: workload.priceTicks[at] };
    return { kind: 'amend_order', account, order, ...change };
  }
  return limitOrder({
    account: workload.account[at],
    side: workload.side[at] === 0 ? 'buy' : 'sell',
    quantityUnits: workload.quantity[at],
    priceTicks: workload.priceTicks[at],
    selfTradePrevention: MODES[workload.prevention[at]],
    // Half of the buys go to consumption at once, as automatic purchases do.
    autotransfer: (at & 1) === 0,
    ...LIVES.get(workload.life[at]),
  });
}

function play(workload, { apply }) {
  const placed = new Map();
  let refused = 0;
  for (let at = 0; at < COMMANDS; at += 1) {
    const command = commandOf(workload, at, placed);
    const outcome = apply(command);
    if (!outcome.ok) refused += 1;
    else if (command.kind === 'place_order')
      placed.set(workload.id[at], { account: command.account, order: outcome.order });
  }
  return { count: COMMANDS, note: `${refused} refused` };
}

export const rows = [
  {
    name: 'Exchange.apply, mixed stream',
    prepare: mixed,
    run: () => play(mixed(), fundedExchange()),
  },
];
