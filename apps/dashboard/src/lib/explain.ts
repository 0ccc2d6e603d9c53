import {
  ApiError,
  AuthenticationError,
  ConnectionError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  ServerError,
  TimeoutError,
} from '@opengrid/sdk';

/** An error in words for the page: what happened, what to do, what to quote. */
export type Explanation = { title: string; advice: string; requestId: string | null };

const rules: [type: abstract new (...parts: never[]) => Error, title: string, advice: string][] = [
  [
    TimeoutError,
    'The server took too long',
    'The page keeps trying. If this goes on, look at the load of the server.',
  ],
  [ConnectionError, 'The server cannot be reached', 'Check that OpenGrid is running. The page keeps trying.'],
  [
    AuthenticationError,
    'The key was not accepted',
    'Check that the whole key was pasted and that it was not revoked.',
  ],
  [PermissionDeniedError, 'The key may not do this', 'It needs the scope usage:read. Use another key.'],
  [NotFoundError, 'Not found', 'It may belong to another account, or the address is out of date.'],
  [RateLimitError, 'Too many requests', 'The page slows down and goes on by itself.'],
  [ServerError, 'The server failed', 'The page keeps trying. Quote the request id if this goes on.'],
];

/** Finds words for whatever a query failed with. The server's own sentence comes first where there is one. */
export const explain = (error: unknown): Explanation => {
  const requestId = error instanceof ApiError ? error.requestId : null;
  const rule = rules.find(([type]) => error instanceof type);
  const said = error instanceof ApiError && error.code !== null ? `${error.message} ` : '';
  if (rule === undefined)
    return { title: 'This could not be read', advice: `${said}Reload the page.`, requestId };
  return { title: rule[1], advice: said + rule[2], requestId };
};
