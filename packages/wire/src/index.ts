export type { AnswerError, ChatEnvelope, FinishReason } from './chat/answer.ts';
export * from './chat/instrument.ts';
export * from './chat/request.ts';
export * from './chat/response.ts';
export * from './chat/stream.ts';
export * from './chat/types.ts';
export * from './chat/upstream.ts';
export { Content } from './content.ts';
export type {
  AnswerEnvelope,
  AnswerStream,
  FailedAnswer,
  StreamEnd,
  StreamStep,
  StreamWriter,
  WholeAnswer,
} from './conversation/answer-stream.ts';
export * from './conversation/dialects.ts';
export type { AnswerEvent, StreamReader } from './conversation/events.ts';
export type { Conversation, DialectName } from './conversation/model.ts';
export type { InferenceRequest } from './conversation/request.ts';
export * from './conversation/seal.ts';
export type { Capabilities, Upstream, UpstreamBody } from './conversation/upstream.ts';
export * from './effort.ts';
export * from './errors/catalogue.ts';
export * from './errors/envelopes.ts';
export * from './errors/grid-error.ts';
export * from './ids.ts';
export * from './json/parse.ts';
export * from './key-format.ts';
export { messagesErrorEvent, messagesPingEvent } from './messages/answer.ts';
export * from './messages/request.ts';
export type { MessagesRequest, RequestNeeds } from './messages/types.ts';
export * from './numbers.ts';
export * from './responses/request.ts';
export type { ResponsesRequest } from './responses/types.ts';
export * from './result.ts';
export * from './sse/encode.ts';
export * from './sse/parser.ts';
export * from './time.ts';
export * from './tokens.ts';
export * from './usage.ts';
