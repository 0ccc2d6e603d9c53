import type { Call } from '../call.ts';

/** Requests that run right now. Their receipts exist in memory only, and die with the process as they do. */
export class PendingReceipts {
  private readonly calls = new Map<string, Call>();

  get size(): number {
    return this.calls.size;
  }

  add(call: Call): void {
    this.calls.set(call.requestId, call);
  }

  remove(call: Call): void {
    this.calls.delete(call.requestId);
  }

  /** The running request of that id, if it is this account's. */
  find(requestId: string, accountNumber: number): Call | undefined {
    const call = this.calls.get(requestId);
    return call?.caller.accountNumber === accountNumber ? call : undefined;
  }

  ofAccount(accountNumber: number): readonly Call[] {
    return [...this.calls.values()].filter(({ caller }) => caller.accountNumber === accountNumber);
  }
}
