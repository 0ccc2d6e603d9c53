import { isJsonObject, type JsonObject, parseSupplierJson } from '../json/parse.ts';

/** The member under which a call's arguments travel that are no JSON object, as the Messages dialect has it. */
const INVALID_JSON = 'INVALID_JSON';

/** The arguments of a call as an object. Text that is no JSON object is kept, in a member of its own. */
export function inputOfArguments(text: string): JsonObject {
  if (text.trim() === '') return {};
  return parseSupplierJson(text) ?? { [INVALID_JSON]: text };
}

/** The arguments of a call as text: the inverse of `inputOfArguments`. */
export function argumentsOfInput(input: unknown): string {
  if (!isJsonObject(input)) return JSON.stringify(input ?? {});
  const names = Object.keys(input);
  const kept = input[INVALID_JSON];
  return names.length === 1 && typeof kept === 'string' ? kept : JSON.stringify(input);
}
