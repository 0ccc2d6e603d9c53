import type { ErrorCode } from '@opengrid/wire';
import { randomHex } from '../../ids.ts';
import type { Instrument } from '../../ports/catalogue.ts';
import type { Caller } from '../../ports/identity.ts';
import type { LiveHold } from '../admission/hold.ts';
import type { RoutingGrant, RoutingTokens } from './routing-tokens.ts';

/** A request that was admitted and sent on, waiting for its client to come back. Nothing of its body is here. */
export interface ParkedCall {
  readonly grant: RoutingGrant;
  readonly createdAtMs: number;
  readonly caller: Caller;
  readonly instrument: Instrument;
  readonly hold: LiveHold;
  readonly isStream: boolean;
  readonly unitsBought: number;
}

interface Place {
  readonly call: ParkedCall;
  isClaimed: boolean;
  expiresAtMs: number;
  /** What the last second hop was told, if one failed. */
  lastError: ErrorCode | null;
  timer: NodeJS.Timeout;
}

export interface ParkedCallsOptions {
  readonly tokens: RoutingTokens;
  /** How long a token is good for, from the first hop or from the last second one that found nobody to serve it. */
  readonly lifetimeMs: number;
  readonly clock: () => number;
  /** The client did not come back. Called once for such a request, with what it was told last. */
  readonly onAbandoned: (call: ParkedCall, lastError: ErrorCode | null) => void;
}

/** Requests between their two hops. A token is claimed by one second hop at a time, and used up by the first content. */
export class ParkedCalls {
  private readonly options: ParkedCallsOptions;
  private readonly places = new Map<string, Place>();

  constructor(options: ParkedCallsOptions) {
    this.options = options;
  }

  get size(): number {
    return this.places.size;
  }

  /** @returns the routing token. */
  park(call: Omit<ParkedCall, 'grant'>, grant: Omit<RoutingGrant, 'holdId'>): string {
    const holdId = randomHex(32);
    const parked: ParkedCall = { ...call, grant: { ...grant, holdId } };
    const expiresAtMs = this.options.clock() + this.options.lifetimeMs;
    const timer = this.expiry(holdId, expiresAtMs);
    this.places.set(holdId, { call: parked, isClaimed: false, expiresAtMs, lastError: null, timer });
    return this.options.tokens.sign(parked.grant);
  }

  /** The request behind a genuine token that nobody has claimed yet, whatever it is shown for. */
  peek(token: string): ParkedCall | undefined {
    const grant = this.options.tokens.read(token);
    const place = grant === undefined ? undefined : this.places.get(grant.holdId);
    return place?.isClaimed === false ? place.call : undefined;
  }

  /** The request behind a token; undefined when it is forged, expired, claimed, used up, or was for something else. */
  claim(token: string, hop: { method: string; path: string; bodyBytes: number }): ParkedCall | undefined {
    const call = this.peek(token);
    const place = call === undefined ? undefined : this.places.get(call.grant.holdId);
    if (place === undefined) return undefined;
    const { method, path, bodyBytes } = place.call.grant;
    if (hop.method !== method || hop.path !== path || hop.bodyBytes !== bodyBytes) return undefined;
    place.isClaimed = true;
    clearTimeout(place.timer);
    return place.call;
  }

  /** No supplier served the second hop: the client may repeat it, and has the whole time to do so. */
  renew(call: ParkedCall, lastError: ErrorCode): void {
    const place = this.places.get(call.grant.holdId);
    if (place === undefined) return;
    place.lastError = lastError;
    place.expiresAtMs = this.options.clock() + this.options.lifetimeMs;
    this.unclaim(call);
  }

  /** The second hop was not what the token is for: a right one may still come in the time that is left. */
  unclaim({ grant }: ParkedCall): void {
    const place = this.places.get(grant.holdId);
    if (place === undefined) return;
    place.isClaimed = false;
    place.timer = this.expiry(grant.holdId, place.expiresAtMs);
  }

  /** The request has its answer, or its end: the token is worth nothing any more. */
  consume({ grant }: ParkedCall): void {
    const place = this.places.get(grant.holdId);
    if (place !== undefined) clearTimeout(place.timer);
    this.places.delete(grant.holdId);
  }

  /** Ends what nobody has claimed: the program stops. */
  abandonAll(): void {
    for (const [holdId, place] of [...this.places]) if (!place.isClaimed) this.abandon(holdId);
  }

  private expiry(holdId: string, expiresAtMs: number): NodeJS.Timeout {
    const leftMs = Math.max(0, expiresAtMs - this.options.clock());
    return setTimeout(() => this.abandon(holdId), leftMs).unref();
  }

  private abandon(holdId: string): void {
    const place = this.places.get(holdId);
    if (place === undefined || place.isClaimed) return;
    this.places.delete(holdId);
    clearTimeout(place.timer);
    this.options.onAbandoned(place.call, place.lastError);
  }
}
