import { chatBodyOfConversation } from '../chat/from-conversation.ts';
import { ChatRelay, relayChatAnswer } from '../chat/relay.ts';
import { parseChatRequest } from '../chat/request.ts';
import { ChatStreamReader, readChatAnswer } from '../chat/stream-reader.ts';
import { ChatStreamWriter, printChatCompletion } from '../chat/stream-writer.ts';
import { conversationOfChat } from '../chat/to-conversation.ts';
import { buildChatUpstreamBody } from '../chat/upstream.ts';
import { openContent } from '../content.ts';
import { printMessage } from '../messages/answer-writer.ts';
import { messagesBodyOfConversation } from '../messages/from-conversation.ts';
import { MessagesRelay, relayMessagesAnswer } from '../messages/relay.ts';
import { relayMessagesRequest } from '../messages/relay-request.ts';
import { parseMessagesRequest } from '../messages/request.ts';
import { MessagesStreamReader, readMessagesAnswer } from '../messages/stream-reader.ts';
import { MessagesStreamWriter } from '../messages/stream-writer.ts';
import { conversationOfMessages } from '../messages/to-conversation.ts';
import { printResponse } from '../responses/answer-writer.ts';
import { responsesBodyOfConversation } from '../responses/from-conversation.ts';
import { relayResponsesRequest } from '../responses/relay-request.ts';
import { parseResponsesRequest } from '../responses/request.ts';
import { ResponsesStreamReader, readResponsesAnswer } from '../responses/stream-reader.ts';
import { ResponsesStreamWriter } from '../responses/stream-writer.ts';
import { conversationOfResponses } from '../responses/to-conversation.ts';
import type { Result } from '../result.ts';
import type { TokenUsage } from '../usage.ts';
import {
  type AnswerEnvelope,
  type AnswerStream,
  type FailedAnswer,
  type StreamWriter,
  TranslatedStream,
  type WholeAnswer,
  wholeAnswerOf,
} from './answer-stream.ts';
import type { AnswerEvent, StreamReader } from './events.ts';
import type { Conversation, DialectName } from './model.ts';
import type { InferenceRequest } from './request.ts';
import type { Upstream, UpstreamBody } from './upstream.ts';

/** How a request is read, on any surface. */
export interface ReadOptions {
  /** Unknown and ignored parameters are `unknown_parameter` instead of being dropped. */
  readonly strictParams?: boolean;
}

/** One dialect, on both sides: what its clients send and get, and what its suppliers are sent and answer. */
export interface Dialect {
  /** Reads and checks a client's request. */
  readonly readRequest: (source: Uint8Array | string, options?: ReadOptions) => Result<InferenceRequest>;
  /** Writes a request of another dialect for a supplier of this one. */
  readonly writeRequest: (
    request: InferenceRequest,
    conversation: Conversation,
    upstream: Upstream,
  ) => Result<UpstreamBody>;
  /** Reads a supplier's complete answer. The id is for calls that the supplier gave none. */
  readonly readAnswer: (jsonText: string, requestId: string) => readonly AnswerEvent[];
  /** Prints a complete answer for a client. */
  readonly writeAnswer: (
    events: readonly AnswerEvent[],
    envelope: AnswerEnvelope,
    usage: TokenUsage,
  ) => string;
  readonly newStreamReader: (requestId: string) => StreamReader;
  readonly newStreamWriter: (envelope: AnswerEnvelope) => StreamWriter;
  /** From a supplier of this dialect to a client of this dialect: checked, not translated. */
  readonly relayStream: (envelope: AnswerEnvelope) => AnswerStream;
  readonly relayAnswer: (jsonText: string, envelope: AnswerEnvelope) => WholeAnswer | FailedAnswer;
}

const chat: Dialect = {
  readRequest: parseChatRequest,
  writeRequest: chatBodyOfConversation,
  readAnswer: (jsonText, requestId) => readChatAnswer(jsonText, `call_${requestId}`),
  writeAnswer: printChatCompletion,
  newStreamReader: (requestId) => new ChatStreamReader(`call_${requestId}`),
  newStreamWriter: (envelope) => new ChatStreamWriter(envelope),
  relayStream: (envelope) => new ChatRelay(envelope),
  relayAnswer: relayChatAnswer,
};

const messages: Dialect = {
  readRequest: parseMessagesRequest,
  writeRequest: messagesBodyOfConversation,
  readAnswer: (jsonText, requestId) => readMessagesAnswer(jsonText, `toolu_${requestId}`),
  writeAnswer: printMessage,
  newStreamReader: (requestId) => new MessagesStreamReader(`toolu_${requestId}`),
  newStreamWriter: (envelope) => new MessagesStreamWriter(envelope),
  relayStream: (envelope) => new MessagesRelay(envelope),
  relayAnswer: relayMessagesAnswer,
};

const responses: Dialect = {
  readRequest: parseResponsesRequest,
  writeRequest: responsesBodyOfConversation,
  readAnswer: (jsonText, requestId) => readResponsesAnswer(jsonText, `call_${requestId}`),
  writeAnswer: printResponse,
  newStreamReader: (requestId) => new ResponsesStreamReader(`call_${requestId}`),
  newStreamWriter: (envelope) => new ResponsesStreamWriter(envelope),
  // The neutral events hold all that this dialect says, so a relay is a reader and a writer.
  relayStream: (envelope) => {
    const reader = new ResponsesStreamReader(`call_${envelope.requestId}`);
    return new TranslatedStream(reader, new ResponsesStreamWriter(envelope));
  },
  relayAnswer: (jsonText, envelope) => {
    const events = readResponsesAnswer(jsonText, `call_${envelope.requestId}`);
    return wholeAnswerOf(events, (usage) => printResponse(events, envelope, usage));
  },
};

/** The dialects by the name of their surface. */
export const dialects: Readonly<Record<DialectName, Dialect>> = { chat, messages, responses };

/** How a supplier's endpoint is spoken to, as the registry spells it. */
export type WireName = 'openai' | 'openai-responses' | 'anthropic';

const DIALECT_OF_WIRE: Readonly<Record<WireName, DialectName>> = {
  openai: 'chat',
  'openai-responses': 'responses',
  anthropic: 'messages',
};

/** The dialect of a supplier's wire. */
export function dialectOfWire(wire: WireName): DialectName {
  return DIALECT_OF_WIRE[wire];
}

/** The neutral form of a checked request. */
export function conversationOf(request: InferenceRequest): Conversation {
  if (request.dialect === 'chat') return conversationOfChat(openContent(request.body));
  if (request.dialect === 'messages') return conversationOfMessages(openContent(request.body));
  return conversationOfResponses(openContent(request.body));
}

/**
 * Writes the body for an endpoint from a request of any surface. Where both speak one dialect it is the
 * request as it came, less what may not be forwarded; else it is translated.
 *
 * Error: `unsupported_value` for what the endpoint's wire cannot carry.
 */
export function writeUpstreamBody(
  request: InferenceRequest,
  wire: WireName,
  upstream: Upstream,
): Result<UpstreamBody> {
  if (request.dialect === 'chat' && wire === 'openai') {
    return { ok: true, value: buildChatUpstreamBody(request, upstream) };
  }
  if (request.dialect === 'messages' && wire === 'anthropic') return relayMessagesRequest(request, upstream);
  if (request.dialect === 'responses' && wire === 'openai-responses') {
    return relayResponsesRequest(request, upstream);
  }
  const { writeRequest } = dialects[DIALECT_OF_WIRE[wire]];
  return writeRequest(request, conversationOf(request), upstream);
}

/** The way of a streamed answer from an endpoint's wire to the client of the envelope's request. */
export function openAnswerStream(wire: WireName, envelope: AnswerEnvelope): AnswerStream {
  const supplier = DIALECT_OF_WIRE[wire];
  const client = envelope.request.dialect;
  if (supplier === client) return dialects[client].relayStream(envelope);
  const reader = dialects[supplier].newStreamReader(envelope.requestId);
  return new TranslatedStream(reader, dialects[client].newStreamWriter(envelope));
}

/** A complete answer of an endpoint's wire for the client of the envelope's request. */
export function readWholeAnswer(
  wire: WireName,
  jsonText: string,
  envelope: AnswerEnvelope,
): WholeAnswer | FailedAnswer {
  const supplier = DIALECT_OF_WIRE[wire];
  const client = envelope.request.dialect;
  if (supplier === client) return dialects[client].relayAnswer(jsonText, envelope);
  const events = dialects[supplier].readAnswer(jsonText, envelope.requestId);
  return wholeAnswerOf(events, (usage) => dialects[client].writeAnswer(events, envelope, usage));
}
