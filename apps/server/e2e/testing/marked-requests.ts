import { type Canary, makeCanaries, type RawRequest, type SupplierBehaviour } from '@opengrid/testing';

const PLACES = [
  'prompt',
  'system prompt',
  'tool name',
  'tool description',
  'tool arguments',
  'tool result',
  'schema',
  'stop',
  'image',
  'file name',
  'file',
  'user',
  'metadata',
  'cache key',
  'unknown field',
  'header',
  'client reference',
  'client request id',
  'idempotency key',
  'query',
  'path',
  'model',
  'credential',
  'broken JSON',
  'large body',
  'completion',
  'reasoning',
  'tool call',
  'supplier error',
  'supplier header',
] as const;
export type Place = (typeof PLACES)[number];

/** What a buyer says about itself, which no supplier may learn. */
export const OF_THE_BUYER: readonly Place[] = [
  'user',
  'metadata',
  'cache key',
  'unknown field',
  'header',
  'client reference',
  'client request id',
  'idempotency key',
  'query',
];

/** Where a request can go in, by path. */
export const SURFACES = ['chat/completions', 'messages', 'responses'] as const;
export type Surface = (typeof SURFACES)[number];

export interface Target {
  readonly url: string;
  readonly key: string;
}

/** Requests, and answers of a supplier, with another marker in every place where a text can be. */
export class MarkedRequests {
  readonly canaries: Map<Place, Canary> = makeCanaries(PLACES);

  /** The text that marks a place. */
  mark(place: Place): string {
    const canary = this.canaries.get(place);
    if (canary === undefined) throw new Error(`no marker for ${place}`);
    return canary.marker;
  }

  headers(): Record<string, string> {
    return {
      'user-agent': `client/${this.mark('header')}`,
      'x-custom': this.mark('header'),
      'x-grid-client-ref': this.mark('client reference'),
      'x-client-request-id': this.mark('client request id'),
      'idempotency-key': this.mark('idempotency key'),
      'anthropic-beta': this.mark('header'),
      'anthropic-version': this.mark('header'),
    };
  }

  /** A body that is served. */
  body(more: Record<string, unknown> = {}): Record<string, unknown> {
    const call = { name: this.mark('tool name'), arguments: `{"q":"${this.mark('tool arguments')}"}` };
    const tool = { name: call.name, description: this.mark('tool description') };
    const parameters = this.schema();
    return {
      model: 'text-standard',
      messages: [
        { role: 'system', content: this.mark('system prompt') },
        { role: 'user', content: [{ type: 'text', text: this.mark('prompt') }] },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: call }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: this.mark('tool result') },
      ],
      tools: [{ type: 'function', function: { ...tool, parameters } }],
      stop: [this.mark('stop')],
      user: this.mark('user'),
      safety_identifier: this.mark('user'),
      metadata: { note: this.mark('metadata') },
      prompt_cache_key: this.mark('cache key'),
      [`field_${this.mark('unknown field')}`]: this.mark('unknown field'),
      ...more,
    };
  }

  /** The same for Messages. */
  messagesBody(more: Record<string, unknown> = {}): Record<string, unknown> {
    const text = (place: Place) => ({ type: 'text', text: this.mark(place) });
    const input = { q: this.mark('tool arguments') };
    const result = [text('tool result')];
    return {
      model: 'text-standard',
      max_tokens: 1_000,
      system: [{ ...text('system prompt'), cache_control: { type: 'ephemeral' } }],
      messages: [
        { role: 'user', content: [text('prompt')] },
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 'call_1', name: this.mark('tool name'), input }],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: result }] },
      ],
      tools: [
        {
          name: this.mark('tool name'),
          description: this.mark('tool description'),
          input_schema: this.schema(),
        },
      ],
      stop_sequences: [this.mark('stop')],
      metadata: { user_id: this.mark('user') },
      context_management: { edits: [{ type: this.mark('metadata') }] },
      [`field_${this.mark('unknown field')}`]: this.mark('unknown field'),
      ...more,
    };
  }

  /** The same for Responses. */
  responsesBody(more: Record<string, unknown> = {}): Record<string, unknown> {
    const name = this.mark('tool name');
    const args = JSON.stringify({ q: this.mark('tool arguments') });
    return {
      model: 'text-standard',
      instructions: this.mark('system prompt'),
      input: [
        { role: 'user', content: [{ type: 'input_text', text: this.mark('prompt') }] },
        { type: 'function_call', call_id: 'call_1', name, arguments: args },
        { type: 'function_call_output', call_id: 'call_1', output: this.mark('tool result') },
      ],
      tools: [
        {
          type: 'function',
          name,
          description: this.mark('tool description'),
          parameters: this.schema(),
          strict: false,
        },
      ],
      store: true,
      user: this.mark('user'),
      safety_identifier: this.mark('user'),
      metadata: { note: this.mark('metadata') },
      prompt_cache_key: this.mark('cache key'),
      [`field_${this.mark('unknown field')}`]: this.mark('unknown field'),
      ...more,
    };
  }

  private schema(): Record<string, unknown> {
    return { type: 'object', properties: { [this.mark('schema')]: { type: 'string' } } };
  }

  /** A request that is served, marked in address and headers as well. */
  request(
    target: Target,
    more: Record<string, unknown> = {},
    surface: Surface = 'chat/completions',
  ): RawRequest {
    const url = `${target.url}/v1/${surface}?trace=${this.mark('query')}`;
    const body = {
      'chat/completions': () => this.body(more),
      messages: () => this.messagesBody(more),
      responses: () => this.responsesBody(more),
    }[surface]();
    return { url, key: target.key, headers: this.headers(), body, timeoutMs: 60_000 };
  }

  /** A file in a message, which only suppliers on the Anthropic wire are sent. */
  attachments(): Record<string, unknown> {
    const data = Buffer.from(this.mark('file')).toString('base64');
    const pdf = { type: 'base64', media_type: 'application/pdf', data };
    const content = [
      { type: 'document', source: pdf, title: this.mark('file name') },
      { type: 'text', text: this.mark('prompt') },
    ];
    return { messages: [{ role: 'user', content }], tools: [] };
  }

  /** Requests of the other surfaces that are refused before a supplier is asked, by name. */
  refusedElsewhere(target: Target): [string, RawRequest][] {
    const user = (...content: unknown[]) => [{ role: 'user', content }];
    const data = Buffer.from(this.mark('image')).toString('base64');
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
    const inputImage = { type: 'input_image', image_url: `data:image/png;base64,${data}` };
    const inputFile = { type: 'input_file', filename: this.mark('file name'), file_data: this.mark('file') };
    const hosted = { tools: [{ type: 'web_search', user_location: { city: this.mark('prompt') } }] };
    const messages = (more: Record<string, unknown>) => this.request(target, more, 'messages');
    const responses = (more: Record<string, unknown>) => this.request(target, more, 'responses');
    const other = { key: target.key, headers: this.headers() };
    return [
      ['a picture in a message', messages({ messages: user(image) })],
      ['a model of a message', messages({ model: this.mark('model') })],
      ['a role of a message', messages({ messages: [{ role: this.mark('prompt'), content: 'x' }] })],
      ['a broken message', { ...messages({}), body: `{"system": "${this.mark('broken JSON')}",}` }],
      ['a large message', messages({ system: this.mark('large body').repeat(2_000) })],
      ['a server', messages({ mcp_servers: [{ url: this.mark('prompt') }] })],
      ['a picture in an item', responses({ input: user(inputImage) })],
      ['a file in an item', responses({ input: user(inputFile) })],
      ['a hosted tool', responses(hosted)],
      ['an earlier response', responses({ previous_response_id: this.mark('prompt') })],
      ['a broken item', { ...responses({}), body: `{"input": "${this.mark('broken JSON')}",}` }],
      ['a stored response', { ...other, url: `${target.url}/v1/responses/${this.mark('path')}` }],
      ['a path of messages', { ...messages({}), url: `${target.url}/v1/messages/${this.mark('path')}` }],
      [
        'a counted model',
        { ...messages({ model: this.mark('model') }), url: `${target.url}/v1/messages/count_tokens` },
      ],
      [
        'a routing token',
        { ...other, url: `${target.url}/v1/chat/completions?token=${this.mark('query')}`, body: this.body() },
      ],
    ];
  }

  /** Requests that are refused before a supplier is asked, by name. */
  refused(target: Target): [string, RawRequest][] {
    const served = this.request(target);
    const part = (one: unknown) => ({ messages: [{ role: 'user', content: [one] }] });
    const url = `data:image/png;base64,${Buffer.from(this.mark('image')).toString('base64')}`;
    const image = part({ type: 'image_url', image_url: { url } });
    const file = { filename: this.mark('file name'), file_data: this.mark('file') };
    const text = { ...this.headers(), 'content-type': `text/${this.mark('header')}` };
    const key = `sk-or-v1-${this.mark('credential')}`;
    const path = (prefix: string) => `${target.url}${prefix}/${this.mark('path')}?q=${this.mark('query')}`;
    const large = this.mark('large body').repeat(2_000);
    return [
      ['an image', this.request(target, image)],
      ['a file', this.request(target, part({ type: 'file', file }))],
      ['a model', this.request(target, { model: this.mark('model') })],
      ['a value', this.request(target, { temperature: this.mark('prompt') })],
      ['strictness', { ...served, headers: { ...this.headers(), 'x-grid-strict-params': 'true' } }],
      ['a ceiling', { ...served, headers: { ...this.headers(), 'x-grid-max-price': this.mark('header') } }],
      ['broken JSON', { ...served, body: `{"messages": "${this.mark('broken JSON')}",}` }],
      ['bytes', { ...served, body: Buffer.from([0xff, 0xfe, ...Buffer.from(this.mark('broken JSON'))]) }],
      ['a type', { ...served, headers: text }],
      ['a large body', this.request(target, { user: large })],
      ['a credential', { ...served, key }],
      ['a path', { ...served, url: path('/v1') }],
      // Without a query it looks like a plain word, which a log would take.
      ['a bare path', { url: `${target.url}/v1/${this.mark('path')}`, key: target.key }],
      ['a bare receipt', { url: `${target.url}/v1/usage/${this.mark('path')}`, key: target.key }],
      ['a path elsewhere', { ...served, url: path('/api/v1') }],
      ['a market', { url: path('/v1/markets') }],
      ['a receipt', { url: path('/v1/usage'), key: target.key }],
      ['a method', { ...served, method: 'PUT' }],
    ];
  }

  /** An answer with a marker wherever a supplier can put one. */
  answer(): SupplierBehaviour {
    const argumentsJson = JSON.stringify({ q: this.mark('tool call') });
    return {
      kind: 'answer',
      pieces: [this.mark('completion'), ' ', this.mark('completion'), ' and more'],
      reasoning: this.mark('reasoning'),
      toolCalls: [{ name: this.mark('tool call'), argumentsJson }],
      extraFields: 'some',
      chunkIntervalMs: 1,
    };
  }

  /** An answer of content alone, as long as it is read. */
  endlessAnswer(): SupplierBehaviour {
    const pieces = [this.mark('completion'), ' '];
    return { kind: 'answer', pieces, ending: 'never', chunkIntervalMs: 5 };
  }

  /** Ways in which a supplier fails, each with its own words in it. */
  failures(): [string, SupplierBehaviour][] {
    const pieces = Array.from({ length: 10 }, () => `${this.mark('completion')} `);
    const cut = { kind: 'answer' as const, pieces };
    const error = JSON.stringify({ error: { message: this.mark('supplier error'), code: 'x' } });
    const headers = { 'content-type': 'application/json', 'x-note': this.mark('supplier header') };
    const say = (status: number): SupplierBehaviour => ({
      kind: 'script',
      steps: [
        { do: 'head', status, headers },
        { do: 'write', bytes: Buffer.from(error) },
        { do: 'finish', how: 'end' },
      ],
    });
    return [
      ['an error', say(500)],
      ['a refusal', say(400)],
      ['an error in a 200', say(200)],
      ['an echo', { kind: 'error', status: 502 }],
      ['an echo of a refusal', { kind: 'error', status: 429 }],
      ['a page', { kind: 'error', status: 503, body: 'html' }],
      ['a reset', { ...cut, ending: 'reset' }],
      ['an end', { ...cut, ending: 'half-close' }],
      ['no reason', { ...cut, ending: 'no-finish-reason' }],
      ['an error event', { ...cut, inject: [{ afterChunks: 5, what: 'error-event' }] }],
      ['malformed JSON', { ...cut, inject: [{ afterChunks: 5, what: 'malformed-json' }] }],
      ['silence', { kind: 'hang' }],
    ];
  }
}
