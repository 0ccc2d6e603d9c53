import type { Call } from '../call.ts';

/** What is told of a request before its receipt is made. */
export interface PendingRequest
  extends Pick<Call, 'requestId' | 'createdAtMs' | 'route' | 'caller' | 'instrument'> {
  readonly request: Pick<Call['request'], 'stream'>;
}

/** Requests that run right now. Their receipts exist in memory only, and die with the process as they do. */
export class PendingReceipts {
  private readonly calls = new Map<string, PendingRequest>();

  get size(): number {
    return this.calls.size;
  }

  /** Keeps what is told of the request, and nothing of its content. */
  add({ requestId, createdAtMs, route, caller, instrument, request: { stream } }: PendingRequest): void {
    this.calls.set(requestId, { requestId, createdAtMs, route, caller, instrument, request: { stream } });
  }

  remove(requestId: string): void {
    this.calls.delete(requestId);
  }

  /** The running request of that id, if it is this account's. */
  find(requestId: string, accountNumber: number): PendingRequest | undefined {
    const call = this.calls.get(requestId);
    return call?.caller.accountNumber === accountNumber ? call : undefined;
  }

  ofAccount(accountNumber: number): readonly PendingRequest[] {
    return [...this.calls.values()].filter(({ caller }) => caller.accountNumber === accountNumber);
  }
}
