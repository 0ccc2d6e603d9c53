import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRequest, sendRequest, streamRequest } from './client.ts';
import { nowMs, waitFor } from './clock.ts';
import { type FaultySupplier, startFaultySupplier } from './faulty-supplier.ts';
import type { AnswerOptions, SupplierBehaviour } from './supplier-behaviour.ts';
import { supplierErrorMark } from './supplier-script.ts';

let supplier: FaultySupplier;

beforeEach(async () => {
  supplier = await startFaultySupplier();
});

afterEach(async () => {
  await supplier.close();
});

const messages = [{ role: 'user', content: 'tell me about prices' }];

function chat(more: Record<string, unknown> = {}) {
  const body = { model: 'asked-model', messages, ...more };
  return { url: `${supplier.baseUrl}/chat/completions`, key: supplier.apiKey, body };
}

function stream(more: Record<string, unknown> = {}) {
  return chat({ stream: true, ...more });
}

function answerWith(options: AnswerOptions): void {
  supplier.setBehaviour({ kind: 'answer', ...options });
}

describe('an answer', () => {
  it('is an OpenAI chat completion with usage', async () => {
    answerWith({ text: 'prices are fine' });
    const response = await sendRequest(chat());
    expect(response).toMatchObject({ status: 200, isComplete: true, failure: null });
    expect(response.json).toMatchObject({
      object: 'chat.completion',
      model: 'asked-model',
      choices: [{ message: { role: 'assistant', content: 'prices are fine' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
    });
  });

  it('streams the same text, one role, a finish reason and [DONE]', async () => {
    answerWith({ text: 'größere Preise 📈 heute', chunkCount: 7 });
    const { sse, isComplete } = await streamRequest(stream());
    expect(sse.text).toBe('größere Preise 📈 heute');
    expect(isComplete && sse.sawDone).toBe(true);
    expect(sse.chunks).toHaveLength(9);
    expect(sse.chunks.at(-1)).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
    expect(sse.oddLines).toEqual([]);
  });

  it('has twenty chunks unless told otherwise', async () => {
    const { sse } = await streamRequest(stream());
    expect(sse.chunks).toHaveLength(22);
  });

  it('reports usage in a stream only when asked', async () => {
    const silent = await streamRequest(stream());
    expect(silent.text).not.toContain('"usage"');
    const asked = await streamRequest(stream({ stream_options: { include_usage: true } }));
    expect(asked.sse.chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 7, completion_tokens: 20 },
    });
  });

  it.each([
    ['always', { completion_tokens: 20 }],
    ['wrong', { completion_tokens: 200 }],
    ['zero', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }],
    ['negative', { prompt_tokens: -7, completion_tokens: -7 }],
    [{ promptTokens: 5, completionTokens: 6 }, { total_tokens: 11 }],
  ] as const)('reports usage %j', async (usage, expected) => {
    answerWith({ usage });
    const { sse } = await streamRequest(stream());
    expect(sse.chunks.at(-1)).toMatchObject({ usage: expected });
  });

  it('can leave usage out or null it', async () => {
    answerWith({ usage: 'absent' });
    expect((await sendRequest(chat())).json).not.toHaveProperty('usage');
    answerWith({ usage: 'null' });
    expect((await sendRequest(chat())).json).toHaveProperty('usage', null);
  });

  it('can carry another model, extra fields, reasoning, tool calls and several choices', async () => {
    const toolCalls = [{ name: 'look_up', argumentsJson: '{"q":"ask"}' }];
    answerWith({
      model: 'other',
      extraFields: 'some',
      reasoning: 'hmm so',
      toolCalls,
      pieces: [],
      choiceCount: 2,
    });
    const { json } = await sendRequest(chat());
    const message = {
      content: null,
      reasoning_content: 'hmm so',
      tool_calls: [{ function: { name: 'look_up' } }],
    };
    expect(json).toMatchObject({ model: 'other', provider: 'double', choices: [{ message }, { index: 1 }] });
    const { sse, text } = await streamRequest(stream());
    expect(sse.chunks.at(-1)).toMatchObject({ choices: [{ index: 1, finish_reason: 'tool_calls' }] });
    expect(text).toContain('"reasoning_content"');
    expect(text).toContain('{\\"q\\":');
  });
});

describe('requests', () => {
  it('are captured with headers, body and time', async () => {
    const before = nowMs();
    await sendRequest({ ...chat(), headers: { 'x-request-id': 'abc' } });
    const [captured] = supplier.requests;
    expect(captured).toMatchObject({ method: 'POST', path: '/v1/chat/completions', closedByPeerAtMs: null });
    expect(captured?.headers['x-request-id']).toBe('abc');
    expect(captured?.body).toMatchObject({ messages });
    expect(captured?.arrivedAtMs).toBeGreaterThanOrEqual(before);
    await expect(captured?.outcome).resolves.toBe('completed');
  });

  it('need the key and a known route', async () => {
    expect(await sendRequest({ ...chat(), key: 'sk-other' })).toMatchObject({ status: 401 });
    expect(await sendRequest({ ...chat(), url: `${supplier.baseUrl}/completions` })).toMatchObject({
      status: 404,
    });
    expect(supplier.requests).toHaveLength(0);
    const models = await sendRequest({ url: `${supplier.baseUrl}/models`, key: supplier.apiKey });
    expect(models.json).toMatchObject({ object: 'list', data: [{ id: 'double' }] });
  });

  it('take queued behaviours first, then the standing one, which may look at the request', async () => {
    supplier.setBehaviour((request) => ({ kind: 'answer', model: `after ${request.bodyText.length}` }));
    supplier.enqueue({ kind: 'error', status: 500 }, { kind: 'error', status: 429 });
    const statuses = [];
    for (let count = 0; count < 3; count += 1) statuses.push((await sendRequest(chat())).status);
    expect(statuses).toEqual([500, 429, 200]);
    const expected = `after ${JSON.stringify(chat().body).length}`;
    expect((await sendRequest(chat())).json).toMatchObject({ model: expected });
  });
});

describe('holding back', () => {
  it('waits for a promise before the head', async () => {
    let open = () => {};
    answerWith({ holdFirstByteUntil: new Promise<void>((resolve) => (open = resolve)) });
    const response = sendRequest(chat());
    await supplier.waitForRequests(1);
    expect(supplier.requests[0]?.writeCount).toBe(0);
    const openedAtMs = nowMs();
    open();
    expect((await response).firstByteAtMs).toBeGreaterThanOrEqual(openedAtMs);
  });

  it('waits until enough requests were admitted', async () => {
    answerWith({ holdFirstByteUntil: { requestsAdmitted: 3 } });
    const first = sendRequest(chat());
    const second = streamRequest(stream());
    await supplier.waitForRequests(2);
    expect(supplier.requests.map((request) => request.writeCount)).toEqual([0, 0]);
    const responses = await Promise.all([first, second, sendRequest(chat())]);
    expect(responses.map((response) => response.status)).toEqual([200, 200, 200]);
    expect(Math.min(...responses.map((response) => response.firstByteAtMs ?? 0))).toBeGreaterThanOrEqual(
      supplier.requests[2]?.arrivedAtMs ?? 0,
    );
  });

  it('can send the head first', async () => {
    answerWith({ holdFirstByteUntil: new Promise(() => {}), holdAt: 'after-head' });
    const { call } = openRequest(stream());
    const status = await new Promise((resolve) => call.once('response', (head) => resolve(head.statusCode)));
    expect(status).toBe(200);
    expect(supplier.requests[0]?.writeCount).toBe(0);
    call.destroy();
    await expect(supplier.requests[0]?.outcome).resolves.toBe('peer-closed');
  });

  it('delays the first byte and paces chunks', async () => {
    answerWith({ firstByteDelayMs: 40, chunkIntervalMs: 5, chunkCount: 4 });
    // Lower bounds only: a slow machine can make them longer, nothing can make them shorter.
    const { sse, startedAtMs, firstByteAtMs } = await streamRequest(stream());
    expect((firstByteAtMs ?? 0) - startedAtMs).toBeGreaterThanOrEqual(39);
    expect((sse.events[4]?.atMs ?? 0) - (sse.events[1]?.atMs ?? 0)).toBeGreaterThanOrEqual(10);
  });

  it('never answers when told to hang, and notices who leaves', async () => {
    supplier.setBehaviour({ kind: 'hang' });
    const response = await sendRequest({ ...chat(), timeoutMs: 60 });
    expect(response).toMatchObject({ status: 0, failure: 'timeout' });
    await expect(supplier.requests[0]?.outcome).resolves.toBe('peer-closed');
    expect(supplier.requests[0]?.closedByPeerAtMs).not.toBeNull();
  });
});

describe('breaking', () => {
  it.each(['reset', 'close'] as const)('gives no status line: %s', async (kind) => {
    supplier.setBehaviour({ kind });
    expect(await sendRequest(chat())).toMatchObject({ status: 0, failure: 'ECONNRESET' });
    await expect(supplier.requests[0]?.outcome).resolves.toBe('cut');
  });

  it('refuses connections and accepts them again at the same address', async () => {
    await supplier.refuseConnections();
    expect(await sendRequest(chat())).toMatchObject({ status: 0, failure: 'ECONNREFUSED' });
    await supplier.acceptConnections();
    expect(await sendRequest(chat())).toMatchObject({ status: 200 });
  });

  it.each([400, 401, 403, 404, 413, 429, 500, 503])('answers %i quoting prompt and key', async (status) => {
    supplier.setBehaviour({ kind: 'error', status, headers: { 'retry-after': '2' } });
    const response = await sendRequest(chat());
    expect(response.status).toBe(status);
    expect(response.headers['retry-after']).toBe('2');
    for (const secret of ['tell me about prices', supplier.apiKey, supplierErrorMark]) {
      expect(response.text).toContain(secret);
    }
  });

  it('answers an error in a 200, HTML, or nothing', async () => {
    supplier.enqueue({ kind: 'error-in-200' }, { kind: 'error', status: 502, body: 'html' });
    supplier.enqueue({ kind: 'error', status: 500, body: 'empty' });
    const wrapped = await sendRequest(chat());
    expect(wrapped.status).toBe(200);
    expect(wrapped.json).toHaveProperty('error.message');
    expect((await sendRequest(chat())).text).toContain('<h1>502</h1>');
    expect(await sendRequest(chat())).toMatchObject({ status: 500, text: '' });
  });

  it.each(['html', 'text', 'binary', 'empty', 'truncated-json'] as const)(
    'sends garbage: %s',
    async (garbage) => {
      supplier.setBehaviour({ kind: 'garbage', garbage });
      expect(await sendRequest(chat())).toMatchObject({ status: 200, json: undefined, isComplete: true });
    },
  );

  it('sends garbage: the wrong shape, another dialect, another protocol', async () => {
    const kinds = ['wrong-shape', 'wrong-dialect', 'not-http'] as const;
    supplier.enqueue(...kinds.map((garbage): SupplierBehaviour => ({ kind: 'garbage', garbage })));
    expect((await sendRequest(chat())).json).toEqual({ choices: 'none', usage: [1, 2] });
    expect((await sendRequest(chat())).json).toEqual({ type: 'message', content: [] });
    expect((await sendRequest(chat())).failure).toMatch(/^HPE_/);
  });
});

describe('a stream that is cut', () => {
  it.each([
    ['reset', false],
    ['half-close', false],
    ['no-finish-reason', true],
  ] as const)('%s: content, then no finish reason and no [DONE]', async (ending, isComplete) => {
    answerWith({ ending, endingAfterChunks: 5 });
    const response = await streamRequest(stream());
    expect(response.sse.chunks).toHaveLength(6);
    expect(response.text).not.toContain('"finish_reason":"stop"');
    expect(response).toMatchObject({ isComplete, failure: isComplete ? null : 'ECONNRESET' });
    expect(response.sse.sawDone).toBe(false);
    await expect(supplier.requests[0]?.outcome).resolves.toBe(isComplete ? 'completed' : 'cut');
  });

  it('no-done and done-without-finish', async () => {
    answerWith({ ending: 'no-done' });
    const withoutDone = await streamRequest(stream());
    expect([withoutDone.sse.sawDone, withoutDone.text.includes('"finish_reason":"stop"')]).toEqual([
      false,
      true,
    ]);
    answerWith({ ending: 'done-without-finish' });
    const withoutFinish = await streamRequest(stream());
    expect([withoutFinish.sse.sawDone, withoutFinish.text.includes('"stop"')]).toEqual([true, false]);
  });

  it('stalls with the connection open', async () => {
    answerWith({ ending: 'stall', endingAfterChunks: 3 });
    const response = await streamRequest({ ...stream(), timeoutMs: 150 });
    expect(response.sse.chunks).toHaveLength(4);
    expect(response.failure).toBe('timeout');
  });

  it.each(['reset', 'half-close'] as const)('%s cuts a JSON body in half', async (ending) => {
    answerWith({ ending });
    const response = await sendRequest(chat());
    expect(response).toMatchObject({ status: 200, isComplete: false, json: undefined });
    expect(response.text.length).toBeGreaterThan(20);
  });

  it('goes on for ever until the client leaves, and notes when', async () => {
    answerWith({ ending: 'never', chunkIntervalMs: 1 });
    const response = await streamRequest({ ...stream(), hangUp: { afterEvents: 50 } });
    const [captured] = supplier.requests;
    await expect(captured?.outcome).resolves.toBe('peer-closed');
    expect(response.sse.chunks.length).toBeGreaterThanOrEqual(50);
    expect(captured?.closedByPeerAtMs).toBeGreaterThanOrEqual(response.hungUpAtMs ?? Number.NaN);
  });

  it('honours backpressure in a stream without end or pace', async () => {
    answerWith({ ending: 'never', pieces: ['x'.repeat(10_000)] });
    const { call } = openRequest(stream());
    await new Promise((resolve) => call.once('response', resolve));
    // Nobody reads: the count of writes must come to rest.
    await waitFor('the writes to rest', async () => {
      const before = supplier.requests[0]?.writeCount ?? 0;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return before > 0 && supplier.requests[0]?.writeCount === before;
    });
    call.destroy();
    await expect(supplier.requests[0]?.outcome).resolves.toBe('peer-closed');
  });
});

describe('odd streams', () => {
  it.each([
    ['malformed-json', '"choices":[{\n'],
    ['comments', ': keep-alive\n\n'],
    ['named-event', 'event: ping\n'],
    ['empty-choices', '"choices":[]}'],
  ] as const)('%s in mid-stream, and then it goes on', async (what, expected) => {
    answerWith({ inject: [{ afterChunks: 4, what }] });
    const { sse, text } = await streamRequest(stream());
    expect(text).toContain(expected);
    expect(sse.sawDone).toBe(true);
    expect(sse.text.split(' ')).toHaveLength(20);
  });

  it('an error event ends the stream', async () => {
    answerWith({ inject: [{ afterChunks: 4, what: 'error-event' }] });
    const { sse, isComplete } = await streamRequest(stream());
    expect(sse.chunks.at(-1)).toHaveProperty('error.message');
    expect([sse.sawDone, isComplete]).toEqual([false, true]);
  });

  it('a huge event', async () => {
    answerWith({ inject: [{ afterChunks: 20, what: 'huge-event' }], hugeEventBytes: 300_000 });
    const { sse } = await streamRequest(stream());
    expect(Math.max(...sse.events.map((event) => event.data.length))).toBeGreaterThan(300_000);
    expect(sse.sawDone).toBe(true);
  });

  it('CRLF', async () => {
    answerWith({ lineEnding: 'crlf' });
    const { sse, text } = await streamRequest(stream());
    expect(text.replaceAll('\r\n', '')).not.toContain('\n');
    expect(sse.sawDone).toBe(true);
  });

  it('one byte a write, which splits every character', async () => {
    answerWith({ bytesPerWrite: 1, text: 'é📈', chunkCount: 1 });
    const { sse } = await streamRequest(stream());
    expect(sse.text).toBe('é📈');
    expect(supplier.requests[0]?.writeCount).toBeGreaterThan(300);
  });

  it('everything twice', async () => {
    answerWith({ copies: 2, text: 'again ', chunkCount: 1 });
    const { sse } = await streamRequest(stream());
    expect(sse.text).toBe('again again ');
    expect(sse.events.filter(({ data }) => data === '[DONE]')).toHaveLength(2);
    const whole = await sendRequest(chat());
    expect([whole.json, whole.text.split('"again "').length]).toEqual([undefined, 3]);
  });

  it('bytes that are no UTF-8', async () => {
    answerWith({ encoding: 'latin1', text: 'é', chunkCount: 1 });
    for (const request of [stream(), chat()]) {
      const { text } = await sendRequest(request);
      expect(text).toContain('"content":"\ufffd"');
    }
  });

  it('the words of another dialect', async () => {
    answerWith({ dialect: 'messages', text: 'hello', chunkCount: 1 });
    const { sse } = await streamRequest(stream());
    expect([sse.events[0]?.name, sse.events.at(-1)?.name]).toEqual(['message_start', 'message_stop']);
    expect((await sendRequest(chat())).json).toMatchObject({ type: 'message', role: 'assistant' });
  });

  it.each(['stream', 'json'] as const)('gzip, %s', async (form) => {
    answerWith({ compression: 'gzip', text: 'squeezed text', chunkCount: 3 });
    const { call } = openRequest(form === 'stream' ? stream() : chat());
    const parts: Buffer[] = [];
    const encoding = await new Promise((resolve, reject) => {
      call.once('error', reject);
      call.once('response', (response) => {
        response.on('data', (part: Buffer) => parts.push(part));
        response.once('end', () => resolve(response.headers['content-encoding']));
      });
    });
    expect(encoding).toBe('gzip');
    const text = gunzipSync(Buffer.concat(parts)).toString();
    expect(text).toContain(form === 'stream' ? 'data: [DONE]' : 'squeezed text');
  });
});
