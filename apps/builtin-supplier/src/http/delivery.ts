import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Ending, Piece } from '../completion.ts';
import { type ChatResponse, STREAM_END, usageOf } from './chat-response.ts';
import { Pacer } from './pacer.ts';

/** One answer on its way to one client. */
export type Delivery = {
  response: ServerResponse;
  shape: ChatResponse;
  pieces: Generator<Piece, Ending, undefined>;
  promptTokens: number;
  tokensPerSecond: number;
  /** Aborted when the client is gone. */
  signal: AbortSignal;
  /** Called for the tokens of every piece produced. */
  onTokens: (tokens: number) => void;
};

/** Sends the answer as one JSON body, after the time its tokens take. */
export async function deliverWhole(delivery: Delivery): Promise<void> {
  let content = '';
  const take = (text: string): void => {
    content += text;
  };
  const ending = await produce(delivery, { take, flush: async () => {} });
  if (ending === undefined) return;
  const usage = usageOf(delivery.promptTokens, ending.tokens);
  const body = delivery.shape.whole(content, { reason: ending.reason, usage });
  delivery.response.writeHead(200, { 'content-type': 'application/json' });
  delivery.response.end(body);
}

/** Sends the answer as server-sent events while it is written. */
export async function deliverStream(delivery: Delivery, usageInStream: boolean): Promise<void> {
  const { response, shape, signal } = delivery;
  const usage = usageInStream ? null : undefined;
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  let events = shape.delta({ role: 'assistant', content: '', refusal: null }, { usage });
  const take = (content: string): void => {
    events += shape.delta({ content }, { usage });
  };
  const flush = async (): Promise<void> => {
    const ready = events;
    events = '';
    await send(response, ready, signal);
  };
  const ending = await produce(delivery, { take, flush });
  if (ending === undefined) return;
  events += shape.delta({}, { reason: ending.reason, usage });
  if (usageInStream) events += shape.usage(usageOf(delivery.promptTokens, ending.tokens));
  response.end(events + STREAM_END);
}

type Sink = { take: (text: string) => void; flush: () => Promise<void> };

/**
 * Runs the completion at its pace. Undefined when the client left: then nothing more is written or computed.
 */
async function produce(delivery: Delivery, sink: Sink): Promise<Ending | undefined> {
  const { pieces, signal } = delivery;
  const pacer = new Pacer(delivery.tokensPerSecond);
  while (!signal.aborted) {
    if (pacer.mustPause()) {
      await sink.flush();
      await pacer.pause(signal);
      continue;
    }
    const next = pieces.next();
    if (next.done) return next.value;
    pacer.advance(next.value.tokens);
    delivery.onTokens(next.value.tokens);
    sink.take(next.value.text);
  }
  return undefined;
}

/** Writes, and waits while the client reads more slowly than the model writes. */
async function send(response: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (text === '' || signal.aborted || response.write(text)) return;
  // Rejects only because the signal was aborted; the caller looks at the signal next.
  await once(response, 'drain', { signal }).catch(() => undefined);
}
