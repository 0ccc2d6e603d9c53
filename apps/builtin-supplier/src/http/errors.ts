/**
 * A refusal in the shape OpenAI clients understand. The message never repeats anything of the request's
 * content.
 */
export type ApiError = {
  status: number;
  message: string;
  type: 'invalid_request_error' | 'rate_limit_error' | 'server_error';
  code: string;
  param: string | null;
};

/** The JSON body of an error response. */
export function errorBody({ message, type, code, param }: ApiError): string {
  return JSON.stringify({ error: { message, type, param, code } });
}

/** A 400 about one field of the request. */
export function invalidField(param: string, message: string, code = 'invalid_value'): ApiError {
  return { status: 400, message, type: 'invalid_request_error', code, param };
}

function refusal(status: number, code: string, message: string): ApiError {
  return { status, message, type: 'invalid_request_error', code, param: null };
}

export const INVALID_KEY = refusal(401, 'invalid_api_key', 'Incorrect API key provided.');
export const NOT_FOUND = refusal(404, 'not_found', 'Unknown request URL.');
export const WRONG_METHOD = refusal(405, 'method_not_allowed', 'This URL does not support this method.');
export const BODY_TOO_LARGE = refusal(413, 'request_too_large', 'The request body is too large.');
export const ENCODED_BODY = refusal(
  415,
  'unsupported_encoding',
  'Compressed request bodies are not supported.',
);
export const INVALID_JSON = refusal(400, 'invalid_json', 'The request body is not a JSON object.');
export const MODEL_NOT_FOUND: ApiError = {
  ...refusal(404, 'model_not_found', 'This server has one model: see /v1/models.'),
  param: 'model',
};
export const TOO_MANY_REQUESTS: ApiError = {
  status: 429,
  message: 'Too many requests at once.',
  type: 'rate_limit_error',
  code: 'rate_limit_exceeded',
  param: null,
};
export const INTERNAL_ERROR: ApiError = {
  status: 500,
  message: 'The server failed to answer.',
  type: 'server_error',
  code: 'internal_error',
  param: null,
};
