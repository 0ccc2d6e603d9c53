import { isJsonObject, type JsonObject, parseSupplierJson } from '../json/parse.ts';
import { isUpstreamError } from './answer.ts';

const QUOTE = 0x22;
/** A stream whose chunks differ in more than their text gains nothing, so it is not tried for long. */
const MAX_ATTEMPTS = 3;
const CONTENT_NAME = '"content"';

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

/** The text of a chunk that is one piece of text of the first choice and nothing else. */
function plainTextOf(chunk: JsonObject): string | undefined {
  const { choices } = chunk;
  if (isUpstreamError(chunk) || !isAbsent(chunk.usage) || !Array.isArray(choices) || choices.length !== 1)
    return;
  const choice: unknown = choices[0];
  if (!isJsonObject(choice) || (choice.index ?? 0) !== 0 || !isJsonObject(choice.delta)) return;
  if (!isAbsent(choice.finish_reason) || !isAbsent(choice.logprobs)) return;
  const { content, role: _role, ...others } = choice.delta;
  if (typeof content !== 'string' || content === '' || !Object.values(others).every(isAbsent)) return;
  return content;
}

function parseText(literal: string): string | undefined {
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === 'string' && value !== '' ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Most chunks of an answer differ from the one before in nothing but their text. Once one of them is known, the next is
 * compared with what stands around the text, and only the text is parsed: what an event means stays what parsing the
 * whole of it would say, since one string of JSON in the place of another changes nothing else.
 */
export class TextTemplate {
  #before = '';
  #after = '';
  #isKnown = false;
  #attempts = MAX_ATTEMPTS;

  /** The text of an event like the learnt one; undefined for all others. */
  textOf(data: string): string | undefined {
    const start = this.#before.length;
    const end = data.length - this.#after.length;
    if (!this.#isKnown || end <= start || data.charCodeAt(start) !== QUOTE) return undefined;
    if (!data.endsWith(this.#after) || !data.startsWith(this.#before)) return undefined;
    return parseText(data.slice(start, end));
  }

  /** What another event changed may be more than a text. */
  forget(): void {
    this.#isKnown = false;
  }

  /** Takes an event, and what it was parsed to, for the template of the next ones, if it is one of plain text. */
  learn(data: string, chunk: JsonObject): boolean {
    if (this.#attempts === 0) return false;
    const text = plainTextOf(chunk);
    if (text === undefined) return false;
    this.#attempts -= 1;
    const literal = JSON.stringify(text);
    const at = data.indexOf(literal, data.indexOf(CONTENT_NAME) + CONTENT_NAME.length);
    if (at === -1) return false;
    this.#before = data.slice(0, at);
    this.#after = data.slice(at + literal.length);
    this.#isKnown = this.#isPlaceOfText(`${text}.`);
    return this.#isKnown;
  }

  /** Whether another text in the same place is read as the text, which tells it from one that only looks like it. */
  #isPlaceOfText(probe: string): boolean {
    const chunk = parseSupplierJson(this.#before + JSON.stringify(probe) + this.#after);
    return chunk !== undefined && plainTextOf(chunk) === probe;
  }
}
