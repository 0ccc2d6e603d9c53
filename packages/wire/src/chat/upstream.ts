import { Content, openContent } from '../content.ts';
import { type Effort, nearestEffort } from '../effort.ts';
import type { JsonObject } from '../json/parse.ts';
import type { ChatBody, ChatNeeds, ChatRequest } from './types.ts';

/** What an endpoint on the OpenAI wire can do. What is absent it cannot. */
export interface ChatCapabilities {
  readonly tools?: boolean;
  readonly jsonSchema?: boolean;
  readonly images?: boolean;
  readonly logprobs?: boolean;
  readonly n?: boolean;
  readonly seed?: boolean;
  /** `frequency_penalty` and `presence_penalty`. */
  readonly penalties?: boolean;
  readonly logitBias?: boolean;
  readonly temperature?: boolean;
  readonly efforts?: readonly Effort[];
  readonly verbosity?: boolean;
  /** Exposes reasoning text, and takes it back in the messages of the assistant. */
  readonly reasoningText?: boolean;
  /** Knows `store`, which is then sent as false. */
  readonly store?: boolean;
  /** Knows the role `developer`; else it is sent as `system`. */
  readonly developerRole?: boolean;
  /** Wants `max_completion_tokens`; else the older `max_tokens` is sent. */
  readonly maxCompletionTokens?: boolean;
}

/** Where a request goes and with which limit. */
export interface ChatUpstream {
  readonly upstreamModel: string;
  readonly capabilities: ChatCapabilities;
  /** The output limit to send; absent sends none. */
  readonly maxOutputTokens?: number;
  /** Fields unknown to the gateway that the operator allows for this endpoint. */
  readonly passThroughParams?: ReadonlySet<string>;
}

/** A body for a supplier, and the names of everything the client sent that is not in it. */
export interface ChatUpstreamBody {
  readonly json: Content<string>;
  readonly ignoredParams: readonly string[];
}

/** Whether an endpoint can serve what a request cannot do without. The router asks before it chooses. */
export function meetsNeeds(needs: ChatNeeds, capabilities: ChatCapabilities): boolean {
  return (
    (!needs.tools || capabilities.tools === true) &&
    (!needs.jsonSchema || capabilities.jsonSchema === true) &&
    (!needs.images || capabilities.images === true) &&
    (!needs.logprobs || capabilities.logprobs === true) &&
    (!needs.n || capabilities.n === true)
  );
}

/** Which capability a field of the body needs. Fields that are not listed always go. */
const CAPABILITY_OF: ReadonlyMap<keyof ChatBody, keyof ChatCapabilities> = new Map([
  ['tools', 'tools'],
  ['tool_choice', 'tools'],
  ['parallel_tool_calls', 'tools'],
  ['temperature', 'temperature'],
  ['logprobs', 'logprobs'],
  ['top_logprobs', 'logprobs'],
  ['logit_bias', 'logitBias'],
  ['frequency_penalty', 'penalties'],
  ['presence_penalty', 'penalties'],
  ['seed', 'seed'],
  ['verbosity', 'verbosity'],
]);

const FIELDS = [
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'temperature',
  'top_p',
  'stop',
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'verbosity',
] as const satisfies readonly (keyof ChatBody)[];

function isOffered(field: (typeof FIELDS)[number], body: ChatBody, capabilities: ChatCapabilities): boolean {
  if (field === 'response_format') {
    return body.response_format?.type !== 'json_schema' || capabilities.jsonSchema === true;
  }
  const capability = CAPABILITY_OF.get(field);
  return capability === undefined || capabilities[capability] === true;
}

function adaptMessage(message: JsonObject, capabilities: ChatCapabilities): JsonObject {
  if (message.role === 'developer' && capabilities.developerRole !== true)
    return { ...message, role: 'system' };
  if (message.reasoning_content === undefined || capabilities.reasoningText === true) return message;
  const { reasoning_content: _unwanted, ...rest } = message;
  return rest;
}

/** Collects the fields that go, in a fixed order, which keeps a supplier's prefix cache warm. */
class BodyBuilder {
  readonly fields = new Map<string, unknown>();
  readonly ignored: Set<string>;
  readonly #request: ChatRequest;
  readonly #upstream: ChatUpstream;

  constructor(request: ChatRequest, upstream: ChatUpstream) {
    this.ignored = new Set(request.ignoredParams);
    this.#request = request;
    this.#upstream = upstream;
  }

  build(body: ChatBody): void {
    const { capabilities, upstreamModel } = this.#upstream;
    this.fields.set('model', upstreamModel);
    this.fields.set(
      'messages',
      body.messages.map((message) => adaptMessage(message, capabilities)),
    );
    this.#forward(body);
    this.#choices();
    this.#effort();
    this.#outputLimit();
    this.#streaming();
    if (capabilities.store === true) this.fields.set('store', false);
    this.#passThrough(body);
  }

  #forward(body: ChatBody): void {
    for (const field of FIELDS) {
      if (body[field] === undefined) continue;
      if (isOffered(field, body, this.#upstream.capabilities)) this.fields.set(field, body[field]);
      else this.ignored.add(field);
    }
  }

  #choices(): void {
    if (this.#request.choiceCount === 1) return;
    if (this.#upstream.capabilities.n === true) this.fields.set('n', this.#request.choiceCount);
    else this.ignored.add('n');
  }

  #effort(): void {
    const wanted = this.#request.effort;
    if (wanted === undefined) return;
    const effort = nearestEffort(wanted, this.#upstream.capabilities.efforts ?? []);
    if (effort === undefined) this.ignored.add('reasoning_effort');
    else this.fields.set('reasoning_effort', effort);
  }

  #outputLimit(): void {
    const { capabilities, maxOutputTokens } = this.#upstream;
    if (maxOutputTokens === undefined) return;
    const isModern = capabilities.maxCompletionTokens === true;
    this.fields.set(isModern ? 'max_completion_tokens' : 'max_tokens', maxOutputTokens);
  }

  // The supplier's own count is always wanted, whether or not the buyer asked to see it.
  #streaming(): void {
    this.fields.set('stream', this.#request.stream);
    if (this.#request.stream) this.fields.set('stream_options', { include_usage: true });
  }

  // Unknown fields never have a name that is set above, so the allow-list adds and cannot replace.
  #passThrough(body: ChatBody): void {
    for (const name of this.#upstream.passThroughParams ?? []) {
      if (!body.unknown.has(name)) continue;
      this.fields.set(name, body.unknown.get(name));
      this.ignored.delete(name);
    }
  }
}

/**
 * Makes the body for an endpoint on the OpenAI wire from the fields that may be forwarded. Nothing that
 * names the buyer is among them. `ignoredParams` is the complete list for the buyer's header.
 */
export function buildChatUpstreamBody(request: ChatRequest, upstream: ChatUpstream): ChatUpstreamBody {
  const builder = new BodyBuilder(request, upstream);
  builder.build(openContent(request.body));
  const json = JSON.stringify(Object.fromEntries(builder.fields));
  return { json: Content.of(json), ignoredParams: [...builder.ignored] };
}
