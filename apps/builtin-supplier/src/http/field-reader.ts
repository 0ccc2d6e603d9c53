import type { JsonObject } from './body.ts';
import { type ApiError, invalidField } from './errors.ts';

/** The numbers a field allows. */
export type NumberRule = { min: number; max: number; fallback: number };

/**
 * Reads the fields of one request and remembers the first thing that is wrong with it. Null counts as absent.
 */
export class FieldReader {
  readonly #body: JsonObject;
  #problem: ApiError | undefined;

  constructor(body: JsonObject) {
    this.#body = body;
  }

  get problem(): ApiError | undefined {
    return this.#problem;
  }

  /** The value as it is; undefined when absent or null. */
  raw(name: string): unknown {
    return this.#body[name] ?? undefined;
  }

  /** Notes a problem; only the first one is kept. */
  refuse(param: string, message: string, code?: string): void {
    this.#problem ??= invalidField(param, message, code);
  }

  number(name: string, rule: NumberRule): number {
    const value = this.raw(name);
    if (value === undefined) return rule.fallback;
    if (typeof value === 'number' && value >= rule.min && value <= rule.max) return value;
    this.refuse(name, `'${name}' must be a number from ${rule.min} to ${rule.max}.`);
    return rule.fallback;
  }

  /** A whole number, or undefined when absent. */
  integer(name: string, min: number): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min) return value;
    this.refuse(name, `'${name}' must be a whole number of at least ${min}.`);
    return undefined;
  }

  flag(name: string): boolean {
    const value = this.raw(name);
    if (value !== undefined && typeof value !== 'boolean')
      this.refuse(name, `'${name}' must be true or false.`);
    return value === true;
  }
}
