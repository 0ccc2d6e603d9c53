import { type GridError, gridError } from '@opengrid/wire';
import type { FastifyRequest } from 'fastify';
import type { Caller, KeyDirectory, SigningKeyDirectory } from '../../ports/identity.ts';
import { Nonces } from './nonces.ts';
import { signatureHeaders, type VerifiedSignature, verifySignature } from './signature.ts';

/** A credential that holds. Standing and scopes are looked at afterwards. */
export type Shown =
  | { readonly kind: 'signature'; readonly signature: VerifiedSignature }
  | { readonly kind: 'consumption_key'; readonly caller: Caller };

export type ShownResult =
  | { readonly ok: true; readonly shown: Shown }
  | { readonly ok: false; readonly error: GridError };

export interface AuthenticatorOptions {
  readonly keys: KeyDirectory;
  readonly signingKeys: SigningKeyDirectory;
  readonly originalTargetHeader: string | null;
  readonly clock: () => number;
}

/** Reads the credential of a request: a signature, or a consumption key as bearer. */
export class Authenticator {
  private readonly options: AuthenticatorOptions;
  private readonly nonces: Nonces;

  constructor(options: AuthenticatorOptions) {
    this.options = options;
    this.nonces = new Nonces(options.clock);
  }

  /** Whether a request carries any credential. */
  isPresent(request: FastifyRequest): boolean {
    return hasBearer(request) || signatureHeaders(request.raw.rawHeaders).size > 0;
  }

  check(request: FastifyRequest, body: Buffer): ShownResult {
    const isSigned = signatureHeaders(request.raw.rawHeaders).size > 0;
    if (isSigned && hasBearer(request)) return { ok: false, error: gridError('ambiguous_credentials') };
    if (!isSigned) return this.checkBearer(request);
    const signed = {
      method: request.method,
      target: this.targetOf(request),
      rawHeaders: request.raw.rawHeaders,
      body,
    };
    const { signingKeys: keys, clock } = this.options;
    const result = verifySignature(signed, { keys, nonces: this.nonces, nowMs: clock() });
    return result.ok ? { ok: true, shown: { kind: 'signature', signature: result.value } } : result;
  }

  private checkBearer(request: FastifyRequest): ShownResult {
    const { authorization, 'x-api-key': xApiKey } = request.headers;
    const presented = { authorization, xApiKey: typeof xApiKey === 'string' ? xApiKey : undefined };
    const result = this.options.keys.authenticate(presented);
    return result.ok ? { ok: true, shown: { kind: 'consumption_key', caller: result.caller } } : result;
  }

  /** The request target as the client sent it, which a proxy that rewrites paths must hand over. */
  private targetOf(request: FastifyRequest): string {
    const { originalTargetHeader } = this.options;
    const handed = originalTargetHeader === null ? undefined : request.headers[originalTargetHeader];
    return typeof handed === 'string' ? handed : (request.raw.url ?? '');
  }
}

function hasBearer(request: FastifyRequest): boolean {
  return request.headers.authorization !== undefined || request.headers['x-api-key'] !== undefined;
}
