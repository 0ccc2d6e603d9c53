// An exchange with accounts that have money and units enough for whole streams.
import { Exchange } from '../../packages/exchange/dist/index.js';

export const INSTRUMENT = 1;
export const ACCOUNTS = 100;

const RULES = {
  takerBps: 50,
  makerBps: 0,
  minOrderUnits: 1,
  maxOrderUnits: 10_000,
  maxOpenOrders: 2_000_000,
  marketCollarBps: 1_000,
  limitCollarBps: 5_000,
  autoBuyCollarBps: 1_000,
  referencePriceTicks: 25_000,
};

export function fundedExchange() {
  const exchange = new Exchange();
  const apply = (command) => exchange.apply({ seq: exchange.lastSeq + 1, atMs: exchange.lastSeq, command });
  apply({ kind: 'open_market', instrument: INSTRUMENT, rules: RULES });
  for (let account = 1; account <= ACCOUNTS; account += 1) {
    apply({ kind: 'open_account', account });
    apply({ kind: 'credit', account, origin: 'card', amountMicros: 10_000_000_000_000 });
    apply({ kind: 'issue', account, instrument: INSTRUMENT, quantityUnits: 1_000_000 });
    apply({ kind: 'transfer_issued', account, instrument: INSTRUMENT, quantityUnits: 1_000_000 });
  }
  return { exchange, apply };
}

/** A limit order of the bench market. */
export function limitOrder({ account, side, quantityUnits, priceTicks, ...rest }) {
  const terms = { instrument: INSTRUMENT, type: 'limit', timeInForce: 'gtc' };
  return { kind: 'place_order', account, side, quantityUnits, priceTicks, ...terms, ...rest };
}
