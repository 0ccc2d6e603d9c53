import { type GridError, gridError, httpStatusOf, type Result, totalTokensOf } from '@opengrid/wire';
import { openContent } from '@opengrid/wire/content';
import type { Caller } from '../ports/identity.ts';
import { Admitter } from './admission/admitter.ts';
import { type HoldPlan, type LiveHold, planHold } from './admission/hold.ts';
import { buysAutomatically } from './admission/purchase-terms.ts';
import { type ReadRequest, readRequest } from './admission/read-request.ts';
import type { Replenisher } from './admission/replenisher.ts';
import type { Call } from './call.ts';
import { Delivery, type DeliveryDeps } from './delivery/delivery.ts';
import { HoldGuard } from './delivery/hold-guard.ts';
import type { InferenceDeps } from './deps.ts';
import { anthropicHeadersOf, fail, type Incoming } from './incoming.ts';
import type { HangUpLimiter } from './limits/hang-ups.ts';
import type { KeyTokens } from './limits/key-tokens.ts';
import type { ExactCounter } from './metering/exact-counter.ts';
import { type Settled, settleRequest } from './metering/settlement.ts';
import type { UsageDrift } from './metering/usage-drift.ts';
import type { RecentlyServed } from './models/recently-served.ts';
import type { PendingReceipts } from './receipts/pending.ts';
import type { ParkedCall, ParkedCalls } from './redirect/parked-calls.ts';
import { routingModeOf } from './redirect/routing-mode.ts';
import { eligibleEndpoints } from './routing/eligibility.ts';
import type { Route, Router, Routing } from './routing/route.ts';
import { strictRequestError, takesAllParams } from './routing/upstream-body.ts';
import { Terminal } from './terminal.ts';

export interface ServiceDeps extends InferenceDeps, DeliveryDeps {
  readonly clock: () => number;
  readonly replenisher: Replenisher;
  readonly router: Router;
  readonly counter: ExactCounter;
  readonly drift: UsageDrift;
  readonly pending: PendingReceipts;
  readonly hangUps: HangUpLimiter;
  readonly keyTokens: KeyTokens;
  readonly recentlyServed: RecentlyServed;
  readonly parked: ParkedCalls;
}

/** A request that the exchange could serve, and how much it may take. */
interface Checked {
  readonly read: ReadRequest;
  readonly plan: HoldPlan;
}

/** What a request was given. */
interface Seat {
  readonly plan: HoldPlan;
  readonly hold: LiveHold;
  readonly unitsBought: number;
}

/** Errors after which the second hop may be repeated: no supplier served it. */
const REPEATABLE: ReadonlySet<number> = new Set([502, 503, 504]);

/** The life of an inference request: read, admitted, routed, delivered, settled, answered. */
export class InferenceService {
  private readonly deps: ServiceDeps;
  private readonly admitter: Admitter;
  private readonly running = new Set<Delivery>();

  constructor(deps: ServiceDeps) {
    this.deps = deps;
    this.admitter = new Admitter(deps);
  }

  /** Answers a request. Everything that can go wrong has been answered when this resolves. */
  async serve(incoming: Incoming): Promise<void> {
    try {
      const error = await this.tryToServe(incoming);
      if (error !== undefined) fail(incoming, error);
    } catch (error) {
      this.deps.telemetry.fault('inference.service', error);
      fail(incoming, gridError('internal_error'));
    }
  }

  /** Cuts everything that still runs. It is settled, unbilled, like any other fault of the exchange. */
  cutAll(): void {
    for (const delivery of this.running) delivery.stop('gateway_error');
  }

  /** Answers the second hop of a request that was sent on. What it was given at the first hop is used, or stays. */
  async serveParked(incoming: Incoming, parked: ParkedCall): Promise<void> {
    try {
      const error = await this.tryParked(incoming, parked);
      if (error === undefined) return;
      if (REPEATABLE.has(httpStatusOf(error.code))) this.deps.parked.renew(parked, error.code);
      else this.deps.parked.unclaim(parked);
      fail(incoming, error);
    } catch (error) {
      this.deps.telemetry.fault('inference.service', error);
      this.deps.parked.consume(parked);
      this.deps.pending.remove(parked.grant.requestId);
      parked.hold.close(0);
      fail(incoming, gridError('internal_error'));
    }
  }

  private async tryToServe(incoming: Incoming): Promise<GridError | undefined> {
    const checked = this.check(incoming);
    if (!checked.ok) return checked.error;
    const { read, plan } = checked.value;
    const { caller, buyer, headers, dialect } = incoming;
    const isStream = read.request.stream;
    const mode = routingModeOf(
      { headers, dialect, isStream },
      caller.routingMode,
      this.deps.settings.routingMode,
    );
    if (!mode.ok) return mode.error;
    const limited = await this.withinKeyLimit(caller, plan);
    if (!limited.ok) return limited.error;
    const admission = await this.admitter.admit({ caller, buyer, read }, limited.value);
    if (admission === undefined) return undefined;
    if (!admission.ok) return admission.error;
    const seat = { plan: limited.value, ...admission };
    if (!this.deps.keyTokens.track(caller, seat.hold)) {
      seat.hold.close(0);
      return keyLimitReached(0);
    }
    seat.hold.boundBy(() => this.deps.keyTokens.spare(caller));
    if (mode.value === 'redirect') return this.sendOn(incoming, read, seat);
    try {
      return await this.routeAndRun(incoming, this.newCall(incoming, read, seat), seat.unitsBought);
    } finally {
      // Empty by now, unless something broke on the way.
      seat.hold.close(0);
    }
  }

  /** Whether the exchange could serve a request at a quiet hour, asked before anything is held or bought. */
  private check(incoming: Incoming): Result<Checked> {
    const { caller } = incoming;
    // What could not be settled must not be asked of a supplier.
    if (!this.deps.sequencer.status.isAccepting) return { ok: false, error: gridError('engine_unavailable') };
    const read = readRequest(incoming, caller, this.deps.instruments);
    if (!read.ok) return read;
    const { request, instrument, inputTokens } = read.value;
    const endpoints = this.deps.suppliers.endpointsFor(instrument.instrumentNo);
    const { allowedRegions } = caller;
    const eligible = eligibleEndpoints(endpoints, { needs: request.needs, allowedRegions });
    if (!eligible.ok) return eligible;
    const strictError = strictRequestError(request, eligible.endpoints);
    if (strictError !== undefined) return { ok: false, error: strictError };
    const maxOutput = request.maxOutputTokens ?? instrument.specification.maxOutputTokens;
    const size = { inputTokens, outputTokens: maxOutput * request.choiceCount };
    return { ok: true, value: { read: read.value, plan: planHold(size, this.deps.settings) } };
  }

  /** The plan within what the key may still take this month: the output shrinks to it, the input must fit. */
  private async withinKeyLimit(caller: Caller, plan: HoldPlan): Promise<Result<HoldPlan>> {
    const left = await this.deps.keyTokens.left(caller);
    if (left === null || plan.inputTokens + plan.outputTokens <= left) return { ok: true, value: plan };
    if (plan.neededTokens <= left) {
      const size = { inputTokens: plan.inputTokens, outputTokens: left - plan.inputTokens };
      return { ok: true, value: planHold(size, this.deps.settings) };
    }
    return { ok: false, error: keyLimitReached(left) };
  }

  /** Keeps what the request was given and sends its client to the gateway, where it sends the same body again. */
  private sendOn(incoming: Incoming, read: ReadRequest, seat: Seat): GridError | undefined {
    const { context, caller, buyer } = incoming;
    const routing = this.routeFor(incoming, read, seat.hold);
    if (!routing.ok) {
      seat.hold.close(0);
      return routing.error;
    }
    const { requestId, receivedAtMs: createdAtMs } = context;
    const { instrument } = read;
    const { hold, unitsBought } = seat;
    const isStream = read.request.stream;
    const token = this.deps.parked.park(
      { createdAtMs, caller, instrument, hold, isStream, unitsBought },
      {
        requestId,
        accountNumber: caller.accountNumber,
        keyId: caller.keyId,
        instrumentNo: instrument.instrumentNo,
        method: 'POST',
        path: incoming.route,
        bodyBytes: incoming.body.length,
        endpointId: routing.route.candidates[0]?.endpointId ?? '',
      },
    );
    const { route } = incoming;
    this.deps.pending.add({
      requestId,
      createdAtMs,
      route,
      caller,
      instrument,
      request: { stream: isStream },
    });
    buyer.redirect(`${incoming.gatewayUrl}${route}?token=${token}`, { ...context.headers, ...read.headers });
    return undefined;
  }

  private async tryParked(incoming: Incoming, parked: ParkedCall): Promise<GridError | undefined> {
    const checked = this.check(incoming);
    if (!checked.ok) return checked.error;
    const { read, plan } = checked.value;
    const { hold, unitsBought, instrument } = parked;
    if (read.instrument.instrumentNo !== instrument.instrumentNo) return gridError('routing_token_invalid');
    const missing = plan.neededTokens - hold.tokens;
    if (missing > 0 && !hold.grow(missing, missing)) {
      const context = { required: plan.neededTokens, available: hold.tokens + hold.freeTokens };
      return gridError('insufficient_balance', { context });
    }
    const call = this.newCall(incoming, read, { plan, hold, unitsBought });
    return await this.routeAndRun({ ...incoming, parked }, call, unitsBought);
  }

  /** What the answer is limited to beyond what was asked for: by the balance, or by what the key may still take. */
  private outputLimit(caller: Caller, read: ReadRequest, seat: Seat): number | undefined {
    const { request, instrument } = read;
    const asked = request.maxOutputTokens ?? instrument.specification.maxOutputTokens;
    const ofKey = Math.max(1, Math.floor(seat.plan.outputTokens / request.choiceCount));
    const ofBalance = this.admitter.outputLimit(caller, read, seat);
    return ofKey < asked ? Math.min(ofKey, ofBalance ?? ofKey) : ofBalance;
  }

  private newCall(incoming: Incoming, read: ReadRequest, seat: Seat): Call {
    const { context, caller, buyer } = incoming;
    const { plan, hold, unitsBought } = seat;
    const limit = this.outputLimit(caller, read, seat);
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
      anthropic: anthropicHeadersOf(incoming),
      headers: {
        ...context.headers,
        ...read.headers,
        ...(limit === undefined ? {} : { 'x-grid-output-limit': String(limit) }),
        ...(unitsBought === 0 ? {} : { 'x-grid-units-bought': String(unitsBought) }),
      },
    };
  }

  private routeFor(
    { caller }: Incoming,
    { request, instrument }: Pick<ReadRequest, 'request' | 'instrument'>,
    hold: LiveHold,
  ): Routing {
    const { exchange } = this.deps.sequencer;
    const obligors = new Set([...hold.lots].map((lot) => exchange.issuerOfLot(lot) ?? 0));
    return this.deps.router.route(this.deps.suppliers.endpointsFor(instrument.instrumentNo), {
      instrumentNo: instrument.instrumentNo,
      needs: request.needs,
      accepts: (endpoint) => takesAllParams(request, endpoint),
      allowedRegions: caller.allowedRegions,
      obligors: [...obligors],
      nowMs: this.deps.clock(),
    });
  }

  private async routeAndRun(
    incoming: Incoming,
    call: Call,
    unitsBought: number,
  ): Promise<GridError | undefined> {
    const { request, instrument } = call;
    const routing = this.routeFor(incoming, { request, instrument }, call.hold);
    if (!routing.ok) return routing.error;
    return await this.run(incoming, call, { route: routing.route, unitsBought });
  }

  /** @returns the error of a second hop that may be repeated. Everything else has been answered. */
  private async run(
    incoming: Incoming,
    call: Call,
    { route, unitsBought }: { route: Route; unitsBought: number },
  ): Promise<GridError | undefined> {
    const guard = this.newGuard(call);
    const delivery = new Delivery({ call, route, guard, deps: this.deps });
    this.deps.pending.add(call);
    this.running.add(delivery);
    const { unableObligors } = route;
    try {
      await this.deliver(delivery);
      const again = incoming.parked === undefined ? undefined : repeatableError(call, delivery);
      if (again !== undefined) return again;
      if (incoming.parked !== undefined) this.deps.parked.consume(incoming.parked);
      const settled = await settleRequest(this.deps, { call, delivery, guard, unableObligors });
      this.answer({ incoming, call, delivery }, settled, unitsBought + guard.unitsBought);
      this.afterwards(call, delivery, settled);
      this.deps.pending.remove(call.requestId);
      return undefined;
    } catch (error) {
      this.deps.pending.remove(call.requestId);
      throw error;
    } finally {
      this.running.delete(delivery);
    }
  }

  private async deliver(delivery: Delivery): Promise<void> {
    try {
      await delivery.run();
    } catch (error) {
      // Whatever broke here, what is held must be given back and the end recorded.
      this.deps.telemetry.fault('inference.delivery', error);
      delivery.stop('gateway_error');
    }
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
    call.buyer.end(openContent(text));
  }

  private afterwards(call: Call, delivery: Delivery, settled: Settled): void {
    const { deps } = this;
    const { accountNumber } = call.caller;
    if (settled.state === 'client_gone' && !settled.isBilled)
      deps.hangUps.record(accountNumber, deps.clock());
    if (!settled.isBilled) return;
    deps.keyTokens.bill(call.caller, totalTokensOf(settled.usage));
    const model = delivery.trial?.endpoint.servedModel;
    if (model !== undefined) deps.recentlyServed.note(call.instrument.instrumentNo, model, deps.clock());
    deps.replenisher.afterSettlement(call.caller, call.instrument.instrumentNo);
  }
}

function keyLimitReached(remaining: number): GridError {
  const message = 'The key has reached its monthly token limit.';
  return gridError('spend_limit_reached', { message, context: { remaining } });
}

/** Why nobody served a second hop, where the client may send it again: nothing has reached it yet. */
function repeatableError(call: Call, delivery: Delivery): GridError | undefined {
  const { state } = call.terminal;
  const isUnserved = state === 'supplier_error' || state === 'timeout';
  if (!isUnserved || call.buyer.isStreaming || call.buyer.isGone) return undefined;
  const { error } = delivery;
  return REPEATABLE.has(httpStatusOf(error.code)) ? error : undefined;
}
