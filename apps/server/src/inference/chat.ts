import type { IncomingHttpHeaders } from 'node:http';
import { TOKENS_PER_UNIT } from '@opengrid/exchange';
import { doneEvent, errorEvent, type GridError, gridError, httpStatusOf } from '@opengrid/wire';
import { openContent } from '@opengrid/wire/content';
import type { Caller } from '../ports/identity.ts';
import { type HoldPlan, LiveHold, planHold } from './admission/hold.ts';
import { buysAutomatically, purchaseTerms } from './admission/purchase-terms.ts';
import { type ReadRequest, readRequest } from './admission/read-request.ts';
import type { PurchaseEnd, Replenisher, WaitingPurchase } from './admission/replenisher.ts';
import type { Call } from './call.ts';
import type { Buyer } from './delivery/buyer.ts';
import { Delivery, type DeliveryDeps } from './delivery/delivery.ts';
import { HoldGuard } from './delivery/hold-guard.ts';
import type { InferenceDeps } from './deps.ts';
import type { GridContext } from './http/context.ts';
import { errorResponse } from './http/errors.ts';
import type { HangUpLimiter } from './limits/hang-ups.ts';
import type { ExactCounter } from './metering/exact-counter.ts';
import { type Settled, type SettlementSubject, settleRequest } from './metering/settlement.ts';
import type { RecentlyServed } from './models/recently-served.ts';
import type { PendingReceipts } from './receipts/pending.ts';
import { eligibleEndpoints, type Route, type Router } from './routing/route.ts';
import { strictRequestError, takesAllParams } from './routing/upstream-body.ts';
import { Terminal } from './terminal.ts';

export interface ChatServiceDeps extends InferenceDeps, DeliveryDeps {
  readonly clock: () => number;
  readonly replenisher: Replenisher;
  readonly router: Router;
  readonly counter: ExactCounter;
  readonly pending: PendingReceipts;
  readonly hangUps: HangUpLimiter;
  readonly recentlyServed: RecentlyServed;
}

/** An inference request as it came in, with who sent it and where the answer goes. */
export interface Incoming {
  readonly context: GridContext;
  readonly caller: Caller;
  readonly route: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
  readonly buyer: Buyer;
}

type Admission =
  | { readonly ok: true; readonly hold: LiveHold; readonly unitsBought: number }
  | { readonly ok: false; readonly error: GridError };

/** The life of a chat completion: read, admitted, routed, delivered, settled, answered. */
export class ChatService {
  private readonly deps: ChatServiceDeps;
  private readonly running = new Set<Delivery>();

  constructor(deps: ChatServiceDeps) {
    this.deps = deps;
  }

  /** Answers a request. Everything that can go wrong has been answered when this resolves. */
  async serve(incoming: Incoming): Promise<void> {
    try {
      const error = await this.tryToServe(incoming);
      if (error !== undefined) fail(incoming, error);
    } catch (error) {
      this.deps.telemetry.fault('inference.chat', error);
      fail(incoming, gridError('internal_error'));
    }
  }

  /** Cuts everything that still runs. It is settled, unbilled, like any other fault of the exchange. */
  cutAll(): void {
    for (const delivery of this.running) delivery.stop('gateway_error');
  }

  private async tryToServe(incoming: Incoming): Promise<GridError | undefined> {
    const { caller } = incoming;
    // What could not be settled must not be asked of a supplier.
    if (!this.deps.sequencer.status.isAccepting) return gridError('engine_unavailable');
    const read = readRequest(incoming, caller, this.deps.instruments);
    if (!read.ok) return read.error;
    const { request, instrument } = read.value;
    const endpoints = this.deps.suppliers.endpointsFor(instrument.instrumentNo);
    const eligible = eligibleEndpoints(endpoints, {
      needs: request.needs,
      allowedRegions: caller.allowedRegions,
    });
    if (!eligible.ok) return eligible.error;
    const strictError = strictRequestError(request, eligible.endpoints);
    if (strictError !== undefined) return strictError;
    const maxOutput = request.maxOutputTokens ?? instrument.specification.maxOutputTokens;
    const outputTokens = maxOutput * request.choiceCount;
    const plan = planHold({ inputTokens: read.value.inputTokens, outputTokens }, this.deps.settings);
    const admission = await this.admit(incoming, read.value, plan);
    if (admission === undefined) return undefined;
    if (!admission.ok) return admission.error;
    try {
      const call = this.newCall(incoming, read.value, { plan, ...admission });
      return await this.routeAndRun(incoming, call, admission.unitsBought);
    } finally {
      // Empty by now, unless something broke on the way.
      admission.hold.close(0);
    }
  }

  private async admit(incoming: Incoming, read: ReadRequest, plan: HoldPlan): Promise<Admission | undefined> {
    const { caller } = incoming;
    const { earmarks } = this.deps.sequencer;
    const { instrumentNo } = read.instrument;
    const owner = { account: caller.accountNumber, instrument: instrumentNo };
    const isOthersTurn = this.deps.replenisher.isWaitedFor(owner.account, instrumentNo);
    const hold = isOthersTurn ? undefined : LiveHold.open(earmarks, owner, plan);
    if (hold !== undefined) return { ok: true, hold, unitsBought: 0 };
    if (buysAutomatically(caller)) return await this.buyIn(incoming, read, plan);
    const available = earmarks.freeTokens(owner.account, instrumentNo);
    const context = { required: plan.neededTokens, available };
    return { ok: false, error: gridError('insufficient_balance', { context }) };
  }

  /** Joins a purchase. Undefined: the buyer left meanwhile. */
  private async buyIn(incoming: Incoming, read: ReadRequest, plan: HoldPlan): Promise<Admission | undefined> {
    const { caller, buyer } = incoming;
    const { instrumentNo } = read.instrument;
    const owner = { account: caller.accountNumber, instrument: instrumentNo };
    // A property, since the line may fill it before or after this function goes on.
    const admitted: { hold?: LiveHold | undefined } = {};
    const end = await this.waitFor(buyer, () =>
      this.deps.replenisher.join({
        caller,
        instrumentNo,
        neededTokens: plan.neededTokens,
        maxPriceTicks: read.maxPriceTicks,
        admit: () => {
          admitted.hold = LiveHold.open(this.deps.sequencer.earmarks, owner, plan);
          return admitted.hold !== undefined;
        },
      }),
    );
    if (end === undefined) admitted.hold?.close(0);
    if (end === undefined || !end.ok) return end;
    return admitted.hold === undefined
      ? { ok: false, error: gridError('internal_error') }
      : { ok: true, hold: admitted.hold, unitsBought: end.unitsBought };
  }

  private async waitFor(buyer: Buyer, join: () => WaitingPurchase): Promise<PurchaseEnd | undefined> {
    return await new Promise((resolve) => {
      const waiting = join();
      void waiting.end.then(resolve);
      buyer.onGone = () => {
        waiting.cancel();
        resolve(undefined);
      };
      if (buyer.isGone) buyer.onGone();
    });
  }

  private newCall(
    incoming: Incoming,
    read: ReadRequest,
    admitted: { plan: HoldPlan; hold: LiveHold; unitsBought: number },
  ): Call {
    const { context, caller, buyer } = incoming;
    const { plan, hold, unitsBought } = admitted;
    const limit = this.outputLimit(caller, read, admitted);
    return {
      requestId: context.requestId,
      createdAtMs: context.receivedAtMs,
      route: incoming.route,
      caller,
      instrument: read.instrument,
      request: read.request,
      plan,
      hold,
      outputLimit: limit ?? read.request.maxOutputTokens,
      maxPriceTicks: read.maxPriceTicks,
      buyer,
      terminal: new Terminal(),
      headers: {
        ...context.headers,
        ...read.headers,
        ...(limit === undefined ? {} : { 'x-grid-output-limit': String(limit) }),
        ...(unitsBought === 0 ? {} : { 'x-grid-units-bought': String(unitsBought) }),
      },
    };
  }

  /** What the whole balance could pay, if that is less than was asked for and the rest cannot be bought. */
  private outputLimit(
    caller: Caller,
    read: ReadRequest,
    { plan, hold }: { plan: HoldPlan; hold: LiveHold },
  ): number | undefined {
    const { request } = read;
    const free = hold.tokens + hold.freeTokens - plan.inputTokens;
    const missing = plan.outputTokens - free;
    if (missing <= 0) return undefined;
    // A stream buys, or ends, when it gets there. An answer in one piece cannot: it is told beforehand.
    if (buysAutomatically(caller) && request.stream) return undefined;
    const payable = free + this.purchasableTokens(caller, read, missing);
    if (payable >= plan.outputTokens) return undefined;
    return Math.max(1, Math.floor(payable / request.choiceCount));
  }

  private purchasableTokens(caller: Caller, read: ReadRequest, deficitTokens: number): number {
    if (!buysAutomatically(caller)) return 0;
    const { instrumentNo } = read.instrument;
    const need = { caller, instrumentNo, deficitTokens, requestCeilingTicks: read.maxPriceTicks };
    const decision = purchaseTerms(this.deps.sequencer.exchange, need);
    return decision.ok ? decision.terms.units * TOKENS_PER_UNIT : 0;
  }

  private async routeAndRun(
    incoming: Incoming,
    call: Call,
    unitsBought: number,
  ): Promise<GridError | undefined> {
    const { exchange } = this.deps.sequencer;
    const obligors = new Set([...call.hold.lots].map((lot) => exchange.issuerOfLot(lot) ?? 0));
    const routing = this.deps.router.route(this.deps.suppliers.endpointsFor(call.instrument.instrumentNo), {
      instrumentNo: call.instrument.instrumentNo,
      needs: call.request.needs,
      accepts: (endpoint) => takesAllParams(call.request, endpoint),
      allowedRegions: call.caller.allowedRegions,
      obligors: [...obligors],
      nowMs: this.deps.clock(),
    });
    if (!routing.ok) return routing.error;
    await this.run(incoming, call, { route: routing.route, unitsBought });
    return undefined;
  }

  private async run(
    incoming: Incoming,
    call: Call,
    { route, unitsBought }: { route: Route; unitsBought: number },
  ): Promise<void> {
    const guard = this.newGuard(call);
    const delivery = new Delivery({ call, route, guard, deps: this.deps });
    this.deps.pending.add(call);
    this.running.add(delivery);
    const { unableObligors } = route;
    const settled = await this.deliverAndSettle({ call, delivery, guard, unableObligors }).finally(() => {
      this.running.delete(delivery);
      this.deps.pending.remove(call);
    });
    this.answer({ incoming, call, delivery }, settled, unitsBought + guard.unitsBought);
    this.afterwards(call, delivery, settled);
  }

  private async deliverAndSettle(subject: SettlementSubject): Promise<Settled> {
    const { delivery } = subject;
    try {
      await delivery.run();
    } catch (error) {
      // Whatever broke here, what is held must be given back and the end recorded.
      this.deps.telemetry.fault('inference.delivery', error);
      delivery.stop('gateway_error');
    }
    return await settleRequest(this.deps, subject);
  }

  private newGuard(call: Call): HoldGuard {
    const { settings, counter, replenisher } = this.deps;
    const { caller, maxPriceTicks, plan, hold } = call;
    const { instrumentNo } = call.instrument;
    const purchase = buysAutomatically(caller) ? { caller, instrumentNo, maxPriceTicks } : undefined;
    return new HoldGuard({ plan, hold, settings, counter, replenisher, purchase });
  }

  private answer(
    { incoming, call, delivery }: { incoming: Incoming; call: Call; delivery: Delivery },
    settled: Settled,
    unitsBought: number,
  ): void {
    if (settled.error !== undefined) {
      fail(incoming, settled.error);
      return;
    }
    if (settled.state === 'client_gone') return;
    const { trial } = delivery;
    if (settled.state !== 'completed' || trial === undefined) {
      fail(incoming, delivery.error);
      return;
    }
    const text = trial.answer.finalText(settled.usage);
    const bought = unitsBought === 0 ? {} : { 'x-grid-units-bought': String(unitsBought) };
    const headers = { ...trial.headers, ...bought };
    if (!call.request.stream) {
      call.buyer.sendJson(200, headers, text);
      return;
    }
    call.buyer.startStream(headers);
    call.buyer.end(openContent(text) + doneEvent());
  }

  private afterwards(call: Call, delivery: Delivery, settled: Settled): void {
    const { deps } = this;
    const { accountNumber } = call.caller;
    if (settled.state === 'client_gone' && !settled.isBilled)
      deps.hangUps.record(accountNumber, deps.clock());
    if (!settled.isBilled) return;
    const model = delivery.trial?.endpoint.servedModel;
    if (model !== undefined) deps.recentlyServed.note(call.instrument.instrumentNo, model, deps.clock());
    deps.replenisher.afterSettlement(call.caller, call.instrument.instrumentNo);
  }
}

/** Tells the buyer of an error: as an answer, or as the last event of a stream that has begun. */
function fail({ context, buyer }: Incoming, error: GridError): void {
  const { headers, body } = errorResponse(context, error);
  if (buyer.isStreaming) buyer.breakOff(errorEvent(error));
  else buyer.sendJson(httpStatusOf(error.code), headers, body);
}
