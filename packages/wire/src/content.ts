import { inspect } from 'node:util';

const PLACEHOLDER = '[content]';

// Set by the class below, which alone can read its private field.
let read: <Value>(content: Content<Value>) => Value;

/**
 * A prompt, a completion, or any piece of one.
 *
 * Whatever prints, serialises or compares it sees `[content]`: the value sits in a private field, so
 * that a log line, an error context or a database row cannot hold it by accident. The type is nominal:
 * no string, number or plain object type accepts it.
 *
 * The one way out is `openContent`, which lives behind the import path `@opengrid/wire/content` so that
 * an import rule can say who may use it.
 */
export class Content<Value = unknown> {
  static {
    read = (content) => content.#value;
  }

  readonly #value: Value;

  private constructor(value: Value) {
    this.#value = value;
  }

  /** Wraps a value. Nothing is copied: the holder keeps the value alive as long as it lives itself. */
  static of<Value>(value: Value): Content<Value> {
    return new Content(value);
  }

  /** Always `[content]`. */
  toString(): string {
    return PLACEHOLDER;
  }

  /** Always `[content]`, so that `JSON.stringify` of anything that holds content is harmless. */
  toJSON(): string {
    return PLACEHOLDER;
  }

  /** Always `[content]`, for `util.inspect` and with it `console.log` and assertion messages. */
  [inspect.custom](): string {
    return PLACEHOLDER;
  }
}

/**
 * Takes the value out of its holder. Only code that relays or converts inference may do this.
 *
 * @throws TypeError when the argument is no `Content`.
 */
export function openContent<Value>(content: Content<Value>): Value {
  return read(content);
}
