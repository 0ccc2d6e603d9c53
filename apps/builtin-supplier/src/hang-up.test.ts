import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ending, Piece } from './completion.ts';
import { ChatResponse } from './http/chat-response.ts';
import { deliverStream } from './http/delivery.ts';
import { MODEL_ID } from './model-card.ts';
import { type BuiltinSupplierServer, createBuiltinSupplierServer } from './server.ts';

const API_KEY = 'sk-test-key';
let supplier: BuiltinSupplierServer;
let client: OpenAI;

beforeAll(async () => {
  supplier = await createBuiltinSupplierServer({ apiKey: API_KEY, tokensPerSecond: 100, maxConcurrency: 1 });
  client = new OpenAI({ apiKey: API_KEY, baseURL: supplier.baseUrl, maxRetries: 0 });
});
afterAll(() => supplier.close());

const LONG = {
  model: MODEL_ID,
  messages: [{ role: 'user' as const, content: 'Tell me everything.' }],
  max_tokens: 30_000,
  ignore_eos: true,
};

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

describe('a client that hangs up', () => {
  it('ends its stream at once', async () => {
    const stream = await client.chat.completions.create({ ...LONG, stream: true });
    let events = 0;
    for await (const _ of stream) if (++events === 5) break;
    await until(() => supplier.stats().activeRequests === 0);
    const { generatedTokens, failures } = supplier.stats();
    expect(generatedTokens).toBeLessThan(30_000);
    expect(failures).toBe(0);
  });

  it('ends an answer that would be sent whole', async () => {
    const before = supplier.stats().generatedTokens;
    const leaving = new AbortController();
    const answer = client.chat.completions.create(LONG, { signal: leaving.signal }).catch((error) => error);
    await until(() => supplier.stats().generatedTokens > before + 3);
    leaving.abort();
    expect(await answer).toBeInstanceOf(OpenAI.APIUserAbortError);
    await until(() => supplier.stats().activeRequests === 0);
    expect(supplier.stats().generatedTokens - before).toBeLessThan(30_000);
  });

  it('makes room for the next one', async () => {
    const stream = await client.chat.completions.create({ ...LONG, stream: true });
    await expect(client.chat.completions.create(LONG)).rejects.toMatchObject({ status: 429 });
    stream.controller.abort();
    await until(() => supplier.stats().activeRequests === 0);
    const short = await client.chat.completions.create({ ...LONG, max_tokens: 3 });
    expect(short.usage?.completion_tokens).toBe(3);
  });
});

/** A response whose client has stopped reading: every write fills the buffer. */
class FullResponse extends EventEmitter {
  written = '';
  writeHead(): void {}
  write(text: string): boolean {
    this.written += text;
    return false;
  }
  end(text: string): void {
    this.written += text;
  }
}

describe('a client that reads slowly', () => {
  function deliver(signal: AbortSignal): {
    response: FullResponse;
    asked: () => number;
    done: Promise<void>;
  } {
    let asked = 0;
    function* endless(): Generator<Piece, Ending, undefined> {
      for (; asked < 1_000; asked++) yield { text: 'word ', tokens: 1 };
      return { reason: 'length', tokens: asked };
    }
    const response = new FullResponse();
    const delivery = {
      response: response as unknown as ServerResponse,
      shape: new ChatResponse('test'),
      pieces: endless(),
      promptTokens: 1,
      tokensPerSecond: 0,
      signal,
      onTokens: () => undefined,
    };
    return { response, asked: () => asked, done: deliverStream(delivery, false) };
  }

  it('makes the model wait', async () => {
    const leaving = new AbortController();
    const { response, asked, done } = deliver(leaving.signal);
    const turns = async (): Promise<number> => {
      for (let turn = 0; turn < 50; turn++) await nextTurn();
      return asked();
    };
    const first = await turns();
    expect(first).toBeLessThan(100);
    expect(await turns()).toBe(first);
    response.emit('drain');
    const second = await turns();
    expect(second).toBeGreaterThan(first);
    expect(second).toBeLessThan(1_000);
    leaving.abort();
    await done;
    expect(asked()).toBe(second);
    expect(response.written).not.toContain('[DONE]');
  });

  it('gets everything in the end', async () => {
    const { response, done } = deliver(new AbortController().signal);
    const drain = setInterval(() => response.emit('drain'), 1);
    await done;
    clearInterval(drain);
    expect(response.written.match(/word /g)).toHaveLength(1_000);
    expect(response.written.endsWith('data: [DONE]\n\n')).toBe(true);
  });
});
