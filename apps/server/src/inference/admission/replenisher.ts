import { type GridError, gridError } from '@opengrid/wire';
import type { Caller } from '../../ports/identity.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { EngineOverloaded, EngineUnavailable, type Sequencer } from '../../sequencer/types.ts';
import type { InferenceSettings } from '../settings.ts';
import { buysAutomatically, type PurchaseTerms, purchaseTerms } from './purchase-terms.ts';

/** A request, or a growing hold, that found too few tokens. */
export interface PurchaseRequest {
  readonly caller: Caller;
  readonly instrumentNo: number;
  /** Tokens that must be free for {@link admit} to succeed. */
  readonly neededTokens: number;
  /** Ceiling this request set for purchases it waits for. */
  readonly maxPriceTicks: number | null;
  /** Takes the tokens it needs; false when they are not there. */
  readonly admit: () => boolean;
}

export type PurchaseEnd =
  | { readonly ok: true; readonly unitsBought: number }
  | { readonly ok: false; readonly error: GridError };

export interface WaitingPurchase {
  readonly end: Promise<PurchaseEnd>;
  /** Leaves the line. The promise then never settles. */
  cancel(): void;
}

export interface ReplenisherOptions {
  readonly sequencer: Sequencer;
  readonly telemetry: Telemetry;
  readonly settings: Pick<InferenceSettings, 'purchaseWaitMs' | 'backOffMs'>;
  readonly clock: () => number;
}

interface Waiter {
  readonly request: PurchaseRequest;
  readonly resolve: (end: PurchaseEnd) => void;
  readonly timer: NodeJS.Timeout;
  unitsBought: number;
}

/**
 * Buys tokens when they run short: one purchase at a time for each account and instrument, whatever the number of requests
 * that wait for it.
 */
export class Replenisher {
  private readonly options: ReplenisherOptions;
  private readonly lines = new Map<string, PurchaseLine>();

  constructor(options: ReplenisherOptions) {
    this.options = options;
  }

  /** Whether requests wait already: a newcomer then joins behind them. */
  isWaitedFor(account: number, instrumentNo: number): boolean {
    return this.lines.get(lineKey(account, instrumentNo))?.isWaitedFor ?? false;
  }

  join(request: PurchaseRequest): WaitingPurchase {
    return this.line(request.caller.accountNumber, request.instrumentNo).join(request);
  }

  /** Called after a settlement: buys ahead when the free tokens fell below the account's threshold. */
  afterSettlement(caller: Caller, instrumentNo: number): void {
    if (!buysAutomatically(caller)) return;
    const free = this.options.sequencer.earmarks.freeTokens(caller.accountNumber, instrumentNo);
    if (free >= caller.autoBuy.triggerTokens) return;
    this.line(caller.accountNumber, instrumentNo).buyAhead(caller);
  }

  private line(account: number, instrumentNo: number): PurchaseLine {
    const key = lineKey(account, instrumentNo);
    let line = this.lines.get(key);
    if (line === undefined) {
      line = new PurchaseLine(this.options, instrumentNo, () => this.lines.delete(key));
      this.lines.set(key, line);
    }
    return line;
  }
}

function lineKey(account: number, instrumentNo: number): string {
  return `${account}:${instrumentNo}`;
}

/** The purchases of one account and instrument. */
class PurchaseLine {
  private readonly options: ReplenisherOptions;
  private readonly instrumentNo: number;
  private readonly onIdle: () => void;
  private waiters: Waiter[] = [];
  private isRunning = false;
  private ahead: Caller | undefined;
  private backOffMs = 0;
  private notBeforeMs = 0;

  constructor(options: ReplenisherOptions, instrumentNo: number, onIdle: () => void) {
    this.options = options;
    this.instrumentNo = instrumentNo;
    this.onIdle = onIdle;
  }

  get isWaitedFor(): boolean {
    return this.waiters.length > 0;
  }

  join(request: PurchaseRequest): WaitingPurchase {
    let waiter: Waiter | undefined;
    const end = new Promise<PurchaseEnd>((resolve) => {
      const timer = setTimeout(
        () => waiter !== undefined && this.refuse([waiter], gridError('balance_replenishing')),
        this.options.settings.purchaseWaitMs,
      );
      waiter = { request, resolve, timer, unitsBought: 0 };
      this.waiters.push(waiter);
    });
    this.start();
    return { end, cancel: () => waiter !== undefined && this.remove(waiter) };
  }

  buyAhead(caller: Caller): void {
    if (this.options.clock() < this.notBeforeMs) return;
    this.ahead = caller;
    this.start();
  }

  private start(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    void this.run();
  }

  private async run(): Promise<void> {
    try {
      while (this.waiters.length > 0 || this.ahead !== undefined) await this.step();
    } catch (error) {
      this.options.telemetry.fault('inference.replenisher', error);
      this.refuse([...this.waiters], gridError('internal_error'));
      this.ahead = undefined;
    } finally {
      this.isRunning = false;
      if (this.backOffMs === 0) this.onIdle();
    }
  }

  private async step(): Promise<void> {
    this.admitInOrder();
    if (this.waiters.length > 0) await this.buyForWaiters();
    else if (this.ahead !== undefined) await this.buyForLater(this.ahead);
  }

  /** In arrival order; the first that does not fit keeps its place in front of all later ones. */
  private admitInOrder(): void {
    for (;;) {
      const first = this.waiters[0];
      if (first === undefined || !first.request.admit()) return;
      this.remove(first);
      first.resolve({ ok: true, unitsBought: first.unitsBought });
    }
  }

  private async buyForWaiters(): Promise<void> {
    this.refuseAboveOwnCeiling();
    const served = [...this.waiters];
    const first = served[0];
    if (first === undefined) return;
    const { exchange, earmarks } = this.options.sequencer;
    const { caller } = first.request;
    const needed = served.reduce((sum, { request }) => sum + request.neededTokens, 0);
    const decision = purchaseTerms(exchange, {
      caller,
      instrumentNo: this.instrumentNo,
      deficitTokens: needed - earmarks.freeTokens(caller.accountNumber, this.instrumentNo),
      requestCeilingTicks: lowestCeiling(served),
    });
    if (!decision.ok) return this.refuse(served, decision.error);
    const bought = await this.buy(caller, decision.terms);
    if (!bought.ok) return this.refuse(served, bought.error);
    for (const waiter of served) waiter.unitsBought += bought.unitsBought;
    if (bought.unitsBought === 0) this.refuse(served, gridError('no_capacity'));
  }

  private refuseAboveOwnCeiling(): void {
    const best = this.options.sequencer.exchange.bestTicks(this.instrumentNo, 'sell');
    if (best === undefined) return;
    const priced = this.waiters.filter(({ request }) => best > (request.maxPriceTicks ?? best));
    this.refuse(priced, gridError('spend_limit_reached'));
  }

  private async buyForLater(caller: Caller): Promise<void> {
    this.ahead = undefined;
    const need = { caller, instrumentNo: this.instrumentNo, deficitTokens: 0, requestCeilingTicks: null };
    const decision = purchaseTerms(this.options.sequencer.exchange, need);
    const bought = decision.ok ? await this.buy(caller, decision.terms) : decision;
    const isBought = bought.ok && bought.unitsBought > 0;
    const { first, longest } = this.options.settings.backOffMs;
    this.backOffMs = isBought ? 0 : Math.min(longest, Math.max(first, this.backOffMs * 2));
    this.notBeforeMs = this.options.clock() + this.backOffMs;
  }

  private async buy(caller: Caller, terms: PurchaseTerms): Promise<PurchaseEnd> {
    try {
      const outcome = await this.options.sequencer.submit({
        kind: 'place_order',
        account: caller.accountNumber,
        instrument: this.instrumentNo,
        side: 'buy',
        type: 'market',
        quantityUnits: terms.units,
        priceTicks: terms.ownCeilingTicks,
        timeInForce: 'ioc',
        autotransfer: true,
        origin: 'auto_buy',
        easyMode: caller.mode === 'easy',
      });
      if (!outcome.ok) return { ok: false, error: refusalError(outcome.code) };
      const events = outcome.outcome.events;
      const order = events.find((event) => event.type === 'order' && event.order === outcome.outcome.order);
      return { ok: true, unitsBought: order?.type === 'order' ? order.filledUnits : 0 };
    } catch (error) {
      return { ok: false, error: engineError(error) };
    }
  }

  private refuse(waiters: readonly Waiter[], error: GridError): void {
    for (const waiter of waiters) {
      // One that left or was served meanwhile has had its answer.
      if (this.remove(waiter)) waiter.resolve({ ok: false, error });
    }
  }

  private remove(waiter: Waiter): boolean {
    const index = this.waiters.indexOf(waiter);
    if (index === -1) return false;
    clearTimeout(waiter.timer);
    this.waiters.splice(index, 1);
    return true;
  }
}

function lowestCeiling(waiters: readonly Waiter[]): number | null {
  const ceilings = waiters.map(({ request }) => request.maxPriceTicks).filter((ticks) => ticks !== null);
  return ceilings.length === 0 ? null : Math.min(...ceilings);
}

function refusalError(code: string): GridError {
  if (code === 'insufficient_balance') return gridError('insufficient_credits');
  return gridError(code === 'account_suspended' ? 'account_suspended' : 'no_capacity');
}

/** What the buyer is told when the exchange did not take a command. */
export function engineError(error: unknown): GridError {
  if (error instanceof EngineUnavailable) return gridError('engine_unavailable');
  return gridError(error instanceof EngineOverloaded ? 'overloaded' : 'internal_error');
}
