import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 1;

/** A credential could not be opened: the secret of the installation is not the one it was sealed with. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly hint =
    'Start with the OPENGRID_SECRET (or the file <data>/secret) that the credentials were stored with.';
}

/** Seals supplier credentials with AES-256-GCM under a key that is not in the database. */
export class Vault {
  private readonly key: Buffer;

  /** @param key 32 bytes. */
  constructor(key: Buffer) {
    this.key = key;
  }

  /** Version, nonce, tag and ciphertext. The owner's id is authenticated, so that rows cannot be swapped. */
  seal(credential: string, ownerId: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, nonce);
    cipher.setAAD(Buffer.from(ownerId, 'utf8'));
    const sealed = Buffer.concat([cipher.update(credential, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.from([VERSION]), nonce, cipher.getAuthTag(), sealed]);
  }

  /** @throws VaultError */
  open(sealed: Buffer, ownerId: string): string {
    try {
      if (sealed[0] !== VERSION) throw new VaultError('unknown version');
      const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
      const tag = sealed.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
      const decipher = createDecipheriv(ALGORITHM, this.key, nonce);
      decipher.setAAD(Buffer.from(ownerId, 'utf8'));
      decipher.setAuthTag(tag);
      const rest = sealed.subarray(1 + NONCE_BYTES + TAG_BYTES);
      return Buffer.concat([decipher.update(rest), decipher.final()]).toString('utf8');
    } catch {
      throw new VaultError('A supplier credential cannot be opened with the secret of this installation.');
    }
  }
}

/** What may be shown of a credential: its last four characters, when it is long enough that they tell nothing. */
export function hintOf(credential: string): string {
  return credential.length >= 12 ? credential.slice(-4) : '';
}
