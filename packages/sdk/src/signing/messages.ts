import { toBase64 } from '../internal/base64.ts';
import type { Signer } from './signer.ts';

/** A request as it is signed: every member exactly as it goes over the wire. */
export type SignedRequest = {
  /** Unix seconds. */
  timestamp: number;
  method: string;
  /** Request target before `?`, prefixes included. */
  path: string;
  /** Text behind `?`, or empty. Covered by the strict scheme only. */
  query: string;
  /** Host and port. Covered by the strict scheme only. */
  host: string;
  /** Empty when there is none. */
  body: string;
};

/** The text that scheme 1 signs: four parts with nothing between. */
export const messageOfScheme1 = ({ timestamp, method, path, body }: SignedRequest): string =>
  `${timestamp}${method}${path}${body}`;

const hexOf = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** The text that scheme 2 signs: eight lines, the nonce among them and the body as its SHA-256. */
export const messageOfScheme2 = async (request: SignedRequest, nonce: string): Promise<string> => {
  const { timestamp, method, path, query, host, body } = request;
  const bodyHash = hexOf(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body)));
  const lines = ['opengrid-v2', timestamp, nonce, method, host.toLowerCase(), path, query, bodyHash];
  return lines.join('\n');
};

/** The text that logs a socket in; without a challenge in the compatible way, which cannot enter orders. */
export const messageOfSocket = (login: {
  timestamp: number;
  fingerprint: string;
  challenge?: string | undefined;
}): string => {
  const { timestamp, fingerprint, challenge } = login;
  if (challenge === undefined) return `${timestamp}${fingerprint}`;
  return `opengrid-ws-v2\n${timestamp}\n${fingerprint}\n${challenge}`;
};

/** Signs a text as UTF-8. @returns the signature in base64 */
export const signText = async (signer: Signer, text: string): Promise<string> => {
  const signature = await signer.sign(new TextEncoder().encode(text));
  return toBase64(signature);
};
