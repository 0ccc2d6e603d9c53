import type { FieldChecks } from '../field-checks.ts';
import type { InputTally } from '../input-tally.ts';
import { isJsonObject, type JsonObject } from '../json/parse.ts';

const MAX_MESSAGES = 10_000;
const IMAGE_URL = /^(?:https:\/\/|data:image\/[a-z0-9.+-]{1,64};base64,)/i;
const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'] as const;
const DETAILS = ['auto', 'low', 'high'] as const;
const UNSUPPORTED_PARTS: ReadonlySet<unknown> = new Set(['input_audio', 'file', 'video_url']);

type Role = (typeof ROLES)[number];

const BASE_FIELDS = ['role', 'content', 'name'];
// Clients send answers back as they got them, with members that mean nothing in a request.
const ASSISTANT_FIELDS = [
  'refusal',
  'reasoning_content',
  'tool_calls',
  'function_call',
  'audio',
  'annotations',
];
const KNOWN_FIELDS: ReadonlyMap<Role, ReadonlySet<string>> = new Map(
  ROLES.map((role) => [role, new Set([...BASE_FIELDS, ...fieldsOf(role)])]),
);
const PART_FIELDS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['text', new Set(['type', 'text'])],
  ['refusal', new Set(['type', 'refusal'])],
  ['image_url', new Set(['type', 'image_url'])],
]);

function fieldsOf(role: Role): readonly string[] {
  if (role === 'assistant') return ASSISTANT_FIELDS;
  return role === 'tool' ? ['tool_call_id'] : [];
}

/** Reads the messages of one request, one after the other: legacy calls and their results need the order. */
export class MessageReader {
  readonly #checks: FieldChecks;
  readonly #tally: InputTally;
  #legacyCallId = 'call_0';

  constructor(checks: FieldChecks, tally: InputTally) {
    this.#checks = checks;
    this.#tally = tally;
  }

  /** Gives the messages reduced to known fields. After a mistake the list is incomplete. */
  read(value: unknown): readonly JsonObject[] {
    if (value === undefined || value === null) this.#checks.missing('messages');
    const items = this.#checks.array(value, { param: 'messages', min: 1, max: MAX_MESSAGES }) ?? [];
    const messages: JsonObject[] = [];
    for (let index = 0; index < items.length && this.#checks.error === undefined; index += 1) {
      messages.push(this.#message(items[index], index));
    }
    return messages;
  }

  #message(value: unknown, index: number): JsonObject {
    const param = `messages[${index}]`;
    if (!isJsonObject(value)) {
      this.#checks.wrongType(param, 'an object');
      return {};
    }
    if (value.role === undefined) this.#checks.missing(`${param}.role`);
    const role = this.#checks.oneOf(value.role, `${param}.role`, ROLES);
    if (role === undefined) return {};
    this.#tally.text(role);
    this.#checks.ignoreOthers(value, KNOWN_FIELDS.get(role) ?? new Set(), 'messages.');
    if (role === 'assistant') return this.#assistant(value, index);
    const content = this.#requiredContent(value.content, `${param}.content`);
    if (role === 'tool') return { role, tool_call_id: this.#toolCallId(value, param), content };
    if (role === 'function') return { role: 'tool', tool_call_id: this.#legacyCallId, content };
    return { role, content, ...this.#name(value, param) };
  }

  #name(message: JsonObject, param: string): JsonObject {
    const name = this.#checks.string(message.name, `${param}.name`);
    this.#tally.text(name);
    return name === undefined ? {} : { name };
  }

  #toolCallId(message: JsonObject, param: string): string | undefined {
    return this.#checks.requiredString(message.tool_call_id, `${param}.tool_call_id`);
  }

  #assistant(message: JsonObject, index: number): JsonObject {
    const param = `messages[${index}]`;
    const calls = this.#toolCalls(message, index);
    if (isJsonObject(message.audio)) {
      this.#checks.fail('unsupported_value', `${param}.audio`, 'Audio is not offered.');
    }
    const refusal = this.#checks.string(message.refusal, `${param}.refusal`);
    const reasoning = this.#checks.string(message.reasoning_content, `${param}.reasoning_content`);
    this.#tally.text(refusal);
    this.#tally.text(reasoning);
    const isEmpty = message.content === undefined || message.content === null;
    if (isEmpty && calls === undefined && refusal === undefined) this.#checks.missing(`${param}.content`);
    return {
      role: 'assistant',
      content: isEmpty ? null : this.#requiredContent(message.content, `${param}.content`),
      ...this.#name(message, param),
      ...(refusal === undefined ? {} : { refusal }),
      ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
      ...(calls === undefined ? {} : { tool_calls: calls }),
    };
  }

  #toolCalls(message: JsonObject, index: number): readonly JsonObject[] | undefined {
    const param = `messages[${index}].tool_calls`;
    const calls = this.#checks.array(message.tool_calls, { param });
    if (calls !== undefined && calls.length > 0)
      return calls.map((call, at) => this.#toolCall(call, `${param}[${at}]`));
    const legacy = this.#checks.object(message.function_call, `messages[${index}].function_call`);
    if (legacy === undefined) return undefined;
    this.#legacyCallId = `call_${index}`;
    const called = this.#calledFunction(legacy, `messages[${index}].function_call`);
    return [{ id: this.#legacyCallId, type: 'function', function: called }];
  }

  #toolCall(value: unknown, param: string): JsonObject {
    if (!isJsonObject(value)) {
      this.#checks.wrongType(param, 'an object');
      return {};
    }
    const type = this.#checks.string(value.type, `${param}.type`) ?? 'function';
    if (type !== 'function') {
      this.#checks.fail('unsupported_value', `${param}.type`, 'Only calls of functions are offered.');
    }
    const id = this.#checks.requiredString(value.id, `${param}.id`);
    return { id, type: 'function', function: this.#calledFunction(value.function, `${param}.function`) };
  }

  #calledFunction(value: unknown, param: string): JsonObject {
    const called = this.#checks.object(value, param) ?? {};
    const name = this.#checks.requiredString(called.name, `${param}.name`);
    const callArguments = this.#checks.requiredString(called.arguments, `${param}.arguments`);
    this.#tally.text(name);
    this.#tally.text(callArguments);
    return { name, arguments: callArguments };
  }

  #requiredContent(value: unknown, param: string): string | readonly JsonObject[] | undefined {
    if (value === undefined || value === null) return this.#checks.missing(param);
    if (typeof value === 'string') {
      this.#tally.text(value);
      return value;
    }
    if (!Array.isArray(value)) return this.#checks.wrongType(param, 'a string or an array of parts');
    const parts = this.#checks.array(value, { param, min: 1 }) ?? [];
    return parts.map((part, index) => this.#part(part, `${param}[${index}]`));
  }

  #part(value: unknown, param: string): JsonObject {
    const part = isJsonObject(value) ? value : {};
    if (part !== value) this.#checks.wrongType(param, 'an object');
    const type = this.#checks.requiredString(part.type, `${param}.type`) ?? '';
    const known = PART_FIELDS.get(type);
    if (known === undefined) return this.#refusePart(type, `${param}.type`);
    this.#checks.ignoreOthers(part, known, 'messages.content.');
    if (type === 'image_url') return { type, image_url: this.#image(part.image_url, `${param}.image_url`) };
    const text = this.#checks.requiredString(part[type], `${param}.${type}`);
    this.#tally.text(text);
    return { type, [type]: text };
  }

  #refusePart(type: string, param: string): JsonObject {
    const isForeseen = UNSUPPORTED_PARTS.has(type);
    const code = isForeseen ? 'unsupported_value' : 'invalid_value';
    this.#checks.fail(code, param, `'${param}' must be one of text, image_url, refusal.`);
    return {};
  }

  #image(value: unknown, param: string): JsonObject {
    if (value === undefined || value === null) this.#checks.missing(param);
    const image = this.#checks.object(value, param) ?? {};
    const url = this.#checks.requiredString(image.url, `${param}.url`);
    if (url !== undefined && !IMAGE_URL.test(url)) {
      const rule = `'${param}.url' must be an https address or a base64 data URL of an image.`;
      this.#checks.fail('invalid_value', `${param}.url`, rule);
    }
    this.#tally.image();
    const detail = this.#checks.oneOf(image.detail, `${param}.detail`, DETAILS);
    return detail === undefined ? { url } : { url, detail };
  }
}
