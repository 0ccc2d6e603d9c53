import { type ErrorCode, httpStatusOf } from '@opengrid/wire';
import type { z } from 'zod';
import type { MountedRoute } from '../../http/mounted.ts';
import { CONSUMPTION_OPERATIONS } from './consumption-operations.ts';
import { ERROR_BODIES } from './errors.ts';
import { type Json, namedSchemas, schemaOf } from './json-schema.ts';
import { MARKET_OPERATIONS } from './market-operations.ts';
import { type Access, type Answer, codesOf, type Operation } from './operation.ts';
import { SUPPLY_OPERATIONS } from './supply-operations.ts';
import { TRADING_OPERATIONS } from './trading-operations.ts';

/** Everything that is described, mounted or not. */
export const OPERATIONS: readonly Operation[] = [
  ...CONSUMPTION_OPERATIONS,
  ...MARKET_OPERATIONS,
  ...TRADING_OPERATIONS,
  ...SUPPLY_OPERATIONS,
];

const TAGS: readonly (readonly [name: string, description: string])[] = [
  ['Inference', 'Answers of language models, in the dialects of existing clients.'],
  ['Models', 'Instruments, as clients of models see them.'],
  ['Receipts', 'What was used, which units it was drawn from, and what it cost.'],
  ['Market data', 'Instruments, markets, books and trades, for everybody.'],
  ['Orders', 'Placing, changing, cancelling and reading orders.'],
  ['Trades', 'Own trades.'],
  ['Accounts', 'Who is asking, and what they hold.'],
  ['Transfers', 'Moving units between trading and consumption.'],
  ['Supply', 'For suppliers: issuing units, and what is owed for them.'],
  ['System', 'Whether the exchange and a credential work.'],
];

const DESCRIPTION = `One origin serves everything. The paths of trading and market data also answer below \`/v1/trading\` and
\`/api/v1/trading\`; a signature is over the path as it is sent.

Prices, USD amounts and unit balances are strings and never floating-point numbers. Times are ISO 8601 in UTC. Clients must ignore members
that they do not know.

Filters of lists may be written flat (\`?status=filled\`), repeated or with commas for "any of", as
\`filters[0][field]=status&filters[0][op]===&filters[0][value]=filled\`, and the same below \`flop[filters]\`.`;

const SIGNATURE = { signatureTimestamp: [], signatureFingerprint: [], signature: [] } as const;
const KEYS = [{ consumptionKey: [] }, { consumptionKeyHeader: [] }] as const;

const SECURITY: Readonly<Record<Access, readonly Json[]>> = {
  open: [{}],
  public: [{}, ...KEYS, SIGNATURE],
  'trading read': [SIGNATURE, ...KEYS],
  signature: [SIGNATURE],
  'signed change': [SIGNATURE],
  key: KEYS,
  'key or signature': [...KEYS, SIGNATURE],
};

const header = (name: string, description: string): Json => ({
  type: 'apiKey',
  in: 'header',
  name,
  description,
});

const SECURITY_SCHEMES: Json = {
  consumptionKey: {
    type: 'http',
    scheme: 'bearer',
    description: 'A consumption key, `sk-or-v1-` and 64 hexadecimal digits.',
  },
  consumptionKeyHeader: header('x-api-key', "The same key in Anthropic's header."),
  signatureTimestamp: header('x-thegrid-timestamp', 'Unix seconds, 10 digits, at most 30 seconds off.'),
  signatureFingerprint: header(
    'x-thegrid-fingerprint',
    'Base64 of the SHA-256 of the raw public key, 43 characters.',
  ),
  signature: header(
    'x-thegrid-signature',
    'Base64 of the Ed25519 signature over timestamp, method, path without query, and body, with nothing between.',
  ),
};

const optionalHeader = (name: string, description: string, schema: Json): Json => ({
  name,
  in: 'header',
  required: false,
  description,
  schema,
});

const HEADER_PARAMETERS = {
  ReceiveWindow: optionalHeader(
    'x-thegrid-recv-window',
    'Milliseconds that the clock may differ, and that a command may wait.',
    { type: 'integer', minimum: 1, maximum: 30_000, default: 30_000 },
  ),
  Nonce: optionalHeader(
    'x-thegrid-nonce',
    'Selects the stricter signature, which covers host and query, too.',
    {
      type: 'string',
      pattern: '^[A-Za-z0-9_-]{16,64}$',
    },
  ),
  IdempotencyKey: optionalHeader('idempotency-key', 'The same key again gets the first answer again.', {
    type: 'string',
    minLength: 1,
    maxLength: 255,
  }),
} as const;

function headerParameters(access: Access): Json[] {
  const names: (keyof typeof HEADER_PARAMETERS)[] =
    access === 'signed change'
      ? ['ReceiveWindow', 'Nonce', 'IdempotencyKey']
      : access === 'trading read' || access === 'signature'
        ? ['ReceiveWindow', 'Nonce']
        : [];
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

const REQUEST_ID = 'x-grid-request-id';
const REQUEST_HEADERS: Json = {
  [REQUEST_ID]: { $ref: '#/components/headers/RequestId' },
};
const ERROR_HEADERS: Json = {
  ...REQUEST_HEADERS,
  'x-grid-error-code': { $ref: '#/components/headers/ErrorCode' },
};

const HEADERS: Json = {
  RequestId: {
    description: 'On every answer; of inference also the id of the receipt.',
    schema: { type: 'string' },
  },
  ErrorCode: { description: 'The code of the error.', schema: { type: 'string' } },
  RetryAfter: { description: 'Whole seconds to wait.', schema: { type: 'integer', minimum: 1 } },
};

/**
 * The OpenAPI 3.1 document of what is mounted. Bodies are those schemas that the mounted routes check requests with.
 *
 * @param version of the program.
 */
export function openApiDocument(mounted: readonly MountedRoute[], version: string): Json {
  const bodies = new Map(mounted.map((route) => [`${route.method} ${route.path}`, route]));
  const paths = new Map<string, Json>();
  for (const operation of OPERATIONS) {
    const route = bodies.get(`${operation.method} ${operation.path}`);
    if (route === undefined) continue;
    const item = paths.get(operation.path) ?? {};
    paths.set(operation.path, { ...item, [operation.method.toLowerCase()]: operationJson(operation, route) });
  }
  const license = { name: 'Apache-2.0', identifier: 'Apache-2.0' };
  return {
    openapi: '3.1.0',
    info: { title: 'OpenGrid', version, description: DESCRIPTION, license },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    servers: [{ url: '/' }],
    tags: TAGS.map(([name, description]) => ({ name, description })),
    paths: Object.fromEntries(paths),
    components: {
      schemas: namedSchemas(),
      headers: HEADERS,
      parameters: HEADER_PARAMETERS,
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

function operationJson(operation: Operation, route: MountedRoute): Json {
  const { id, tag, summary, description, access } = operation;
  const body = route.body ?? operation.body;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: SECURITY[access],
    parameters: [...pathParameters(operation), ...queryParameters(operation), ...headerParameters(access)],
    ...(body === undefined
      ? {}
      : {
          requestBody: { required: true, content: { 'application/json': bodyJson(body, operation.example) } },
        }),
    responses: responsesOf(operation),
  };
}

const PARAMETERS: Readonly<Record<string, string>> = {
  reference: 'The id in any spelling, or the symbol.',
  market_id: 'The id in any spelling, or the symbol.',
  instrument_id: 'The id in any spelling, or the symbol.',
  model: 'The symbol or id of an instrument.',
  requestId: 'The id from `x-grid-request-id`.',
};

function pathParameters({ path }: Operation): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    ...(PARAMETERS[name] === undefined ? {} : { description: PARAMETERS[name] }),
    schema: { type: 'string' },
  }));
}

function queryParameters({ query }: Operation): Json[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(query) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function responsesOf(operation: Operation): Json {
  const responses = new Map<number, Json>();
  for (const [status, answer] of Object.entries(operation.answers)) {
    responses.set(Number(status), answerJson(answer));
  }
  for (const [status, codes] of codesByStatus(operation)) {
    // A status that has a meaning of its own, such as that of the health, keeps it.
    if (!responses.has(status)) responses.set(status, errorJson(operation, status, codes));
  }
  return Object.fromEntries(
    [...responses].sort(([a], [b]) => a - b).map(([status, json]) => [String(status), json]),
  );
}

function bodyJson(schema: z.ZodType, example: unknown): Json {
  return { schema: schemaOf(schema), ...(example === undefined ? {} : { example }) };
}

function answerJson({ description, schema, stream, example }: Answer): Json {
  const json = schema === undefined ? {} : { 'application/json': bodyJson(schema, example) };
  const events =
    stream === undefined ? {} : { 'text/event-stream': { schema: { type: 'string', description: stream } } };
  const content = { ...json, ...events };
  const hasContent = Object.keys(content).length > 0;
  return { description, headers: REQUEST_HEADERS, ...(hasContent ? { content } : {}) };
}

function codesByStatus(operation: Operation): Map<number, ErrorCode[]> {
  const surface = operation.errors === 'trading' ? 'trading' : 'consumption';
  const groups = new Map<number, ErrorCode[]>();
  for (const code of codesOf(operation)) {
    const status = httpStatusOf(code, surface);
    groups.set(status, [...(groups.get(status) ?? []), code]);
  }
  return groups;
}

function errorJson({ errors }: Operation, status: number, codes: readonly ErrorCode[]): Json {
  const isWorthWaiting = status === 429 || status === 503;
  const retry = isWorthWaiting ? { 'retry-after': { $ref: '#/components/headers/RetryAfter' } } : {};
  return {
    description: codes.map((code) => `\`${code}\``).join(', '),
    headers: { ...ERROR_HEADERS, ...retry },
    content: { 'application/json': { schema: schemaOf(ERROR_BODIES[errors]) } },
  };
}
