import { createHash } from 'node:crypto';
import { type ErrorCode, type GridError, gridError } from '@opengrid/wire';
import type { SigningKey, SigningKeyDirectory } from '../../ports/identity.ts';
import type { Nonces } from './nonces.ts';
import { decodeSignature, verifyStrictly } from './strict-signature.ts';

/** A request as it was signed: nothing decoded, nothing normalised. */
export interface SignedRequest {
  readonly method: string;
  /** Request target as sent, query included. */
  readonly target: string;
  /** Names and values in turns, as received. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** A signature that holds. */
export interface VerifiedSignature {
  readonly key: SigningKey;
  /** SHA-256 of the decoded signature. */
  readonly hash: Buffer;
  /** The end of the receive window in Unix milliseconds: a command that waits longer has no effect. */
  readonly notAfterMs: number;
}

export type SignatureResult =
  | { readonly ok: true; readonly value: VerifiedSignature }
  | { readonly ok: false; readonly error: GridError };

export interface SignatureChecks {
  readonly keys: SigningKeyDirectory;
  readonly nonces: Nonces;
  readonly nowMs: number;
}

const NAMES = {
  timestamp: 'x-thegrid-timestamp',
  fingerprint: 'x-thegrid-fingerprint',
  signature: 'x-thegrid-signature',
  window: 'x-thegrid-recv-window',
  nonce: 'x-thegrid-nonce',
} as const;
const REQUIRED = [NAMES.timestamp, NAMES.fingerprint, NAMES.signature] as const;
const ALL: ReadonlySet<string> = new Set(Object.values(NAMES));

const TIMESTAMP = /^[1-9][0-9]{9}$/;
const MILLISECONDS = /^[1-9][0-9]{12}$/;
const FINGERPRINT = /^[A-Za-z0-9+/]{43}=?$/;
const NONCE = /^[A-Za-z0-9_-]{16,64}$/;
const WINDOW = /^[1-9][0-9]{0,4}$/;
const MAX_WINDOW_MS = 30_000;

function refused(code: ErrorCode, message?: string): { ok: false; error: GridError } {
  return { ok: false, error: gridError(code, message === undefined ? {} : { message }) };
}

/** The signature headers by name, in lower case, each with every value it was sent with. */
export function signatureHeaders(rawHeaders: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    if (ALL.has(name)) found.set(name, [...(found.get(name) ?? []), rawHeaders[index + 1]!]);
  }
  return found;
}

/** Checks the signature of a request that carries at least one signature header; the first failure wins. */
export function verifySignature(request: SignedRequest, checks: SignatureChecks): SignatureResult {
  const headers = signatureHeaders(request.rawHeaders);
  if (REQUIRED.some((name) => !headers.has(name))) return refused('missing_signature_headers');
  if ([...headers.values()].some((values) => values.length > 1)) {
    return refused('invalid_signature', 'A signature header was sent twice.');
  }
  const value = (name: string): string | undefined => headers.get(name)?.[0];
  const timestamp = value(NAMES.timestamp)!;
  const time = checkTime(timestamp, value(NAMES.window), checks.nowMs);
  if (!time.ok) return time;
  const fingerprint = value(NAMES.fingerprint)!;
  const key = FINGERPRINT.test(fingerprint) ? checks.keys.find(fingerprint.slice(0, 43)) : undefined;
  if (key === undefined) return refused('unknown_key');
  if (!key.isLive) return refused('key_revoked');
  const nonce = value(NAMES.nonce);
  const signed = { request, timestamp, nonce, signature: value(NAMES.signature)! };
  const hash = checkSignature(signed, key, checks);
  return hash.ok ? { ok: true, value: { key, hash: hash.value, notAfterMs: time.value } } : hash;
}

/** @returns the end of the window in Unix milliseconds. */
function checkTime(
  timestamp: string,
  window: string | undefined,
  nowMs: number,
): { ok: true; value: number } | { ok: false; error: GridError } {
  if (!TIMESTAMP.test(timestamp)) {
    const isMilliseconds = MILLISECONDS.test(timestamp);
    const hint = 'The timestamp is in milliseconds; send Unix seconds, 10 digits.';
    return refused('timestamp_invalid', isMilliseconds ? hint : undefined);
  }
  const windowMs = window === undefined ? MAX_WINDOW_MS : Number(window);
  if (window !== undefined && (!WINDOW.test(window) || windowMs > MAX_WINDOW_MS)) {
    return refused('timestamp_invalid', 'The receive window takes 1 to 30000 milliseconds.');
  }
  const atMs = Number(timestamp) * 1000;
  if (Math.abs(nowMs - atMs) > windowMs) return refused('timestamp_expired');
  return { ok: true, value: atMs + windowMs };
}

interface Signed {
  readonly request: SignedRequest;
  readonly timestamp: string;
  readonly nonce: string | undefined;
  readonly signature: string;
}

function checkSignature(
  signed: Signed,
  key: SigningKey,
  checks: SignatureChecks,
): { ok: true; value: Buffer } | { ok: false; error: GridError } {
  const { nonce } = signed;
  if (nonce === undefined && key.requiresNonce) return refused('nonce_required');
  const signature = decodeSignature(signed.signature);
  if (signature === undefined) return refused('invalid_signature');
  if (nonce !== undefined && !NONCE.test(nonce)) {
    return refused('invalid_signature', 'The nonce takes 16 to 64 letters, digits, hyphens and underscores.');
  }
  const message = nonce === undefined ? firstMessage(signed) : secondMessage(signed, nonce);
  if (!verifyStrictly(message, signature, key.publicKey)) return refused('invalid_signature');
  // Only a signature that holds uses its nonce up: nobody else can spend the nonces of a key.
  if (nonce !== undefined && !checks.nonces.take(key.keyId, nonce)) return refused('nonce_reused');
  return { ok: true, value: createHash('sha256').update(signature).digest() };
}

function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? target : target.slice(0, mark);
}

function queryOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? '' : target.slice(mark + 1);
}

/** Scheme 1: timestamp, method, path and body with nothing between. The query is not covered. */
function firstMessage({ request, timestamp }: Signed): Buffer {
  const head = `${timestamp}${request.method.toUpperCase()}${pathOf(request.target)}`;
  return Buffer.concat([Buffer.from(head, 'latin1'), request.body]);
}

/** Scheme 2: eight lines, the body by its hash. */
function secondMessage({ request, timestamp }: Signed, nonce: string): Buffer {
  const host = headerOf(request.rawHeaders, 'host').toLowerCase();
  const bodyHash = createHash('sha256').update(request.body).digest('hex');
  const { method, target } = request;
  const lines = ['opengrid-v2', timestamp, nonce, method.toUpperCase(), host];
  return Buffer.from([...lines, pathOf(target), queryOf(target), bodyHash].join('\n'), 'latin1');
}

function headerOf(rawHeaders: readonly string[], wanted: string): string {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() === wanted) return rawHeaders[index + 1]!;
  }
  return '';
}
