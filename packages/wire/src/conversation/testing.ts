import { readdirSync, readFileSync } from 'node:fs';
import { gridError } from '../errors/grid-error.ts';
import { SseParser } from '../sse/parser.ts';
import type { TokenUsage } from '../usage.ts';
import type { AnswerEnvelope, AnswerStream } from './answer-stream.ts';
import { dialects, openAnswerStream, type WireName } from './dialects.ts';
import type { DialectName } from './model.ts';
import type { InferenceRequest } from './request.ts';
import { reasoningSeal } from './seal.ts';
import type { Capabilities } from './upstream.ts';

/** A ULID of tests. */
export const REQUEST_ID = 'req_01jz3v8m2k7f9q0x4w6t5s1r8p';
/** What is billed where a supplier reports nothing. */
export const COUNTED: TokenUsage = {
  inputUncached: 12,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  output: 5,
  reasoning: 0,
};
/** The seal of the endpoint that tests speak to. */
export const SEAL = reasoningSeal('key of tests', 'endpoint_1');

/** Everything that an endpoint of any wire may be able to do. */
export const ALL_CAPABILITIES: Capabilities = {
  tools: true,
  jsonSchema: true,
  images: true,
  logprobs: true,
  n: true,
  seed: true,
  penalties: true,
  logitBias: true,
  temperature: true,
  efforts: ['low', 'medium', 'high'],
  verbosity: true,
  reasoningText: true,
  store: true,
  developerRole: true,
  maxCompletionTokens: true,
  documents: true,
  clientTools: true,
  thinking: 'adaptive',
  promptCaching: true,
  contextManagement: true,
  customTools: true,
  reasoningSummary: true,
  encryptedReasoning: true,
};

/** The smallest streamed request of each surface, with everything switched on that changes the answer. */
const REQUESTS: Readonly<Record<DialectName, object>> = {
  chat: {
    model: 'text-prime',
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: 'Hi' }],
  },
  messages: {
    model: 'text-prime',
    stream: true,
    max_tokens: 1000,
    thinking: { type: 'adaptive' },
    messages: [{ role: 'user', content: 'Hi' }],
  },
  responses: {
    model: 'text-prime',
    stream: true,
    input: 'Hi',
    include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
  },
};

/** The surfaces that are served. */
export const SURFACES = Object.keys(dialects) as DialectName[];

/** Reads a request of a surface; fails the test when it is refused. */
export function requestOf(surface: DialectName, members: object = {}): InferenceRequest {
  const read = dialects[surface].readRequest(JSON.stringify({ ...REQUESTS[surface], ...members }));
  if (!read.ok) throw new Error(`${read.error.code} ${read.error.message}`);
  return read.value;
}

/** The envelope for a client of a surface. */
export function envelopeOf(surface: DialectName, members: object = {}): AnswerEnvelope {
  return {
    requestId: REQUEST_ID,
    createdSeconds: 1_767_225_600,
    servedModel: 'lab/model',
    inputTokens: 11,
    request: requestOf(surface, members),
    seal: SEAL,
  };
}

/** Names of the transcripts of suppliers; the wire of each is the beginning of its name. */
export const TRANSCRIPTS: readonly string[] = readdirSync(new URL('transcripts', import.meta.url))
  .filter((file) => file.endsWith('.upstream.sse'))
  .map((file) => file.replace('.upstream.sse', ''));

/** A transcript of a supplier. */
export function upstreamTranscript(name: string): string {
  return readFileSync(new URL(`transcripts/${name}.upstream.sse`, import.meta.url), 'utf8');
}

/** What came of a relayed stream. */
export interface Relayed {
  text: string;
  outputText: string;
  usage: TokenUsage | undefined;
  finishReason: string | undefined;
  error: string | undefined;
}

/** Sends pieces of a supplier's bytes through a stream as the server does, to its end or its fault. */
export function relayPieces(stream: AnswerStream, pieces: readonly Uint8Array[]): Relayed {
  const parser = new SseParser();
  const told: Relayed = {
    text: '',
    outputText: '',
    usage: undefined,
    finishReason: undefined,
    error: undefined,
  };
  let isDone = false;
  const take = (step: ReturnType<AnswerStream['push']>) => {
    if (isDone || told.error !== undefined) return;
    told.text += step.output;
    told.outputText += step.textDelta;
    told.usage = step.usage ?? told.usage;
    told.finishReason ??= step.finishReason;
    told.error = step.error;
    isDone = step.isDone;
  };
  for (const batch of [...pieces.map((piece) => parser.push(piece)), parser.end()]) {
    for (const { data } of batch.events) if (!isDone && told.error === undefined) take(stream.push(data));
  }
  if (!isDone) take(stream.end());
  const end = told.error === undefined ? stream.finish(told.usage ?? COUNTED, 'complete') : undefined;
  told.text += end ?? stream.fail(gridError('upstream_error'));
  return told;
}

/** Relays the text of a supplier of a wire to a client of a surface. */
export function relayText(wire: WireName, surface: DialectName, upstream: string): Relayed {
  return relayPieces(openAnswerStream(wire, envelopeOf(surface)), [new TextEncoder().encode(upstream)]);
}
