import type { Content, FinishReason, TokenUsage } from '@opengrid/wire';
import type { TextTally } from '../metering/text-tally.ts';
import type { AttemptFailure } from './attempt.ts';

/** How one attempt to get an answer ended. */
export type AnswerEnd =
  | { readonly kind: 'complete' }
  /** The hold was used up and could not grow: the answer ends with `length`. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure }
  /** The request ended for a reason outside of the attempt. */
  | { readonly kind: 'stopped' };

/** What was learnt of one answer. Marks are milliseconds of the monotonic clock. */
export interface AnswerFacts {
  readonly tally: TextTally;
  /** Whether content was written to the buyer (streams), or is complete and ready to be. */
  readonly hasContent: boolean;
  readonly finishReason: FinishReason | undefined;
  readonly reportedUsage: TokenUsage | undefined;
  readonly upstreamModel: string | undefined;
  readonly firstContentAt: number | undefined;
  readonly lastContentAt: number | undefined;
  /** Time in which the exchange did not read although the supplier might have sent. */
  readonly pausedMs: number;
}

/** What ends the answer towards the buyer, once it is settled. */
export interface AnswerTail {
  /** The last events of a stream, without `[DONE]`; the whole body otherwise. */
  finalText(usage: TokenUsage): Content<string>;
}
