import { invariant } from '@opengrid/exchange';

/** The ways an inference request that was admitted can end. */
export type TerminalState = 'completed' | 'client_gone' | 'supplier_error' | 'timeout' | 'gateway_error';

/**
 * Running -> one of the terminal states -> settling -> settled. Many things may end a request at the same moment (the
 * buyer leaves, a deadline passes, the supplier breaks off, the answer is complete): the first one counts.
 */
export class Terminal {
  private phase: 'running' | 'ended' | 'settling' | 'settled' = 'running';
  private ending: TerminalState | undefined;

  /** How it ended; undefined while it runs. */
  get state(): TerminalState | undefined {
    return this.ending;
  }

  get isRunning(): boolean {
    return this.phase === 'running';
  }

  get isSettled(): boolean {
    return this.phase === 'settled';
  }

  /** Ends the request; false when something else has ended it before. */
  end(state: TerminalState): boolean {
    if (this.phase !== 'running') return false;
    this.phase = 'ended';
    this.ending = state;
    return true;
  }

  /** A settlement can begin once, and only of a request that has ended. */
  beginSettlement(): TerminalState {
    invariant(this.phase === 'ended' && this.ending !== undefined, 'terminal: settled once, after the end');
    this.phase = 'settling';
    return this.ending;
  }

  /** A completed answer whose buyer left before it was settled is not billed. Only while it is being settled. */
  correct(state: TerminalState): TerminalState {
    invariant(this.phase === 'settling', 'terminal: an end is corrected before it is settled');
    this.ending = state;
    return state;
  }

  settled(): void {
    invariant(this.phase === 'settling', 'terminal: a settlement ends once');
    this.phase = 'settled';
  }
}
