import { type ApiError, type ApiErrorDetails, apiErrorOf } from '../core/error.ts';

type Fields = Record<string, unknown>;

const objectOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

const parsed = (body: string): Fields => {
  try {
    return objectOf(JSON.parse(body));
  } catch {
    // Not JSON: a proxy's page. Its text is dropped, because it may repeat what was sent.
    return {};
  }
};

const fieldMessages = (value: unknown): Map<string, string[]> => {
  const entries = Object.entries(objectOf(value));
  return new Map(
    entries.map(([name, list]) => [name, Array.isArray(list) ? list.map(String) : [String(list)]]),
  );
};

/** Seconds of a `retry-after` header; `null` when absent or not a whole number. */
export const retryAfterSecondsOf = (headers: Headers): number | null => {
  const text = headers.get('retry-after');
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
};

/** Reads both error envelopes of the contract, `errors` and the OpenAI-shaped `error`, into one error. */
export const apiErrorFrom = (response: Response, body: string): ApiError => {
  const root = parsed(body);
  const errors = objectOf(root.errors);
  const openai = objectOf(root.error);
  // `detail` is prose on a 401 and an object on Platform field errors; `code` is always the catalogue value.
  const code = textOf(errors.code) ?? textOf(openai.code) ?? textOf(errors.detail);
  const message =
    textOf(openai.message) ?? textOf(errors.message) ?? `The server answered ${response.status}.`;
  const details: ApiErrorDetails = {
    status: response.status,
    code,
    message,
    type: textOf(openai.type),
    param: textOf(openai.param),
    fields: fieldMessages(errors.fields ?? errors.detail),
    context: new Map(Object.entries(objectOf(errors.context))),
    requestId: response.headers.get('x-grid-request-id'),
    retryAfterSeconds: retryAfterSecondsOf(response.headers),
    serverTime: textOf(errors.server_time),
  };
  return apiErrorOf(details);
};
