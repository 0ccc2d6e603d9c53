import { formatIso, GridFailure, gridError } from '@opengrid/wire';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';

/** A signing key as the operator sees it. Times are Unix milliseconds. */
export interface AdminSigningKey {
  readonly keyId: string;
  readonly label: string;
  readonly fingerprint: string;
  /** Base64 of the raw 32 bytes. */
  readonly publicKey: string;
  readonly isActive: boolean;
  readonly requireNonce: boolean;
  readonly readOnly: boolean;
  readonly expiresAtMs: number | null;
  readonly lastUsedAtMs: number | null;
  readonly createdAtMs: number;
}

export interface SigningKeyActs {
  findAccount(reference: string): Promise<{ readonly accountNumber: number } | undefined>;
  signingChallenge(): { challenge: string; expiresAtMs: number };
  registerSigningKey(
    accountNumber: number,
    input: {
      label: string;
      publicKey: string;
      requireNonce: boolean;
      readOnly: boolean;
      expiresAtMs: number | null;
      proof?: { challenge: string; signature: string };
    },
  ): Promise<AdminSigningKey>;
  listSigningKeys(): Promise<readonly AdminSigningKey[]>;
  /** False when there is no such key. */
  revokeSigningKey(keyId: string): Promise<boolean>;
}

const REGISTRATION = z.object({
  account: z.string().max(254),
  label: z.string().trim().min(1).max(100),
  public_key: z.string().max(200),
  require_nonce: z.boolean().default(false),
  read_only: z.boolean().default(false),
  expires_at: z.iso.datetime({ offset: true }).optional(),
  challenge: z.string().max(100).optional(),
  proof: z.string().max(100).optional(),
});

function shapeOf(key: AdminSigningKey): Record<string, unknown> {
  const time = (atMs: number | null): string | null => (atMs === null ? null : formatIso(atMs));
  return {
    id: key.keyId,
    key_id: key.keyId,
    label: key.label,
    fingerprint: key.fingerprint,
    fingerprint_prefix: key.fingerprint.slice(0, 8),
    public_key: key.publicKey,
    is_active: key.isActive,
    require_nonce: key.requireNonce,
    read_only: key.readOnly,
    expires_at: time(key.expiresAtMs),
    last_used_at: time(key.lastUsedAtMs),
    created_at: formatIso(key.createdAtMs),
  };
}

/** Registration of signing keys by the operator. Only public keys come here. */
export function mountSigningKeys(app: FastifyInstance, acts: SigningKeyActs): void {
  app.get('/signing-keys', async () => ({ data: (await acts.listSigningKeys()).map(shapeOf) }));
  app.post('/signing-keys/challenges', async (_request, reply) => {
    const { challenge, expiresAtMs } = acts.signingChallenge();
    return reply.code(201).send({ data: { challenge, expires_at: formatIso(expiresAtMs) } });
  });
  app.post('/signing-keys', async (request, reply) => {
    const key = await register(acts, REGISTRATION.parse(request.body));
    return reply.code(201).send({ data: shapeOf(key) });
  });
  app.post('/signing-keys/:id/revoke', async (request, reply) => {
    const isFound = await acts.revokeSigningKey((request.params as { id: string }).id);
    if (!isFound) throw new GridFailure(gridError('not_found'));
    return reply.code(204).send();
  });
}

async function register(acts: SigningKeyActs, input: z.infer<typeof REGISTRATION>): Promise<AdminSigningKey> {
  const account = await acts.findAccount(input.account);
  if (account === undefined) throw new GridFailure(gridError('account_not_found'));
  const { challenge, proof } = input;
  if ((challenge === undefined) !== (proof === undefined))
    throw new GridFailure(gridError('proof_of_possession_invalid'));
  return acts.registerSigningKey(account.accountNumber, {
    label: input.label,
    publicKey: input.public_key,
    requireNonce: input.require_nonce,
    readOnly: input.read_only,
    expiresAtMs: input.expires_at === undefined ? null : Date.parse(input.expires_at),
    ...(challenge === undefined || proof === undefined ? {} : { proof: { challenge, signature: proof } }),
  });
}
