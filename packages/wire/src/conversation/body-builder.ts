import { Content } from '../content.ts';
import { type Effort, nearestEffort } from '../effort.ts';
import type { DialectName } from './model.ts';
import type { InferenceRequest } from './request.ts';
import { type Leavable, paramName, type Upstream, type UpstreamBody } from './upstream.ts';

/**
 * Collects the fields of a supplier's request in a fixed order, which keeps its prefix cache warm, and the
 * names of what is left out, in the words of the client's dialect.
 */
export class BodyBuilder {
  readonly request: InferenceRequest;
  readonly upstream: Upstream;
  readonly #fields = new Map<string, unknown>();
  readonly #ignored: Set<string>;

  constructor(request: InferenceRequest, upstream: Upstream) {
    this.request = request;
    this.upstream = upstream;
    this.#ignored = new Set(request.ignoredParams);
  }

  get surface(): DialectName {
    return this.request.dialect;
  }

  /** Sets a field; `undefined` sets none. */
  set(name: string, value: unknown): void {
    if (value !== undefined) this.#fields.set(name, value);
  }

  /** A field that is set, else `undefined`. */
  get(name: string): unknown {
    return this.#fields.get(name);
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  remove(name: string): void {
    this.#fields.delete(name);
  }

  /** Sets a field if the endpoint takes it, else names it as left out. */
  offer(field: Leavable, name: string, offered: { value: unknown; isOffered: boolean | undefined }): void {
    if (offered.value === undefined) return;
    if (offered.isOffered === true) this.set(name, offered.value);
    else this.leaveOut(field);
  }

  /** Names something of the client's that does not go. */
  leaveOut(field: Leavable): void {
    this.#ignored.add(paramName(this.surface, field));
  }

  /** Names something of the client's that does not go, in the client's own words. */
  leaveOutNames(names: Iterable<string>): void {
    for (const name of names) this.#ignored.add(name);
  }

  /** The offered effort nearest to the wanted one. Without any it is left out. */
  effort(): Effort | undefined {
    const wanted = this.request.effort;
    if (wanted === undefined) return undefined;
    const effort = nearestEffort(wanted, this.upstream.capabilities.efforts ?? []);
    if (effort === undefined) this.leaveOutEffort();
    return effort;
  }

  leaveOutEffort(): void {
    const { request } = this;
    if (request.dialect === 'messages' && request.isEffortFromThinking) this.#ignored.add('thinking');
    else this.leaveOut('effort');
  }

  /**
   * Fields unknown to the gateway that the operator allows for this endpoint. They add and never replace:
   * an unknown field has no name that is set above.
   */
  passThrough(unknown: ReadonlyMap<string, unknown>): void {
    for (const name of this.upstream.passThroughParams ?? []) {
      if (!unknown.has(name) || this.#fields.has(name)) continue;
      this.#fields.set(name, unknown.get(name));
      this.#ignored.delete(name);
    }
  }

  build(): UpstreamBody {
    const json = JSON.stringify(Object.fromEntries(this.#fields));
    return { json: Content.of(json), ignoredParams: [...this.#ignored] };
  }
}
