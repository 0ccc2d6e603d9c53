import type { Endpoint } from '../../ports/supply.ts';
import type { InferenceSettings } from '../settings.ts';

/** How much one more outcome moves the recent error rate. */
const ERROR_RATE_WEIGHT = 0.1;

interface Health {
  inFlight: number;
  failuresAtMs: number[];
  /** Until when the endpoint is left alone; afterwards one request at a time tries it until it succeeds. */
  openUntilMs: number;
  isProbed: boolean;
  errorRate: number;
  /** Requests it takes at once, as its refusals have taught; never above what it declares. */
  learnedLimit: number;
  /** Until when it asked to be left alone. */
  restsUntilMs: number;
}

/** What a try says about an endpoint. `neutral` is for ends that say nothing, such as a client that left. */
export type TryOutcome =
  | 'success'
  | 'failure'
  | 'neutral'
  | { readonly kind: 'overloaded'; readonly restMs: number };

/** A refusal for load takes this share of the limit away; each success gives a little back. */
const LIMIT_SHARE_KEPT = 0.7;

/** What keeps an endpoint from being asked. */
export type Unfitness = 'busy' | 'circuit_open';

/** What is known of the endpoints from the requests of this process: load, failures, circuit breakers. */
export class EndpointHealth {
  private readonly circuit: InferenceSettings['circuit'];
  private readonly states = new Map<string, Health>();

  constructor(circuit: InferenceSettings['circuit']) {
    this.circuit = circuit;
  }

  unfitness(endpoint: Endpoint, nowMs: number): Unfitness | undefined {
    const state = this.states.get(endpoint.endpointId);
    if (state === undefined) return undefined;
    if (state.openUntilMs > nowMs || (state.openUntilMs > 0 && state.isProbed)) return 'circuit_open';
    const limit = Math.min(endpoint.maxConcurrency, Math.floor(state.learnedLimit));
    return state.restsUntilMs > nowMs || state.inFlight >= limit ? 'busy' : undefined;
  }

  inFlight(endpoint: Endpoint): number {
    return this.states.get(endpoint.endpointId)?.inFlight ?? 0;
  }

  errorRate(endpoint: Endpoint): number {
    return this.states.get(endpoint.endpointId)?.errorRate ?? 0;
  }

  /** A request goes out. Balance it with one of the two below. */
  start(endpoint: Endpoint): void {
    const state = this.state(endpoint);
    state.inFlight += 1;
    if (state.openUntilMs > 0) state.isProbed = true;
  }

  end(endpoint: Endpoint, outcome: TryOutcome, nowMs: number): void {
    const state = this.state(endpoint);
    const inFlight = state.inFlight;
    state.inFlight -= 1;
    state.isProbed = false;
    if (outcome === 'neutral') return;
    if (typeof outcome === 'object') {
      this.slowDown(state, { inFlight, restMs: outcome.restMs, nowMs });
      return;
    }
    const isFailure = outcome === 'failure';
    state.errorRate += ERROR_RATE_WEIGHT * ((isFailure ? 1 : 0) - state.errorRate);
    if (isFailure) this.fail(state, nowMs);
    else if (state.openUntilMs > 0) this.close(state);
    // Back by one for as many successes as the limit is high.
    if (!isFailure)
      state.learnedLimit = Math.min(endpoint.maxConcurrency, state.learnedLimit + 1 / state.learnedLimit);
  }

  /** Too many at once is no fault: it is asked less, and not before the time it named. */
  private slowDown(state: Health, load: { inFlight: number; restMs: number; nowMs: number }): void {
    state.learnedLimit = Math.max(1, Math.min(state.learnedLimit, load.inFlight) * LIMIT_SHARE_KEPT);
    state.restsUntilMs = Math.max(state.restsUntilMs, load.nowMs + load.restMs);
  }

  /** The one request that tried a broken endpoint succeeded. */
  private close(state: Health): void {
    state.openUntilMs = 0;
    state.failuresAtMs = [];
  }

  private fail(state: Health, nowMs: number): void {
    const { failures, windowMs } = this.circuit;
    state.failuresAtMs = [...state.failuresAtMs.filter((atMs) => atMs > nowMs - windowMs), nowMs];
    const isHalfOpen = state.openUntilMs > 0;
    if (isHalfOpen || state.failuresAtMs.length >= failures) state.openUntilMs = nowMs + windowMs;
  }

  private state(endpoint: Endpoint): Health {
    let state = this.states.get(endpoint.endpointId);
    if (state === undefined) {
      state = {
        inFlight: 0,
        failuresAtMs: [],
        openUntilMs: 0,
        isProbed: false,
        errorRate: 0,
        learnedLimit: endpoint.maxConcurrency,
        restsUntilMs: 0,
      };
      this.states.set(endpoint.endpointId, state);
    }
    return state;
  }
}
