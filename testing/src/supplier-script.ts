import { dialectOf, promptText, type StreamEvents, wantsStream } from './supplier-answer.ts';
import type {
  AnswerOptions,
  CapturedRequest,
  Garbage,
  Step,
  SupplierBehaviour,
} from './supplier-behaviour.ts';
import { answerEvents, answerJson } from './supplier-dialects.ts';

type Answer = { options: AnswerOptions; request: CapturedRequest };

const jsonType = { 'content-type': 'application/json' };
const streamType = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };
const defaultHugeEventBytes = 1024 * 1024;

/** Marks every error body of the double, so that a search can tell whether one of them was kept. */
export const supplierErrorMark = 'double-raw-error-body';

/** Turns a behaviour into what is to be done, lazily: a stream that never ends has no last step. */
export function* stepsOf(behaviour: SupplierBehaviour, request: CapturedRequest): Generator<Step> {
  if (behaviour.kind === 'answer') {
    const answer = { options: behaviour, request };
    yield* wantsStream(request) ? streamSteps(answer) : jsonSteps(answer);
  } else if (behaviour.kind === 'error') yield* errorSteps(behaviour, request);
  else if (behaviour.kind === 'error-in-200') yield* bodySteps(200, jsonType, errorBody(500, request));
  else if (behaviour.kind === 'garbage') yield* garbageSteps(behaviour.garbage);
  else if (behaviour.kind === 'script') yield* behaviour.steps;
  else if (behaviour.kind === 'hang') yield { do: 'finish', how: 'stall' };
  else yield { do: 'finish', how: behaviour.kind === 'reset' ? 'reset' : 'half-close' };
}

function* bodySteps(status: number, headers: Record<string, string>, body: string | Buffer): Generator<Step> {
  const bytes = Buffer.from(body);
  yield { do: 'head', status, headers: { 'content-length': String(bytes.length), ...headers } };
  if (bytes.length > 0) yield { do: 'write', bytes };
  yield { do: 'finish', how: 'end' };
}

function* errorSteps(
  behaviour: Extract<SupplierBehaviour, { kind: 'error' }>,
  request: CapturedRequest,
): Generator<Step> {
  const { status, body = 'echo', headers = {} } = behaviour;
  if (body === 'empty') yield* bodySteps(status, headers, '');
  else if (body === 'html') {
    const page = `<html><h1>${status}</h1><pre>${supplierErrorMark} ${promptText(request)}</pre></html>`;
    yield* bodySteps(status, { 'content-type': 'text/html', ...headers }, page);
  } else yield* bodySteps(status, { ...jsonType, ...headers }, errorBody(status, request));
}

/** Quotes the prompt and the key back, because that is how content gets into other people's logs. */
function errorBody(status: number, request: CapturedRequest): string {
  const quoted = `${supplierErrorMark}: ${promptText(request)}`;
  const message = `Refused ${String(request.headers.authorization)}: ${quoted}`;
  return JSON.stringify({
    error: { message, type: 'double_error', param: quoted, code: `double_${status}` },
  });
}

/** The same in mid-stream, where each dialect has a form of its own. */
function errorEvent({ options, request }: Answer): string {
  const dialect = options.dialect ?? dialectOf(request);
  const { error } = JSON.parse(errorBody(500, request)) as { error: { message: string; code: string } };
  const { message, code } = error;
  if (dialect === 'messages')
    return JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message } });
  if (dialect === 'responses') return JSON.stringify({ type: 'error', code, message, param: null });
  return JSON.stringify({ error });
}

function* garbageSteps(garbage: Garbage): Generator<Step> {
  if (garbage === 'html') yield* bodySteps(200, { 'content-type': 'text/html' }, '<html>Welcome!</html>');
  else if (garbage === 'text') yield* bodySteps(200, { 'content-type': 'text/plain' }, 'upstream says hello');
  else if (garbage === 'binary')
    yield* bodySteps(200, jsonType, Buffer.from([0, 255, 254, 128, 10, 13, 0, 1]));
  else if (garbage === 'empty') yield* bodySteps(200, jsonType, '');
  else if (garbage === 'truncated-json')
    yield* bodySteps(200, jsonType, '{"id":"chatcmpl-double","choices":[{"ind');
  else if (garbage === 'wrong-shape') yield* bodySteps(200, jsonType, '{"choices":"none","usage":[1,2]}');
  else if (garbage === 'wrong-dialect') yield* bodySteps(200, jsonType, '{"type":"message","content":[]}');
  else {
    // Without a head before it, a write goes to the socket as it is.
    yield { do: 'write', bytes: Buffer.from('SSH-2.0-OpenSSH_9.6\r\n\r\n') };
    yield { do: 'finish', how: 'half-close' };
  }
}

/** Comes before the head or right behind it, see `holdAt`. */
function* holdSteps(options: AnswerOptions): Generator<Step> {
  if (options.holdFirstByteUntil !== undefined) yield { do: 'hold', until: options.holdFirstByteUntil };
  if (options.firstByteDelayMs !== undefined) yield { do: 'wait', durationMs: options.firstByteDelayMs };
}

function* headSteps({ options }: Answer, contentType: Record<string, string>): Generator<Step> {
  const compressed = options.compression === 'gzip' ? { 'content-encoding': 'gzip' } : {};
  const head: Step = { do: 'head', status: 200, headers: { ...contentType, ...compressed } };
  if (options.holdAt === 'after-head') {
    yield head;
    yield* holdSteps(options);
  } else {
    yield* holdSteps(options);
    yield head;
  }
}

function* jsonSteps(answer: Answer): Generator<Step> {
  const { options, request } = answer;
  yield* headSteps(answer, jsonType);
  const json = JSON.stringify(answerJson(options, request));
  const bytes = Buffer.from(json.repeat(options.copies ?? 1), options.encoding);
  const ending = options.ending ?? 'complete';
  if (ending === 'reset' || ending === 'half-close' || ending === 'stall') {
    yield { do: 'write', bytes: bytes.subarray(0, bytes.length >> 1) };
    yield { do: 'finish', how: ending };
    return;
  }
  yield* slices(bytes, options);
  yield { do: 'finish', how: 'end' };
}

/** Opening, content, finish reason, usage, `[DONE]`: the order that clients rely on. */
function* streamSteps(answer: Answer): Generator<Step> {
  const { options, request } = answer;
  yield* headSteps(answer, streamType);
  for (let copy = 0; copy < (options.copies ?? 1); copy += 1) {
    const cut = yield* copySteps(answer, answerEvents(options, request));
    if (cut === 'go-on') continue;
    yield { do: 'finish', how: cut };
    return;
  }
  yield { do: 'finish', how: 'end' };
}

/** All events of one answer, as far as they are to come. */
function* copySteps(answer: Answer, events: StreamEvents): Generator<Step, Cut> {
  const { options } = answer;
  for (const event of events.opening) yield* frame(event, answer);
  const cut = yield* contentSteps(answer, events.content);
  if (cut !== 'go-on') return cut;
  if (options.ending !== 'done-without-finish') {
    for (const event of events.finish) yield* frame(event, answer);
  }
  for (const event of events.usage) yield* frame(event, answer);
  if (options.ending !== 'no-done') {
    for (const event of events.closing) yield* frame(event, answer);
  }
  return 'go-on';
}

type Cut = 'go-on' | 'end' | 'reset' | 'half-close' | 'stall';

/** Plays the content and tells how it stopped: at its own end (`go-on`) or broken off. */
function* contentSteps({ options, request }: Answer, content: string[]): Generator<Step, Cut> {
  const ending = options.ending ?? 'complete';
  const cutAt = isCut(ending) ? (options.endingAfterChunks ?? content.length >> 1) : Number.POSITIVE_INFINITY;
  for (let index = 0; ; index += 1) {
    for (const injection of options.inject ?? []) {
      if (injection.afterChunks !== index) continue;
      yield* injectionSteps(injection.what, { options, request });
      if (injection.what === 'error-event') return 'end';
    }
    if (index >= cutAt || (index >= content.length && ending !== 'never')) break;
    if (index > 0 && options.chunkIntervalMs) yield { do: 'wait', durationMs: options.chunkIntervalMs };
    yield* frame(content[index % content.length] ?? '{}', { options, request });
  }
  if (!isCut(ending)) return 'go-on';
  return ending === 'no-finish-reason' ? 'end' : ending;
}

function isCut(ending: string): ending is 'reset' | 'half-close' | 'stall' | 'no-finish-reason' {
  return ['reset', 'half-close', 'stall', 'no-finish-reason'].includes(ending);
}

function* injectionSteps(what: string, { options, request }: Answer): Generator<Step> {
  const lineEnd = options.lineEnding === 'crlf' ? '\r\n' : '\n';
  if (what === 'malformed-json')
    yield* frame('{"id":"chatcmpl-double-0001","choices":[{', { options, request });
  else if (what === 'error-event') yield* frame(errorEvent({ options, request }), { options, request });
  else if (what === 'empty-choices')
    yield* frame('{"object":"chat.completion.chunk","choices":[]}', { options, request });
  else if (what === 'huge-event') yield* frame(hugeEvent(options, request), { options, request });
  else if (what === 'comments')
    yield* slices(Buffer.from(`: keep-alive${lineEnd}${lineEnd}:${lineEnd}`), options);
  else
    yield* slices(Buffer.from(`event: ping${lineEnd}id: 7${lineEnd}retry: 10${lineEnd}${lineEnd}`), options);
}

/** A valid content event, only far longer than a line buffer expects. */
function hugeEvent(options: AnswerOptions, request: CapturedRequest): string {
  const text = 'long '.repeat(Math.ceil((options.hugeEventBytes ?? defaultHugeEventBytes) / 5));
  // Without numbers of its own the double would count the words first.
  const usage = { promptTokens: 1, completionTokens: 1 };
  return answerEvents({ pieces: [text], usage }, request).content[0] ?? '{}';
}

/** Events of chat completions have no name; those of the other dialects are named by their type. */
function* frame(data: string, { options, request }: Answer): Generator<Step> {
  const lineEnd = options.lineEnding === 'crlf' ? '\r\n' : '\n';
  const dialect = options.dialect ?? dialectOf(request);
  const type = dialect === 'chat' ? undefined : /^\{"type":"([\w.]+)"/.exec(data)?.[1];
  const name = type === undefined ? '' : `event: ${type}${lineEnd}`;
  yield* slices(Buffer.from(`${name}data: ${data}${lineEnd}${lineEnd}`, options.encoding), options);
}

/** With `bytesPerWrite` a pause of no length lies between the writes, so that each is a packet of its own. */
function* slices(bytes: Buffer, options: AnswerOptions): Generator<Step> {
  const size = options.bytesPerWrite ?? bytes.length;
  for (let start = 0; start < bytes.length; start += size) {
    yield { do: 'write', bytes: bytes.subarray(start, start + size) };
    if (options.bytesPerWrite !== undefined) yield { do: 'wait', durationMs: 0 };
  }
}
