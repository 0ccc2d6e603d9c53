import type { FieldChecks } from '../field-checks.ts';
import type { InputTally } from '../input-tally.ts';
import { isJsonObject, type JsonObject } from '../json/parse.ts';

const MAX_MESSAGES = 100_000;
const ROLES = ['user', 'assistant', 'system'] as const;
const HTTPS = /^https:\/\//i;
const IMAGE_TYPE = /^image\/[a-z0-9.+-]{1,64}$/i;
const MESSAGE_FIELDS: ReadonlySet<string> = new Set(['role', 'content']);

/** Members of each block that are forwarded on the Anthropic wire; others are dropped and named. */
const BLOCK_FIELDS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    text: ['text', 'citations'],
    image: ['source'],
    document: ['source', 'title', 'context', 'citations'],
    search_result: ['source', 'title', 'content', 'citations'],
    tool_use: ['id', 'name', 'input', 'caller'],
    tool_result: ['tool_use_id', 'content', 'is_error'],
    tool_reference: ['tool_name'],
    thinking: ['thinking', 'signature'],
    redacted_thinking: ['data'],
  }).map(([type, fields]) => [type, new Set(['type', 'cache_control', ...fields])]),
);
const TOP_TYPES: ReadonlySet<string> = new Set(
  [...BLOCK_FIELDS.keys()].filter((type) => type !== 'tool_reference'),
);
const RESULT_TYPES: ReadonlySet<string> = new Set([
  'text',
  'image',
  'document',
  'search_result',
  'tool_reference',
]);
const SYSTEM_TYPES: ReadonlySet<string> = new Set(['text']);

/** Bytes of a document for each byte of text it is taken for: base64 of pages with little text on them. */
const DOCUMENT_BYTES_PER_TEXT_BYTE = 8;

/** What the list of messages was seen to hold. */
export interface Seen {
  documents: boolean;
  cacheMarks: boolean;
}

/** Reads system text and messages: checks every block and reduces it to the fields that may go on. */
export class BlockReader {
  readonly seen: Seen = { documents: false, cacheMarks: false };
  readonly #checks: FieldChecks;
  readonly #tally: InputTally;

  constructor(checks: FieldChecks, tally: InputTally) {
    this.#checks = checks;
    this.#tally = tally;
  }

  system(value: unknown): string | readonly JsonObject[] | undefined {
    if (value === undefined || value === null) return undefined;
    return this.#content(value, 'system', SYSTEM_TYPES);
  }

  messages(value: unknown): readonly JsonObject[] {
    if (value === undefined || value === null) this.#checks.missing('messages');
    const items = this.#checks.array(value, { param: 'messages', min: 1, max: MAX_MESSAGES }) ?? [];
    const messages: JsonObject[] = [];
    for (let index = 0; index < items.length && this.#checks.error === undefined; index += 1) {
      messages.push(this.#message(items[index], `messages[${index}]`));
    }
    return messages;
  }

  /** A mark for the supplier's cache: `1h` is lowered to `5m`, the longest that is kept in memory only. */
  cacheControl(source: JsonObject, owner: string): { cache_control?: JsonObject } {
    const param = owner === '' ? 'cache_control' : `${owner}.cache_control`;
    const mark = this.#checks.object(source.cache_control, param);
    if (mark === undefined) return {};
    this.seen.cacheMarks = true;
    const ttl = this.#checks.oneOf(mark.ttl, `${param}.ttl`, ['5m', '1h']);
    return { cache_control: ttl === undefined ? { type: 'ephemeral' } : { type: 'ephemeral', ttl: '5m' } };
  }

  #message(value: unknown, param: string): JsonObject {
    if (!isJsonObject(value)) {
      this.#checks.wrongType(param, 'an object');
      return {};
    }
    if (value.role === undefined) this.#checks.missing(`${param}.role`);
    const role = this.#checks.oneOf(value.role, `${param}.role`, ROLES);
    this.#checks.ignoreOthers(value, MESSAGE_FIELDS, 'messages.');
    this.#tally.text(role);
    if (value.content === undefined || value.content === null) this.#checks.missing(`${param}.content`);
    const types = role === 'system' ? SYSTEM_TYPES : TOP_TYPES;
    return { role, content: this.#content(value.content ?? '', `${param}.content`, types) };
  }

  #content(value: unknown, param: string, types: ReadonlySet<string>): string | readonly JsonObject[] {
    if (typeof value === 'string') {
      this.#tally.text(value);
      return value;
    }
    if (!Array.isArray(value)) {
      this.#checks.wrongType(param, 'a string or an array of blocks');
      return [];
    }
    return value.map((block, index) => this.#block(block, `${param}[${index}]`, types));
  }

  #block(value: unknown, param: string, types: ReadonlySet<string>): JsonObject {
    const block = isJsonObject(value) ? value : {};
    if (block !== value) this.#checks.wrongType(param, 'an object');
    const type = this.#checks.requiredString(block.type, `${param}.type`) ?? '';
    const known = BLOCK_FIELDS.get(type);
    if (known === undefined || !types.has(type)) {
      const message = `'${param}.type' is a kind of block that is not offered here.`;
      this.#checks.fail('unsupported_value', `${param}.type`, message);
      return {};
    }
    this.#checks.ignoreOthers(block, known, 'messages.content.');
    return { type, ...this.#members(type, block, param), ...this.cacheControl(block, param) };
  }

  #members(type: string, block: JsonObject, param: string): JsonObject {
    if (type === 'text') return this.#text(block, param);
    if (type === 'image') return { source: this.#image(block.source, `${param}.source`) };
    if (type === 'tool_use') return this.#toolUse(block, param);
    if (type === 'tool_result') return this.#toolResult(block, param);
    if (type === 'tool_reference') {
      return { tool_name: this.#checks.requiredString(block.tool_name, `${param}.tool_name`) };
    }
    if (type === 'thinking') return this.#thinking(block, param);
    if (type === 'redacted_thinking') {
      return { data: this.#checks.requiredString(block.data, `${param}.data`) };
    }
    return this.#document(block, param);
  }

  #text(block: JsonObject, param: string): JsonObject {
    const text = this.#checks.requiredString(block.text, `${param}.text`);
    this.#tally.text(text);
    const citations = this.#checks.array(block.citations, { param: `${param}.citations` });
    return citations === undefined ? { text } : { text, citations };
  }

  #image(value: unknown, param: string): JsonObject {
    this.#tally.image();
    const source = this.#source(value, param);
    if (source.type === 'url') return { type: 'url', url: this.#url(source.url, `${param}.url`) };
    if (source.type !== 'base64') return this.#refuseSource(param);
    const mediaType = this.#checks.requiredString(source.media_type, `${param}.media_type`) ?? '';
    if (!IMAGE_TYPE.test(mediaType)) {
      const rule = `'${param}.media_type' must be a type of image.`;
      this.#checks.fail('invalid_value', `${param}.media_type`, rule);
    }
    const data = this.#checks.requiredString(source.data, `${param}.data`);
    return { type: 'base64', media_type: mediaType, data };
  }

  #source(value: unknown, param: string): JsonObject {
    if (value === undefined || value === null) this.#checks.missing(param);
    return this.#checks.object(value, param) ?? {};
  }

  #url(value: unknown, param: string): string | undefined {
    const url = this.#checks.requiredString(value, param);
    if (url === undefined || HTTPS.test(url)) return url;
    return this.#checks.fail('invalid_value', param, `'${param}' must be an https address.`);
  }

  #refuseSource(param: string): JsonObject {
    const message = `'${param}.type' must be base64 or url: stored files are not kept here.`;
    this.#checks.fail('unsupported_value', `${param}.type`, message);
    return {};
  }

  #toolUse(block: JsonObject, param: string): JsonObject {
    const id = this.#checks.requiredString(block.id, `${param}.id`);
    const name = this.#checks.requiredString(block.name, `${param}.name`);
    if (block.input === undefined || block.input === null) this.#checks.missing(`${param}.input`);
    const input = this.#checks.object(block.input, `${param}.input`) ?? {};
    this.#tally.text(name);
    this.#tally.json(input);
    const caller = this.#checks.object(block.caller, `${param}.caller`);
    return caller === undefined ? { id, name, input } : { id, name, input, caller };
  }

  #toolResult(block: JsonObject, param: string): JsonObject {
    const id = this.#checks.requiredString(block.tool_use_id, `${param}.tool_use_id`);
    const isError = this.#checks.boolean(block.is_error, `${param}.is_error`);
    const content = block.content ?? undefined;
    return {
      tool_use_id: id,
      ...(content === undefined ? {} : { content: this.#content(content, `${param}.content`, RESULT_TYPES) }),
      ...(isError === undefined ? {} : { is_error: isError }),
    };
  }

  #thinking(block: JsonObject, param: string): JsonObject {
    const thinking = this.#checks.requiredString(block.thinking, `${param}.thinking`);
    const signature = this.#checks.string(block.signature, `${param}.signature`) ?? '';
    this.#tally.text(thinking);
    return { thinking, signature };
  }

  // Documents go on as they came, but no stored file may hide in them.
  #document(block: JsonObject, param: string): JsonObject {
    this.seen.documents = true;
    const { type: _type, cache_control: _mark, ...members } = block;
    if (isJsonObject(block.source)) this.#documentSource(block.source, `${param}.source`);
    else if (block.type === 'document') this.#checks.missing(`${param}.source`);
    else this.#checks.requiredString(block.source, `${param}.source`);
    const known = BLOCK_FIELDS.get(String(block.type));
    return Object.fromEntries(Object.entries(members).filter(([name]) => known?.has(name) === true));
  }

  #documentSource(source: JsonObject, param: string): void {
    if (source.type === 'url') this.#url(source.url, `${param}.url`);
    else if (source.type === 'text')
      this.#tally.text(this.#checks.requiredString(source.data, `${param}.data`));
    else if (source.type === 'base64') {
      const data = this.#checks.requiredString(source.data, `${param}.data`) ?? '';
      this.#tally.textBytes += Math.ceil(data.length / DOCUMENT_BYTES_PER_TEXT_BYTE);
    } else if (source.type === 'content')
      this.#content(source.content ?? '', `${param}.content`, RESULT_TYPES);
    else this.#refuseSource(param);
  }
}
