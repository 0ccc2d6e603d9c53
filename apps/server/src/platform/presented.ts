import type { PresentedCredential } from '../ports/identity.ts';

/** What a request showed, by kind. Only a consumption key is looked up. */
export type Presented =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'access_token' }
  /** Signing key material, fingerprints, session cookies, refresh tokens and device codes. */
  | { readonly kind: 'wrong_type' };

const BEARER = /^bearer[ \t]+(\S.*)$/i;
const ACCESS_TOKEN = /^og_at_/;
/** Other tokens of ours, PEM, and base64 or hex of 32 or 64 bytes: keys, fingerprints, signatures, session tokens. */
const OTHER_CREDENTIALS = [
  /^og_(?!at_)[a-z]+_/,
  /^-----BEGIN /,
  /^[A-Za-z0-9+/_-]{43}=?$/,
  /^[A-Za-z0-9+/_-]{86}(==)?$/,
  /^[0-9a-fA-F]{64}$/,
  /^[0-9a-fA-F]{128}$/,
];

function textOf(credential: PresentedCredential): string | undefined {
  const apiKey = credential.xApiKey?.trim();
  if (apiKey !== undefined && apiKey !== '') return apiKey;
  return BEARER.exec(credential.authorization?.trim() ?? '')?.[1];
}

/** Reads the credential headers: `x-api-key` wins over `Authorization`, whose scheme may be in any letter case. */
export function readPresented(credential: PresentedCredential): Presented {
  const text = textOf(credential);
  if (text === undefined) return { kind: 'none' };
  if (ACCESS_TOKEN.test(text)) return { kind: 'access_token' };
  if (OTHER_CREDENTIALS.some((pattern) => pattern.test(text))) return { kind: 'wrong_type' };
  return { kind: 'text', text };
}
