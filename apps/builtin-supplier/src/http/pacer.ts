import { setImmediate as nextTurn } from 'node:timers/promises';

// Tokens due within this time are sent at once: timers are no finer, and one timer a token would cost more
// than the token.
const EARLY_MS = 2;
// Without a pace, other requests get their turn after this many tokens.
const TOKENS_PER_TURN = 64;

/**
 * Holds a completion to a number of tokens a second. Every token is due at a time counted from the start, so
 * late timers never add up. A speed of 0 means as fast as possible.
 */
export class Pacer {
  readonly #tokensPerSecond: number;
  readonly #startMs = performance.now();
  #tokens = 0;
  #sinceTurn = 0;

  constructor(tokensPerSecond: number) {
    this.#tokensPerSecond = tokensPerSecond;
  }

  /** Counts tokens that have been produced. */
  advance(tokens: number): void {
    this.#tokens += tokens;
    this.#sinceTurn += tokens;
  }

  /** True when the next token must wait; the caller sends what it has, then calls `pause`. */
  mustPause(): boolean {
    if (this.#tokensPerSecond === 0) return this.#sinceTurn >= TOKENS_PER_TURN;
    return this.#aheadMs() > EARLY_MS;
  }

  /** Waits until the next token is due, or until the signal is aborted. */
  async pause(signal: AbortSignal): Promise<void> {
    this.#sinceTurn = 0;
    const waitMs = this.#tokensPerSecond === 0 ? 0 : this.#aheadMs();
    if (waitMs > 0) await sleep(waitMs, signal);
    else await nextTurn();
  }

  #aheadMs(): number {
    return this.#startMs + (this.#tokens * 1_000) / this.#tokensPerSecond - performance.now();
  }
}

/** Resolves after the time, or early when the signal is aborted. */
function sleep(waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, waitMs);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}
