import { type ErrorCode, type GridError, gridError, type JsonObject } from '@opengrid/wire';
import type { Authentication, SigningKeyDirectory } from '../../ports/identity.ts';
import { decodeSignature, verifyStrictly } from '../auth/strict-signature.ts';

/** What a socket was authenticated with. It is asked anew for every command and several times a second. */
export interface SocketCredential {
  readonly accountNumber: number;
  /** Whether it may enter orders at all; the scope is looked at for every command. */
  readonly isForOrders: boolean;
  /** Orders placed over the socket end with it. */
  readonly cancelsOnDisconnect: boolean;
  /** False once it was revoked or has expired. */
  isLive(): boolean;
  /** Who stands behind it now. */
  admit(): Authentication;
}

/** A text for the client to sign: for one socket, one minute and one use. */
export interface Challenge {
  readonly text: string;
  readonly expiresAtMs: number;
}

export type AuthenticationResult =
  | { readonly ok: true; readonly credential: SocketCredential }
  /** `isFinal`: the socket ends. */
  | {
      readonly ok: false;
      readonly error: GridError;
      readonly reason: string;
      readonly isFinal: boolean;
    };

export interface AuthenticationContext {
  readonly signingKeys: SigningKeyDirectory;
  readonly challenge: Challenge | undefined;
  readonly nowMs: number;
}

const WINDOW_MS = 30_000;
const TIMESTAMP = /^[1-9][0-9]{9}$/;
const FINGERPRINT = /^[A-Za-z0-9+/]{43}=?$/;

function refused(code: ErrorCode): AuthenticationResult {
  return { ok: false, error: gridError(code), reason: code, isFinal: true };
}

function invalid(message: string): AuthenticationResult {
  const error = gridError('validation_failed', { message });
  return { ok: false, error, reason: 'invalid_payload', isFinal: false };
}

/**
 * Checks the payload of `authenticate`. Method 1 signs timestamp and fingerprint and can be copied within its window, so
 * it gives no right to enter orders; method 2 signs this socket's challenge as well. Access tokens are not served yet:
 * none is valid.
 */
export function checkAuthentication(
  payload: JsonObject,
  context: AuthenticationContext,
): AuthenticationResult {
  const { timestamp, fingerprint, signature, challenge, token, cancel_on_disconnect: cancels } = payload;
  if (cancels !== undefined && typeof cancels !== 'boolean')
    return invalid('cancel_on_disconnect takes true or false.');
  if (token !== undefined)
    return typeof token === 'string' ? refused('invalid_token') : invalid('token: text');
  if (typeof timestamp !== 'string' || typeof fingerprint !== 'string' || typeof signature !== 'string')
    return invalid('timestamp, fingerprint and signature are needed, each as a string.');
  if (challenge !== undefined && typeof challenge !== 'string') return invalid('challenge takes a string.');
  if (!TIMESTAMP.test(timestamp)) return invalid('timestamp takes Unix seconds, 10 digits in a string.');
  if (Math.abs(context.nowMs - Number(timestamp) * 1000) > WINDOW_MS) return refused('timestamp_expired');
  const signed = { timestamp, fingerprint, signature, challenge };
  return checkSigned(signed, context, { cancelsOnDisconnect: cancels === true });
}

function checkSigned(
  signed: { timestamp: string; fingerprint: string; signature: string; challenge: string | undefined },
  { signingKeys, challenge, nowMs }: AuthenticationContext,
  { cancelsOnDisconnect }: { cancelsOnDisconnect: boolean },
): AuthenticationResult {
  const { timestamp, fingerprint } = signed;
  const key = FINGERPRINT.test(fingerprint) ? signingKeys.find(fingerprint.slice(0, 43)) : undefined;
  if (key === undefined) return refused('invalid_signature');
  if (!key.isLive) return refused('key_revoked');
  const hasChallenge = signed.challenge !== undefined;
  if (!hasChallenge && key.requiresNonce) return refused('nonce_required');
  const isOpen = challenge !== undefined && challenge.expiresAtMs >= nowMs;
  if (hasChallenge && !(isOpen && challenge.text === signed.challenge)) return refused('invalid_signature');
  const text = hasChallenge
    ? `opengrid-ws-v2\n${timestamp}\n${fingerprint}\n${signed.challenge}`
    : `${timestamp}${fingerprint}`;
  const signature = decodeSignature(signed.signature);
  if (signature === undefined || !verifyStrictly(Buffer.from(text), signature, key.publicKey))
    return refused('invalid_signature');
  const credential: SocketCredential = {
    accountNumber: key.accountNumber,
    isForOrders: hasChallenge && !key.isReadOnly,
    cancelsOnDisconnect: hasChallenge && cancelsOnDisconnect,
    isLive: () => signingKeys.find(fingerprint.slice(0, 43))?.isLive ?? false,
    admit: () => signingKeys.admit(key),
  };
  const admitted = credential.admit();
  if (admitted.ok) return { ok: true, credential };
  return { ok: false, error: admitted.error, reason: admitted.error.code, isFinal: true };
}
