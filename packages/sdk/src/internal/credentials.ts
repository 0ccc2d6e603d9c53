import { messageOfScheme1, messageOfScheme2, signText } from '../signing/messages.ts';
import type { Signer } from '../signing/signer.ts';
import type { ServerClock } from './clock.ts';
import { randomId } from './random-id.ts';

/** Who the client is. A request carries a bearer or a signature, never both. */
export type Credentials = {
  /** Consumption key or access token. */
  readonly bearer: string | undefined;
  readonly signer: Signer | undefined;
  /** `strict` signs host, query and a nonce as well. */
  readonly scheme: 'compatible' | 'strict';
  /** Milliseconds a signed command may take to the engine. */
  readonly receiveWindowMs: number | undefined;
};

/** Trading routes are signed where there is a signer. Everything else, and everybody else, sends the bearer if any. */
export type Wanted = 'signature' | 'bearer';

/** The part of a request that credentials look at. */
export type Addressed = { method: string; url: string; body: string };

const signedHeaders = async (
  request: Addressed,
  signer: Signer,
  { clock, credentials }: { clock: ServerClock; credentials: Credentials },
): Promise<[string, string][]> => {
  const { pathname: path, search, host } = new URL(request.url);
  const timestamp = clock.nowSeconds();
  const { method, body } = request;
  const parts = { timestamp, method, path, query: search.slice(1), host, body };
  const nonce = credentials.scheme === 'strict' ? randomId() : undefined;
  const message = nonce === undefined ? messageOfScheme1(parts) : await messageOfScheme2(parts, nonce);
  const headers: [string, string][] = [
    ['x-thegrid-timestamp', String(timestamp)],
    ['x-thegrid-fingerprint', signer.fingerprint],
    ['x-thegrid-signature', await signText(signer, message)],
  ];
  if (nonce !== undefined) headers.push(['x-thegrid-nonce', nonce]);
  const { receiveWindowMs } = credentials;
  if (receiveWindowMs !== undefined) headers.push(['x-thegrid-recv-window', String(receiveWindowMs)]);
  return headers;
};

/** Headers that say who is asking, made anew for every attempt because signatures age. */
export const credentialHeaders = async (
  request: Addressed & { wants: Wanted },
  context: { clock: ServerClock; credentials: Credentials },
): Promise<[string, string][]> => {
  const { signer, bearer } = context.credentials;
  if (request.wants === 'signature' && signer !== undefined) return signedHeaders(request, signer, context);
  return bearer === undefined ? [] : [['authorization', `Bearer ${bearer}`]];
};
