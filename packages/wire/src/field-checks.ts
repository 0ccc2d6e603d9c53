import type { ErrorCode } from './errors/catalogue.ts';
import { type GridError, gridError } from './errors/grid-error.ts';
import { isJsonObject, type JsonObject } from './json/parse.ts';

/** What a number, a list or a text must keep to. `param` is the path that messages name. */
export interface Bounds {
  readonly param: string;
  readonly min?: number;
  readonly max?: number;
}

// Names go into a response header, so only harmless ones do, and not without end.
const SAFE_NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const MAX_TOOL_NAME_LENGTH = 256;
const MAX_IGNORED_NAMES = 64;
const UNPRINTABLE_NAME = '?';

function rangeText({ min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return `between ${min} and ${max}`;
  return min === undefined ? `at most ${max}` : `at least ${min}`;
}

function isOutside(value: number, { min, max }: Bounds): boolean {
  return (min !== undefined && value < min) || (max !== undefined && value > max);
}

/**
 * Checks the members of one request and remembers the first mistake. Every check gives the value when it
 * is right and `undefined` when it is absent, null or wrong, so that a parser reads straight on and looks
 * at `error` at the end. Messages name parameters and numbers, never values.
 */
export class FieldChecks {
  #error: GridError | undefined;
  readonly #ignored = new Set<string>();

  /** The first mistake, if any. */
  get error(): GridError | undefined {
    return this.#error;
  }

  /** Names of members that were accepted and dropped. */
  get ignoredParams(): string[] {
    return [...this.#ignored];
  }

  /** Records a mistake; only the first one is kept. `message` is one sentence without request content. */
  fail(code: ErrorCode, param: string, message: string): undefined {
    this.#error ??= gridError(code, { param, message });
  }

  /** Records that a member was dropped. */
  ignore(name: string): void {
    if (this.#ignored.size >= MAX_IGNORED_NAMES) return;
    this.#ignored.add(SAFE_NAME.test(name) ? name : UNPRINTABLE_NAME);
  }

  /** Records as dropped what is there and not null. */
  ignorePresent(source: JsonObject, names: readonly string[]): void {
    for (const name of names) if (source[name] !== undefined && source[name] !== null) this.ignore(name);
  }

  /** Records as dropped every member that is not in the list, under a prefix such as `messages.`. */
  ignoreOthers(source: JsonObject, known: ReadonlySet<string>, prefix: string): void {
    for (const name in source) if (!known.has(name)) this.ignore(prefix + name);
  }

  /** Takes the members that this gateway does not know, and records them as dropped until an endpoint asks for one. */
  takeUnknown(source: JsonObject, known: ReadonlySet<string>): ReadonlyMap<string, unknown> {
    const unknown = new Map<string, unknown>();
    for (const name in source) {
      if (known.has(name) || source[name] === null) continue;
      unknown.set(name, source[name]);
      this.ignore(name);
    }
    return unknown;
  }

  /** A required name of a tool. */
  toolName(value: unknown, param: string): string | undefined {
    const name = this.requiredString(value, param);
    if (name === undefined || (name !== '' && name.length <= MAX_TOOL_NAME_LENGTH)) return name;
    return this.fail('invalid_value', param, `'${param}' must have 1 to ${MAX_TOOL_NAME_LENGTH} characters.`);
  }

  /** Records a missing member that is required. */
  missing(param: string): undefined {
    this.fail('invalid_request', param, `'${param}' is required.`);
  }

  /** Records a member of the wrong JSON type. */
  wrongType(param: string, expected: string): undefined {
    this.fail('invalid_request', param, `'${param}' must be ${expected}.`);
  }

  string(value: unknown, param: string): string | undefined {
    if (value === undefined || value === null) return undefined;
    return typeof value === 'string' ? value : this.wrongType(param, 'a string');
  }

  requiredString(value: unknown, param: string): string | undefined {
    return value === undefined || value === null ? this.missing(param) : this.string(value, param);
  }

  boolean(value: unknown, param: string): boolean | undefined {
    if (value === undefined || value === null) return undefined;
    return typeof value === 'boolean' ? value : this.wrongType(param, 'true or false');
  }

  number(value: unknown, bounds: Bounds): number | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'number') return this.wrongType(bounds.param, 'a number');
    if (!isOutside(value, bounds)) return value;
    return this.fail('invalid_value', bounds.param, `'${bounds.param}' must be ${rangeText(bounds)}.`);
  }

  integer(value: unknown, bounds: Bounds): number | undefined {
    const number = this.number(value, bounds);
    if (number === undefined || Number.isSafeInteger(number)) return number;
    return this.fail('invalid_value', bounds.param, `'${bounds.param}' must be a whole number.`);
  }

  object(value: unknown, param: string): JsonObject | undefined {
    if (value === undefined || value === null) return undefined;
    return isJsonObject(value) ? value : this.wrongType(param, 'an object');
  }

  array(value: unknown, bounds: Bounds): readonly unknown[] | undefined {
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) return this.wrongType(bounds.param, 'an array');
    if (!isOutside(value.length, bounds)) return value;
    return this.fail(
      'invalid_value',
      bounds.param,
      `'${bounds.param}' must have ${rangeText(bounds)} items.`,
    );
  }

  /** One of a few words; another text is out of range, another type is a wrong type. */
  oneOf<Word extends string>(value: unknown, param: string, words: readonly Word[]): Word | undefined {
    const text = this.string(value, param);
    if (text === undefined) return undefined;
    const word = words.find((candidate) => candidate === text);
    return word ?? this.fail('invalid_value', param, `'${param}' must be one of ${words.join(', ')}.`);
  }
}
