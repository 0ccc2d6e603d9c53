/** The server's time as far as it is known: this machine's, until the server has told otherwise. */
export class ServerClock {
  #offsetMs = 0;
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  nowMs(): number {
    return this.#now() + this.#offsetMs;
  }

  nowSeconds(): number {
    return Math.floor(this.nowMs() / 1_000);
  }

  /**
   * Learns what time it is there.
   * @param serverTime ISO 8601, as in `errors.server_time`
   * @returns whether that moved the clock by a second or more, so that a signature made now differs
   */
  learn(serverTime: string | null): boolean {
    const serverMs = serverTime === null ? Number.NaN : Date.parse(serverTime);
    if (Number.isNaN(serverMs)) return false;
    const offsetMs = serverMs - this.#now();
    const hasMoved = Math.abs(offsetMs - this.#offsetMs) >= 1_000;
    if (hasMoved) this.#offsetMs = offsetMs;
    return hasMoved;
  }
}
