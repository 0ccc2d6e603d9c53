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
}

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
    return state.inFlight >= endpoint.maxConcurrency ? 'busy' : undefined;
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

  /** `neutral` is for ends that say nothing about the endpoint, such as a client that left. */
  end(endpoint: Endpoint, outcome: 'success' | 'failure' | 'neutral', nowMs: number): void {
    const state = this.state(endpoint);
    state.inFlight -= 1;
    state.isProbed = false;
    if (outcome === 'neutral') return;
    const isFailure = outcome === 'failure';
    state.errorRate += ERROR_RATE_WEIGHT * ((isFailure ? 1 : 0) - state.errorRate);
    if (isFailure) this.fail(state, nowMs);
    else if (state.openUntilMs > 0) this.close(state);
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
      state = { inFlight: 0, failuresAtMs: [], openUntilMs: 0, isProbed: false, errorRate: 0 };
      this.states.set(endpoint.endpointId, state);
    }
    return state;
  }
}
