import type { FieldChecks } from '../field-checks.ts';
import type { InputTally } from '../input-tally.ts';
import { isJsonObject, type JsonObject } from '../json/parse.ts';

const MAX_ITEMS = 100_000;
const ROLES = ['user', 'assistant', 'system', 'developer'] as const;
const DETAILS = ['auto', 'low', 'high', 'original'] as const;
const IMAGE_URL = /^(?:https:\/\/|data:image\/[a-z0-9.+-]{1,64};base64,)/i;

// Clients send items back as they got them, with members that mean nothing in a request.
const RETURNED = ['id', 'status', 'created_by', 'caller', 'namespace'];
const ITEM_FIELDS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    message: ['role', 'content', 'phase'],
    function_call: ['call_id', 'name', 'arguments'],
    function_call_output: ['call_id', 'output'],
    custom_tool_call: ['call_id', 'name', 'input'],
    custom_tool_call_output: ['call_id', 'output'],
    reasoning: ['summary', 'content', 'encrypted_content'],
  }).map(([type, fields]) => [type, new Set(['type', ...RETURNED, ...fields])]),
);
const PART_FIELDS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['input_text', new Set(['type', 'text'])],
  ['output_text', new Set(['type', 'text', 'annotations', 'logprobs'])],
  ['refusal', new Set(['type', 'refusal'])],
  ['input_image', new Set(['type', 'image_url', 'detail', 'file_id'])],
]);
const INPUT_PARTS = ['input_text', 'input_image'];
const MESSAGE_PARTS = [...INPUT_PARTS, 'output_text', 'refusal'];

/** Reads the input items of one request: checks each and reduces it to the fields that may go on. */
export class ItemReader {
  readonly #checks: FieldChecks;
  readonly #tally: InputTally;
  hasCustomCalls = false;

  constructor(checks: FieldChecks, tally: InputTally) {
    this.#checks = checks;
    this.#tally = tally;
  }

  read(value: unknown): string | readonly JsonObject[] {
    if (value === undefined || value === null) this.#checks.missing('input');
    if (typeof value === 'string') {
      this.#tally.text(value);
      return value;
    }
    const items = this.#checks.array(value, { param: 'input', min: 1, max: MAX_ITEMS }) ?? [];
    const read: JsonObject[] = [];
    for (let index = 0; index < items.length && this.#checks.error === undefined; index += 1) {
      read.push(this.#item(items[index], `input[${index}]`));
    }
    return read;
  }

  #item(value: unknown, param: string): JsonObject {
    if (!isJsonObject(value)) {
      this.#checks.wrongType(param, 'an object');
      return {};
    }
    const type = this.#typeOf(value, param);
    const known = ITEM_FIELDS.get(type);
    if (known === undefined) return this.#refuseItem(type, param);
    this.#checks.ignoreOthers(value, known, 'input.');
    if (type === 'message') return this.#message(value, param);
    if (type === 'reasoning') return this.#reasoning(value, param);
    return type.endsWith('_output') ? this.#output(type, value, param) : this.#call(type, value, param);
  }

  // A message may leave its type out; what has nothing but an id refers to an item that was never kept.
  #typeOf(value: JsonObject, param: string): string {
    const type = this.#checks.string(value.type, `${param}.type`);
    if (type !== undefined) return type;
    return value.role === undefined && value.id !== undefined ? 'item_reference' : 'message';
  }

  #refuseItem(type: string, param: string): JsonObject {
    if (type === 'item_reference') return this.#refuseStored(param);
    const message = `'${param}.type' is a kind of item that is not offered here.`;
    this.#checks.fail('unsupported_value', `${param}.type`, message);
    return {};
  }

  #refuseStored(param: string): JsonObject {
    const message = `'${param}' refers to something stored: nothing is kept here.`;
    this.#checks.fail('unsupported_parameter', param, message);
    return {};
  }

  #message(value: JsonObject, param: string): JsonObject {
    if (value.role === undefined) this.#checks.missing(`${param}.role`);
    const role = this.#checks.oneOf(value.role, `${param}.role`, ROLES);
    const phase = this.#checks.string(value.phase, `${param}.phase`);
    this.#tally.text(role);
    const content = this.#content(value.content, `${param}.content`, MESSAGE_PARTS);
    return { type: 'message', role, content, ...(phase === undefined ? {} : { phase }) };
  }

  #content(value: unknown, param: string, types: readonly string[]): string | readonly JsonObject[] {
    if (value === undefined || value === null) this.#checks.missing(param);
    if (typeof value === 'string') {
      this.#tally.text(value);
      return value;
    }
    const parts = this.#checks.array(value, { param }) ?? [];
    return parts.map((part, index) => this.#part(part, `${param}[${index}]`, types));
  }

  #part(value: unknown, param: string, types: readonly string[]): JsonObject {
    const part = isJsonObject(value) ? value : {};
    if (part !== value) this.#checks.wrongType(param, 'an object');
    const type = this.#checks.requiredString(part.type, `${param}.type`) ?? '';
    if (type === 'input_file') return this.#refuseStored(param);
    if (!types.includes(type)) {
      const message = `'${param}.type' must be one of ${types.join(', ')}.`;
      this.#checks.fail('unsupported_value', `${param}.type`, message);
      return {};
    }
    this.#checks.ignoreOthers(part, PART_FIELDS.get(type) ?? new Set(), 'input.content.');
    if (type === 'input_image') return this.#image(part, param);
    const member = type === 'refusal' ? 'refusal' : 'text';
    const text = this.#checks.requiredString(part[member], `${param}.${member}`);
    this.#tally.text(text);
    return { type, [member]: text };
  }

  #image(part: JsonObject, param: string): JsonObject {
    if (part.file_id !== undefined && part.file_id !== null) return this.#refuseStored(`${param}.file_id`);
    const url = this.#checks.requiredString(part.image_url, `${param}.image_url`);
    if (url !== undefined && !IMAGE_URL.test(url)) {
      const rule = `'${param}.image_url' must be an https address or a base64 data URL of an image.`;
      this.#checks.fail('invalid_value', `${param}.image_url`, rule);
    }
    this.#tally.image();
    const detail = this.#checks.oneOf(part.detail, `${param}.detail`, DETAILS);
    return { type: 'input_image', image_url: url, ...(detail === undefined ? {} : { detail }) };
  }

  #call(type: string, value: JsonObject, param: string): JsonObject {
    const member = type === 'function_call' ? 'arguments' : 'input';
    if (type === 'custom_tool_call') this.hasCustomCalls = true;
    const callId = this.#checks.requiredString(value.call_id, `${param}.call_id`);
    const name = this.#checks.requiredString(value.name, `${param}.name`);
    const text = this.#checks.requiredString(value[member], `${param}.${member}`);
    this.#tally.text(name);
    this.#tally.text(text);
    return { type, call_id: callId, name, [member]: text };
  }

  #output(type: string, value: JsonObject, param: string): JsonObject {
    if (type === 'custom_tool_call_output') this.hasCustomCalls = true;
    const callId = this.#checks.requiredString(value.call_id, `${param}.call_id`);
    return { type, call_id: callId, output: this.#content(value.output, `${param}.output`, INPUT_PARTS) };
  }

  #reasoning(value: JsonObject, param: string): JsonObject {
    const summary = this.#texts(value.summary, `${param}.summary`, 'summary_text');
    const content = this.#texts(value.content, `${param}.content`, 'reasoning_text');
    const encrypted = this.#checks.string(value.encrypted_content, `${param}.encrypted_content`);
    return {
      type: 'reasoning',
      summary,
      ...(content.length === 0 ? {} : { content }),
      ...(encrypted === undefined ? {} : { encrypted_content: encrypted }),
    };
  }

  #texts(value: unknown, param: string, type: string): readonly JsonObject[] {
    const parts = this.#checks.array(value, { param }) ?? [];
    return parts.map((part, index) => {
      const source = isJsonObject(part) ? part : {};
      const text = this.#checks.requiredString(source.text, `${param}[${index}].text`);
      this.#tally.text(text);
      return { type, text };
    });
  }
}
