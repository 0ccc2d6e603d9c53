import { ConnectionError } from '../core/error.ts';
import { liveErrorOf } from './errors.ts';
import { type Fields, fieldsOf } from './frame.ts';

type Waiter = {
  resolve: (value: Fields) => void;
  reject: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
};

/** Questions on one socket that wait for their answer. */
export class Pending {
  readonly #waiters = new Map<string, Waiter>();
  readonly #timeoutMs: number;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** An answer under this name. @throws ConnectionError when none comes in time or the socket ends */
  wait(name: string): Promise<Fields> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(name);
        reject(new ConnectionError('The server did not answer over the socket in time.'));
      }, this.#timeoutMs);
      this.#waiters.set(name, { resolve, reject, timer });
    });
  }

  /** Takes a `phx_reply`: an answer, or a refusal as `LiveError`. */
  settle(name: string, payload: Fields): void {
    const waiter = this.#take(name);
    const response = fieldsOf(payload.response);
    if (payload.status === 'ok') waiter?.resolve(response);
    else waiter?.reject(liveErrorOf(response));
  }

  /** Takes an answer of another shape. */
  resolve(name: string, answer: Fields): void {
    this.#take(name)?.resolve(answer);
  }

  failAll(error: Error): void {
    for (const name of [...this.#waiters.keys()]) this.#take(name)?.reject(error);
  }

  #take(name: string): Waiter | undefined {
    const waiter = this.#waiters.get(name);
    clearTimeout(waiter?.timer);
    this.#waiters.delete(name);
    return waiter;
  }
}
