import type {
  Accepted,
  Command,
  Earmarks,
  Exchange,
  OrderEvent,
  Refused,
  TradeEvent,
} from '@opengrid/exchange';

/**
 * What a receipt keeps of one inference request besides its draws: identities, counts and timings, never content.
 * Times are Unix milliseconds.
 */
export interface ReceiptFacts {
  readonly requestId: string;
  readonly createdAtMs: number;
  readonly firstByteAtMs: number | null;
  readonly endedAtMs: number;
  readonly specVersion: number;
  /** Symbol of the instrument asked for. */
  readonly requestedModel: string;
  /** Registered name of the model that served; null when nobody did. */
  readonly servingModel: string | null;
  /** Route template, such as `/v1/chat/completions`. */
  readonly route: string;
  readonly keyId: string | null;
  readonly status: 'reconciled' | 'error';
  readonly errorCode: string | null;
  readonly finishReason: string | null;
  readonly isStream: boolean;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly reasoningTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheWriteTokens: number | null;
  readonly usageSource: 'supplier' | 'partial' | 'estimated' | null;
  /** Supplier dispatch to first content or reasoning byte, and the rates measured by the exchange. */
  readonly ttftMs: number | null;
  readonly tokensPerSecond: number | null;
  readonly supplierId: string | null;
  readonly endpointId: string | null;
  readonly attemptCount: number;
  readonly isSubstituted: boolean;
  readonly qualification: 'probed' | 'waived' | null;
  readonly isInSpec: boolean | null;
  readonly isSpecWaived: boolean;
  readonly heldTokens: number;
}

/** Rows that belong to a command and commit with it. */
export interface Attachment {
  readonly receipt?: ReceiptFacts;
  readonly clientOrderId?: string;
  /** The order ends with the socket that it came over. */
  readonly cancelsOnDisconnect?: boolean;
  /** The signature that the command came with, so that a copy of it is known on every node. */
  readonly signatureReplay?: { readonly keyId: string; readonly hash: Buffer };
  /** Unix milliseconds. A command that is not applied by then has no effect and ends as `CommandExpired`. */
  readonly notAfterMs?: number;
}

/** What moved the balances of an account. */
export type BalanceCause =
  | 'order'
  | 'trade'
  | 'cancel'
  | 'transfer'
  | 'consumption'
  | 'escrow_release'
  | 'top_up'
  | 'refund'
  | 'dispute'
  | 'payout'
  | 'buyback'
  | 'adjustment';

/** Something that the private streams tell an account, under the account's own dense number. */
export type AccountEvent =
  | { readonly kind: 'order'; readonly account: number; readonly userSeq: number; readonly event: OrderEvent }
  | {
      readonly kind: 'trade';
      readonly account: number;
      readonly userSeq: number;
      readonly event: TradeEvent;
      /** Public id of the trade. */
      readonly tradeId: string;
      readonly side: 'buy' | 'sell';
    }
  | {
      readonly kind: 'balance';
      readonly account: number;
      readonly userSeq: number;
      readonly cause: BalanceCause;
    };

/** Balances that deliveries moved since the last notice: one a second and account, however many there were. */
export interface AccountNotice {
  readonly account: number;
  readonly userSeq: number;
  readonly cause: 'consumption' | 'escrow_release';
}

/** A command that is durable. Identities are public ones. */
export interface Committed {
  readonly ok: true;
  readonly seq: number;
  readonly atMs: number;
  readonly outcome: Accepted;
  /** Public id of the order that was placed, where one was. */
  readonly orderId?: string;
  /** Public ids of the other things that the command made. */
  readonly transferId?: string;
  readonly issuanceId?: string;
  readonly lotIds?: readonly string[];
  /** Public ids of the trades, in the order of their events. */
  readonly tradeIds?: readonly string[];
  /** The client's own id of the order that was placed. */
  readonly clientOrderId?: string;
  /** What the receipt of a settlement says besides its draws. */
  readonly receipt?: ReceiptFacts;
  /** What the private streams tell of it, in the order of their numbers. */
  readonly accountEvents: readonly AccountEvent[];
}

export interface CommittedBatch {
  readonly batch: number;
  readonly entries: readonly Committed[];
  /** Accounts whose balances deliveries of earlier batches moved. Numbered after the entries. */
  readonly notices: readonly AccountNotice[];
}

/** The command was not accepted and nothing changed. */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineUnavailable';
}

/** The queue is full; nothing changed. */
export class EngineOverloaded extends Error {
  override readonly name = 'EngineOverloaded';
}

/** The command waited past its time; nothing changed. */
export class CommandExpired extends Error {
  override readonly name = 'CommandExpired';
}

/** The command may or may not have been committed. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** What is known of the writer without asking the store. */
export interface SequencerStatus {
  readonly isLeading: boolean;
  /** False when a command would be refused at once: the store has been out of reach for a while, or this is the end. */
  readonly isAccepting: boolean;
  readonly epoch: number;
  readonly queueLength: number;
  /** The last command that is durable and published. While the exchange has reached no other, its state is durable. */
  readonly committedSeq: number;
}

/** The one writer of the market. */
export interface Sequencer {
  /**
   * Queues a command and resolves after its durable commit, or at once with a refusal that changed nothing.
   * @throws EngineUnavailable, EngineOverloaded, CommandExpired, OutcomeUnknown
   */
  submit(command: Command, attachment?: Attachment): Promise<Committed | Refused>;
  /** Applied state. It may be ahead of what is durable; publish only what `onCommitted` tells. */
  readonly exchange: Exchange;
  /**
   * Resolves when everything that is applied by now is durable. Whoever answers from the state reads it, waits for this, and
   * then answers: nothing is shown that a crash could take back.
   * @throws EngineUnavailable when this is not the writer any more.
   */
  settled(): Promise<void>;
  /** Number of the last private event of an account, as of the last command that was applied; 0 before the first. */
  lastUserSeq(account: number): number;
  /** Holds of requests in flight, over committed lots. */
  readonly earmarks: Earmarks;
  onCommitted(listener: (batch: CommittedBatch) => void): void;
  readonly status: SequencerStatus;
  /** Waits for what is queued, then stops accepting. */
  close(): Promise<void>;
}
