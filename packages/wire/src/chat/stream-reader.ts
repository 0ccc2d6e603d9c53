import { EventLog } from '../conversation/event-log.ts';
import type { AnswerEvent, StreamReader } from '../conversation/events.ts';
import { isJsonObject, type JsonObject, parseSupplierJson } from '../json/parse.ts';
import { usageFromOpenAi } from '../usage.ts';
import { argumentsOf, finishReasonOf, isUpstreamError, MALFORMED, reasoningOf, textOf } from './answer.ts';
import { TextTemplate } from './text-template.ts';

interface OpenCall {
  readonly upstreamIndex: number;
  readonly id: unknown;
  readonly call: number;
  text: string;
  isOpen: boolean;
}

/** Entries of `logprobs.content`, in the form that the dialects share. */
export function logprobsOf(value: unknown): readonly JsonObject[] | undefined {
  const content = isJsonObject(value) ? value.content : undefined;
  return Array.isArray(content) && content.length > 0 ? content.filter(isJsonObject) : undefined;
}

function isWholeJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Reads the stream of a supplier on the OpenAI Chat wire. Of several choices the first one counts. */
export class ChatStreamReader implements StreamReader {
  readonly #log: EventLog;
  readonly #template = new TextTemplate();
  #calls: OpenCall[] = [];
  #finish: Exclude<ReturnType<typeof finishReasonOf>, null | typeof MALFORMED> | undefined;

  constructor(callIdStem: string) {
    this.#log = new EventLog(callIdStem);
  }

  push(data: string): readonly AnswerEvent[] {
    if (data === '[DONE]') this.#log.done();
    else this.#event(data);
    return this.#log.take();
  }

  // Some servers close after the finish reason without saying that this was all.
  end(): readonly AnswerEvent[] {
    this.#log.done();
    return this.#log.take();
  }

  #event(data: string): void {
    const text = this.#template.textOf(data);
    if (text !== undefined) {
      this.#log.text(text);
      return;
    }
    this.#template.forget();
    const chunk = parseSupplierJson(data);
    this.#read(chunk);
    if (chunk !== undefined) this.#template.learn(data, chunk);
  }

  #read(chunk: JsonObject | undefined): undefined {
    if (chunk === undefined) return this.#log.fail('malformed');
    if (isUpstreamError(chunk)) return this.#log.fail('upstream_error');
    const choices = chunk.choices ?? (isJsonObject(chunk.usage) ? [] : undefined);
    if (!Array.isArray(choices)) return this.#log.fail('malformed');
    this.#log.start(chunk.model);
    for (const [position, choice] of choices.entries()) this.#choice(choice, position);
    this.#log.usage(usageFromOpenAi(chunk.usage));
  }

  #choice(choice: unknown, position: number): undefined {
    if (!isJsonObject(choice)) return this.#log.fail('malformed');
    if ((choice.index ?? position) !== 0) return;
    const finish = finishReasonOf(choice.finish_reason);
    if (finish === MALFORMED) return this.#log.fail('malformed');
    this.#delta(choice.delta ?? {}, choice.logprobs);
    if (finish === null) return;
    this.#finish ??= finish;
    this.#log.stop(this.#finish);
  }

  #delta(delta: unknown, logprobs: unknown): undefined {
    if (!isJsonObject(delta)) return this.#log.fail('malformed');
    const text = textOf(delta.content);
    const refusal = textOf(delta.refusal);
    if (text === MALFORMED || refusal === MALFORMED) return this.#log.fail('malformed');
    this.#log.reasoning(reasoningOf(delta) ?? '');
    this.#log.text(text ?? '', logprobsOf(logprobs));
    this.#log.refusal(refusal ?? '');
    const calls = delta.tool_calls ?? [];
    if (!Array.isArray(calls)) return this.#log.fail('malformed');
    for (const [position, call] of calls.entries()) this.#call(call, position);
  }

  // Some suppliers number every call 0, or repeat id and name in each piece: an id not seen before at its
  // place begins a call.
  #call(call: unknown, position: number): undefined {
    if (!isJsonObject(call)) return this.#log.fail('malformed');
    const upstreamIndex = typeof call.index === 'number' ? call.index : position;
    const called = isJsonObject(call.function) ? call.function : {};
    const known = this.#calls.findLast((candidate) => candidate.upstreamIndex === upstreamIndex);
    const isNew = typeof call.id === 'string' && call.id !== '' && call.id !== known?.id;
    const target = known === undefined || isNew ? this.#begin(call, called, upstreamIndex) : known;
    const text = argumentsOf(called.arguments);
    target.text += text;
    this.#log.callArguments(target.call, text);
  }

  #begin(call: JsonObject, called: JsonObject, upstreamIndex: number): OpenCall {
    this.#closeWhole();
    const id = typeof call.id === 'string' ? call.id : '';
    const name = typeof called.name === 'string' ? called.name : '';
    const begun = { upstreamIndex, id, call: this.#log.call({ id, name }), text: '', isOpen: true };
    this.#calls.push(begun);
    return begun;
  }

  // The wire does not say when a call ends. When the next one begins, those whose arguments are whole have
  // ended; an unfinished one stays open, in case a supplier writes several at once.
  #closeWhole(): void {
    for (const known of this.#calls) {
      if (!known.isOpen || !isWholeJson(known.text)) continue;
      known.isOpen = false;
      this.#log.callEnd(known.call);
    }
  }
}

/** Reads a supplier's complete answer on the OpenAI Chat wire. */
export function readChatAnswer(jsonText: string, callIdStem: string): readonly AnswerEvent[] {
  const log = new EventLog(callIdStem);
  const answer = parseSupplierJson(jsonText);
  if (answer === undefined) log.fail('malformed');
  else if (isUpstreamError(answer)) log.fail('upstream_error');
  else readCompletion(answer, log);
  log.done();
  return log.take();
}

function readCompletion(answer: JsonObject, log: EventLog): undefined {
  const choice: unknown = Array.isArray(answer.choices) ? answer.choices[0] : undefined;
  const message = isJsonObject(choice) ? choice.message : undefined;
  if (!isJsonObject(choice) || !isJsonObject(message)) return log.fail('malformed');
  log.start(answer.model);
  readMessage(message, choice.logprobs, log);
  log.usage(usageFromOpenAi(answer.usage));
  const finish = finishReasonOf(choice.finish_reason);
  if (finish === MALFORMED || finish === null) log.fail('malformed');
  else log.stop(finish);
}

function readMessage(message: JsonObject, logprobs: unknown, log: EventLog): undefined {
  const text = textOf(message.content);
  const refusal = textOf(message.refusal);
  if (text === MALFORMED || refusal === MALFORMED) return log.fail('malformed');
  log.reasoning(reasoningOf(message) ?? '');
  log.text(text ?? '', logprobsOf(logprobs));
  log.refusal(refusal ?? '');
  for (const call of Array.isArray(message.tool_calls) ? message.tool_calls.filter(isJsonObject) : []) {
    const called = isJsonObject(call.function) ? call.function : {};
    const name = typeof called.name === 'string' ? called.name : '';
    const number = log.call({ id: typeof call.id === 'string' ? call.id : '', name });
    log.callArguments(number, argumentsOf(called.arguments));
    log.callEnd(number);
  }
}
