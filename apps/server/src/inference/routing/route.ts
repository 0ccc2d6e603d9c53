import type { Exchange } from '@opengrid/exchange';
import { type GridError, gridError, type RequestNeeds } from '@opengrid/wire';
import type { Endpoint } from '../../ports/supply.ts';
import { canServe, eligibleEndpoints, isInRegion } from './eligibility.ts';
import type { EndpointHealth } from './endpoint-health.ts';

/** What decides who may serve a request. */
export interface RouteRequest {
  readonly instrumentNo: number;
  readonly needs: RequestNeeds;
  /** Whether an endpoint that meets the needs may be asked; absent: all may. */
  readonly accepts?: (endpoint: Endpoint) => boolean;
  /** Region codes; null = any. */
  readonly allowedRegions: readonly string[] | null;
  /** Accounts that owe the earmarked units, in drawing order. */
  readonly obligors: readonly number[];
  readonly nowMs: number;
}

export interface Route {
  /** In the order in which they are asked. */
  readonly candidates: readonly Endpoint[];
  /** Obligors that could not be asked for a reason of their own: broken, excluded, suspended. Load and region are none. */
  readonly unableObligors: readonly number[];
}

export type Routing =
  | { readonly ok: true; readonly route: Route }
  | { readonly ok: false; readonly error: GridError };

/** Chooses who is asked for an answer, in order (suppliers owing the units, substitutes, the managed supplier). */
export class Router {
  private readonly exchange: Exchange;
  private readonly health: EndpointHealth;

  constructor(exchange: Exchange, health: EndpointHealth) {
    this.exchange = exchange;
    this.health = health;
  }

  route(all: readonly Endpoint[], request: RouteRequest): Routing {
    const eligible = eligibleEndpoints(all, request);
    if (!eligible.ok) return eligible;
    const fit = eligible.endpoints.filter(
      (endpoint) =>
        request.accepts?.(endpoint) !== false && this.health.unfitness(endpoint, request.nowMs) === undefined,
    );
    const candidates = this.order(fit, request);
    if (candidates.length === 0) return { ok: false, error: gridError('no_capacity') };
    const unableObligors = request.obligors.filter((account) => this.isUnable(account, all, request));
    return { ok: true, route: { candidates, unableObligors } };
  }

  private order(fit: readonly Endpoint[], request: RouteRequest): readonly Endpoint[] {
    const owing = request.obligors.flatMap((account) =>
      fit.filter(({ supplierAccount }) => supplierAccount === account).sort(this.byHealth),
    );
    const others = fit.filter(({ supplierAccount }) => !request.obligors.includes(supplierAccount));
    const substitutes = others.filter(({ isManaged, substitution }) => !isManaged && substitution.isAccepted);
    const managed = others.filter(({ isManaged }) => isManaged);
    return [...owing, ...this.byPrice(substitutes, request.instrumentNo), ...managed.sort(this.byHealth)];
  }

  private readonly byHealth = (a: Endpoint, b: Endpoint): number =>
    this.health.errorRate(a) - this.health.errorRate(b) || this.health.inFlight(a) - this.health.inFlight(b);

  /** Cheapest first. Who asks more than a substitute may be paid comes last and is offered the escrow price. */
  private byPrice(substitutes: readonly Endpoint[], instrumentNo: number): readonly Endpoint[] {
    if (substitutes.length < 2) return substitutes;
    const vwap = this.exchange.vwap24hTicks(instrumentNo) ?? 0;
    const cap = this.exchange.substituteCapTicks(instrumentNo) ?? Number.POSITIVE_INFINITY;
    const priceOf = ({ substitution }: Endpoint) => {
      const ticks = substitution.priceTicks ?? vwap;
      return ticks > cap ? Number.POSITIVE_INFINITY : ticks;
    };
    const compare = (a: Endpoint, b: Endpoint) => {
      const [left, right] = [priceOf(a), priceOf(b)];
      return left === right ? this.byHealth(a, b) : left - right;
    };
    return [...substitutes].sort(compare);
  }

  private isUnable(account: number, all: readonly Endpoint[], request: RouteRequest): boolean {
    const own = all.filter(({ supplierAccount }) => supplierAccount === account);
    const near = own.filter((endpoint) => isInRegion(endpoint, request.allowedRegions));
    if (own.length > 0 && near.length === 0) return false;
    const able = near.filter(
      (endpoint) => canServe(endpoint, request.needs) && request.accepts?.(endpoint) !== false,
    );
    return able.every((endpoint) => this.health.unfitness(endpoint, request.nowMs) === 'circuit_open');
  }
}
