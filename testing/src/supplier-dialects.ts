import { dialectOf, type JsonObject, type StreamEvents } from './supplier-answer.ts';
import type { AnswerOptions, CapturedRequest, SupplierDialect } from './supplier-behaviour.ts';
import { chatEvents, chatJson } from './supplier-chat.ts';
import { messagesEvents, messagesJson } from './supplier-messages.ts';
import { responsesEvents, responsesJson } from './supplier-responses.ts';

type Whole = (options: AnswerOptions, request: CapturedRequest) => JsonObject;
type Streamed = (options: AnswerOptions, request: CapturedRequest) => StreamEvents;

const WHOLE: Readonly<Record<SupplierDialect, Whole>> = {
  chat: chatJson,
  messages: messagesJson,
  responses: responsesJson,
};
const STREAMED: Readonly<Record<SupplierDialect, Streamed>> = {
  chat: chatEvents,
  messages: messagesEvents,
  responses: responsesEvents,
};

/** The whole answer, in the dialect of the request. */
export function answerJson(options: AnswerOptions, request: CapturedRequest): JsonObject {
  return WHOLE[options.dialect ?? dialectOf(request)](options, request);
}

/** The same answer as the events of a stream. */
export function answerEvents(options: AnswerOptions, request: CapturedRequest): StreamEvents {
  return STREAMED[options.dialect ?? dialectOf(request)](options, request);
}
