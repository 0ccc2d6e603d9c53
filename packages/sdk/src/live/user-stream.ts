import { emit } from './emit.ts';
import type { BalanceEvent, GapEvent, OrderEvent, TradeEvent, UserHandlers } from './events.ts';
import type { Fields } from './frame.ts';

/**
 * The events of one account in their order. They carry dense numbers: one that is left out is a gap, one that comes
 * again is dropped. After a lost connection there may have been anything, so that is a gap as well.
 */
export class UserStream {
  readonly #handlers: UserHandlers;
  #last: number | null = null;
  #wasSubscribed = false;

  constructor(handlers: UserHandlers) {
    this.#handlers = handlers;
  }

  /** The server sends the stream, for the first time or again. */
  subscribed(): void {
    if (this.#wasSubscribed) this.#tell({ reason: 'reconnected', after: this.#last, before: null });
    this.#wasSubscribed = true;
    this.#last = null;
  }

  receive(event: string, data: Fields): void {
    if (!this.#isNew(data.user_seq)) return;
    const { onOrder, onTrade, onBalance } = this.#handlers;
    if (event === 'new_order' || event === 'order_update')
      emit(onOrder ? [(order: OrderEvent) => onOrder(order, event)] : [], data as OrderEvent);
    else if (event === 'user_trade') emit(onTrade ? [onTrade] : [], data as TradeEvent);
    else emit(onBalance ? [onBalance] : [], data as BalanceEvent);
  }

  /** Follows the numbers. The first balances have none, since they are a state and not an event. */
  #isNew(sequence: unknown): boolean {
    if (typeof sequence !== 'number') return true;
    if (this.#last !== null && sequence <= this.#last) return false;
    if (this.#last !== null && sequence !== this.#last + 1)
      this.#tell({ reason: 'sequence', after: this.#last, before: sequence });
    this.#last = sequence;
    return true;
  }

  #tell(gap: GapEvent): void {
    const { onGap } = this.#handlers;
    emit(onGap ? [onGap] : [], gap);
  }
}
