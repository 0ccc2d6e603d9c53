import type { Command, JournalEntry, MarketRules, PlaceOrder } from '../commands.ts';
import type { Accepted, ExchangeEvent, Outcome } from '../events.ts';
import { Exchange } from '../exchange.ts';
import { KIND, type Kind, type Leg } from '../ledger.ts';

export { check, PATIENCE } from './effort.ts';

/** The one market of most tests. This folder serves the tests of this package; nothing else imports it. */
export const MARKET = 1;

export const RULES: MarketRules = {
  takerBps: 50,
  makerBps: 0,
  minOrderUnits: 1,
  maxOrderUnits: 10_000,
  maxOpenOrders: 500,
  marketCollarBps: 1_000,
  limitCollarBps: 5_000,
  autoBuyCollarBps: 1_000,
  referencePriceTicks: 25_000,
};

/** Micro-dollars of a decimal text, so that tests read like the examples they come from. */
export function usd(text: string): number {
  return Math.round(Number(text) * 1_000_000);
}

/** Ticks of a price text. */
export function ticks(text: string): number {
  return Math.round(Number(text) * 10_000);
}

type OrderOptions = Partial<Omit<PlaceOrder, 'kind'>> &
  Pick<PlaceOrder, 'account' | 'side' | 'quantityUnits'>;

/** A limit order, good till cancelled, unless the options say otherwise. */
export function order(options: OrderOptions): PlaceOrder {
  return {
    kind: 'place_order',
    instrument: MARKET,
    type: 'limit',
    priceTicks: null,
    timeInForce: 'gtc',
    ...options,
  };
}

/** A market order: immediate or cancel, no price. */
export function marketOrder(options: OrderOptions): PlaceOrder {
  return order({ type: 'market', timeInForce: 'ioc', ...options });
}

/** An exchange with its journal, as a server would keep them. */
export class Scene {
  exchange = new Exchange();
  readonly journal: JournalEntry[] = [];
  atMs = 1_000;

  /** Does what is due, as the sequencer does before every command, and returns what came of each command it took. */
  elapse(after?: (command: Command, accepted: Accepted) => void): Accepted[] {
    const done: Accepted[] = [];
    while ((this.exchange.nextDueMs() ?? Infinity) <= this.atMs) {
      const command: Command = { kind: 'elapse' };
      const accepted = this.run(command);
      after?.(command, accepted);
      done.push(accepted);
    }
    return done;
  }

  /** Lets time go by and does what became due: the events of all of it. */
  wait(durationMs: number): ExchangeEvent[] {
    this.atMs += durationMs;
    return this.elapse().flatMap(({ events }) => events);
  }

  /** Applies a command and keeps it if it was accepted. */
  attempt(command: Command): Outcome {
    if (command.kind !== 'elapse') this.elapse();
    const entry = { seq: this.exchange.lastSeq + 1, atMs: this.atMs, command };
    const outcome = this.exchange.apply(entry);
    if (outcome.ok) this.journal.push(entry);
    return outcome;
  }

  /** Applies a command that must be accepted. */
  run(command: Command): Accepted {
    const outcome = this.attempt(command);
    if (!outcome.ok) throw new Error(`${command.kind} was refused: ${JSON.stringify(outcome)}`);
    return outcome;
  }

  /** Opens accounts and one market. */
  static open(accounts: readonly number[], rules: MarketRules = RULES): Scene {
    const scene = new Scene();
    for (const account of accounts) scene.run({ kind: 'open_account', account });
    scene.run({ kind: 'open_market', instrument: MARKET, rules });
    return scene;
  }

  card(account: number, amount: string): void {
    this.run({ kind: 'credit', account, origin: 'card', amountMicros: usd(amount) });
  }

  promotion(account: number, amount: string): void {
    this.run({ kind: 'credit', account, origin: 'promotional', amountMicros: usd(amount) });
  }

  /** Issues units and moves them to the issuer's trading account. */
  stock(account: number, quantityUnits: number, instrument = MARKET): void {
    this.run({ kind: 'issue', account, instrument, quantityUnits });
    this.run({ kind: 'transfer_issued', account, instrument, quantityUnits });
  }

  sell(account: number, quantityUnits: number, price: string): Accepted {
    return this.run(order({ account, side: 'sell', quantityUnits, priceTicks: ticks(price) }));
  }

  buy(account: number, quantityUnits: number, price: string): Accepted {
    return this.run(order({ account, side: 'buy', quantityUnits, priceTicks: ticks(price) }));
  }

  toConsumption(account: number, quantityUnits: number): void {
    this.run({ kind: 'transfer_to_consumption', account, instrument: MARKET, quantityUnits });
  }

  available(account: number): number {
    return this.exchange.availableUsdMicros(account);
  }

  /** Balance of an account; kinds of tokens are read in the market of the scene. */
  balance(kind: Kind, account = 0): number {
    const isPerInstrument = kind > 100 || kind === KIND.escrow;
    return this.exchange.balance(kind, account, isPerInstrument ? MARKET : 0);
  }

  escrow(issuer: number): number {
    return this.balance(KIND.escrow, issuer);
  }

  /** Lots with tokens left of an account, in drawing order. */
  lots(account: number): { lot: number; free: readonly number[]; issuer: number }[] {
    return [...this.exchange.openLots()].filter((lot) => lot.account === account);
  }

  /** Draws the next tokens of an account from the front of its lots and settles them. */
  consume(account: number, tokens: number, served: Served): Accepted {
    const draws: { lot: number; from: number; to: number }[] = [];
    let left = tokens;
    for (const { lot, free } of this.lots(account)) {
      for (let index = 0; index < free.length && left > 0; index += 2) {
        const from = free[index]!;
        const to = Math.min(from + left, free[index + 1]!);
        draws.push({ lot, from, to });
        left -= to - from;
      }
    }
    if (left > 0) throw new Error(`account ${account} lacks ${left} tokens`);
    return this.run({ kind: 'settle', account, instrument: MARKET, draws, ...served });
  }
}

export interface Served {
  readonly servedBy: number;
  readonly failedObligors?: readonly number[];
  readonly substitutePriceTicks?: number | null;
}

export function eventsOf<T extends ExchangeEvent['type']>(
  outcome: Accepted,
  type: T,
): Extract<ExchangeEvent, { type: T }>[] {
  return outcome.events.filter((event) => event.type === type) as Extract<ExchangeEvent, { type: T }>[];
}

/** Sum of the legs of one kind and account. */
export function moved(outcome: Accepted, kind: Kind, account = 0): number {
  const legs = outcome.legs.filter((leg: Leg) => leg.kind === kind && leg.account === account);
  return legs.reduce((sum, leg) => sum + leg.amount, 0);
}

/** The journal applied to an empty exchange, or to a snapshot of its first `snapshotAfter` entries. */
export function replay(journal: readonly JournalEntry[], snapshotAfter = 0): Exchange {
  let exchange = new Exchange();
  for (const [index, entry] of journal.entries()) {
    const outcome = exchange.apply(JSON.parse(JSON.stringify(entry)) as JournalEntry);
    if (!outcome.ok) throw new Error(`replay refused entry ${entry.seq}: ${outcome.code}`);
    if (index + 1 === snapshotAfter)
      exchange = Exchange.restore(JSON.parse(JSON.stringify(exchange.export())));
  }
  return exchange;
}
