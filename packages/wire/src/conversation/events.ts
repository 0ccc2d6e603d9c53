import type { AnswerError, FinishReason } from '../chat/answer.ts';
import type { JsonObject } from '../json/parse.ts';
import type { TokenUsage } from '../usage.ts';
import type { CallKind } from './model.ts';
import type { Opaque } from './seal.ts';

/**
 * One step of an answer, free of any dialect. Every answer is `start`, then parts, then one `stop`, then
 * `done`; or it ends in `error` at any place after `start`. Calls are numbered from 0 without gaps; each
 * ends once, before `stop`.
 */
export type AnswerEvent =
  | { readonly type: 'start'; readonly upstreamModel?: string }
  | { readonly type: 'text'; readonly text: string; readonly logprobs?: readonly JsonObject[] }
  | {
      readonly type: 'reasoning';
      readonly text: string;
      /** A summary of the reasoning, where the supplier tells it apart. */
      readonly isSummary?: boolean;
      /** The text is the blank line between two parts of a summary. */
      readonly isBreak?: boolean;
    }
  | { readonly type: 'opaque'; readonly opaque: Opaque }
  | { readonly type: 'refusal'; readonly text: string }
  | {
      readonly type: 'call';
      readonly call: number;
      readonly kind: CallKind;
      readonly id: string;
      readonly name: string;
    }
  | { readonly type: 'arguments'; readonly call: number; readonly text: string }
  | { readonly type: 'call_end'; readonly call: number }
  /** The text that follows is a message of this phase: some models tell comments from the answer. */
  | { readonly type: 'phase'; readonly phase: string }
  /** What follows is a new part, even if it is of the same kind. */
  | { readonly type: 'part_end' }
  | { readonly type: 'usage'; readonly usage: TokenUsage }
  | { readonly type: 'stop'; readonly finishReason: FinishReason; readonly stopSequence?: string }
  | { readonly type: 'done' }
  | { readonly type: 'error'; readonly error: AnswerError };

/** Turns the events of one supplier's stream into neutral ones. */
export interface StreamReader {
  /** Takes one event. `data` alone decides: some servers leave the name of an event out. */
  push(data: string): readonly AnswerEvent[];
  /** The upstream closed. Gives what is missing for the one end that every answer has. */
  end(): readonly AnswerEvent[];
}

/** The text of an event that counts as output. */
export function outputTextOf(event: AnswerEvent): string {
  if (event.type === 'text' || event.type === 'reasoning') return event.text;
  if (event.type === 'refusal' || event.type === 'arguments') return event.text;
  return event.type === 'call' ? event.name : '';
}
