import type { KeyObject } from 'node:crypto';
import type { GridError } from '@opengrid/wire';

export type Scope =
  | 'inference'
  | 'usage:read'
  | 'trade:read'
  | 'trade:write'
  | 'account:read'
  | 'account:write'
  | 'supply:read'
  | 'supply:write'
  | 'keys:manage'
  | 'billing:read'
  | 'billing:write';

/** Whether the exchange relays the answer itself, or sends the client on to the gateway. */
export type RoutingMode = 'direct' | 'redirect';

/** Who stands behind a credential, as the surfaces need it. Read anew for every request. */
export interface Caller {
  readonly accountNumber: number;
  readonly userId: string;
  /** Consumption key that was presented; null for other credentials. */
  readonly keyId: string | null;
  readonly scopes: ReadonlySet<string>;
  readonly mode: 'easy' | 'advanced';
  readonly autoBuy: {
    readonly isEnabled: boolean;
    readonly quantityUnits: number;
    readonly triggerTokens: number;
    readonly maxPriceTicks: number | null;
  };
  /** Symbol used when a request names no model. */
  readonly defaultInstrument: string | null;
  /** Region codes; null = any. */
  readonly allowedRegions: readonly string[] | null;
  /** What the key asks for; null leaves it to the installation. */
  readonly routingMode: RoutingMode | null;
  /** Tokens that the key may use in a calendar month; null = no limit. */
  readonly monthlyTokenLimit: number | null;
}

/** The credential headers of a request, as received. */
export interface PresentedCredential {
  readonly authorization?: string | undefined;
  readonly xApiKey?: string | undefined;
}

export type Authentication =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly error: GridError };

/** Looks credentials up in memory: never the database on the hot path. */
export interface KeyDirectory {
  authenticate(credential: PresentedCredential): Authentication;
  /** Who stands behind a key that was authenticated before, or why it no longer may do anything. */
  standing(keyId: string): Authentication;
}

/** A registered signing key, as requests are checked with it. */
export interface SigningKey {
  readonly keyId: string;
  readonly accountNumber: number;
  readonly publicKey: KeyObject;
  /** Accepts only signatures that carry a nonce. */
  readonly requiresNonce: boolean;
  readonly isReadOnly: boolean;
  /** False once revoked or expired. */
  readonly isLive: boolean;
  readonly createdAtMs: number;
}

/** Signing keys in memory. */
export interface SigningKeyDirectory {
  /** By the 43 base64 characters of the fingerprint. */
  find(fingerprint: string): SigningKey | undefined;
  /** Who stands behind a key whose signature was verified, or why the account may not act. */
  admit(key: SigningKey): Authentication;
}

/** What an account may see of itself. */
export interface AccountProfile {
  readonly userId: string;
  readonly email: string;
  readonly name: string | null;
  readonly mode: 'easy' | 'advanced';
  readonly role: 'member' | 'operator';
  readonly isEmailVerified: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface AccountDirectory {
  byNumber(accountNumber: number): AccountProfile | undefined;
}
