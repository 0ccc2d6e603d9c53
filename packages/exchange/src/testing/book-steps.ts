import { expect } from 'vitest';
import type { Book } from '../book/book.ts';

type Holder = Record<string, unknown>;
interface Found {
  readonly holder: Holder;
  readonly key: string;
  readonly array: Float64Array | Int32Array | Uint8Array;
}

/** Every typed array that a book is made of, wherever it hangs. */
function* arraysIn(holder: object): Generator<Found> {
  for (const [key, value] of Object.entries(holder)) {
    if (value instanceof Float64Array || value instanceof Int32Array || value instanceof Uint8Array) {
      yield { holder: holder as Holder, key, array: value };
    } else if (typeof value === 'object' && value !== null) yield* arraysIn(value);
  }
}

/** Bytes of the flat arrays of a book. */
export function bytesOf(book: Book): number {
  return [...arraysIn(book)].reduce((sum, { array }) => sum + array.byteLength, 0);
}

/** How many elements of its arrays a book reads and writes while `action` runs. */
export function countSteps(book: Book, action: () => unknown): number {
  let steps = 0;
  const found = [...arraysIn(book)];
  for (const { holder, key, array } of found) {
    holder[key] = new Proxy(array, {
      get(target, property) {
        steps += 1;
        const value: unknown = Reflect.get(target, property);
        return typeof value === 'function' ? value.bind(target) : value;
      },
      set(target, property, value) {
        steps += 1;
        return Reflect.set(target, property, value);
      },
    });
  }
  action();
  for (const { holder, key, array } of found) holder[key] = array;
  expect(steps, 'a counter that counts').toBeGreaterThan(0);
  return steps;
}
