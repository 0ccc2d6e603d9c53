import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { type Signer, signerFromKey } from '@opengrid/sdk';
import { CliFailure } from '../failure.ts';

/** What may leave this machine of a signing key. */
export interface PublicPart {
  /** Base64 of the raw 32 bytes. */
  readonly publicKey: string;
  /** SHA-256 of them: 43 characters of base64. */
  readonly fingerprint: string;
}

const OTHERS = 0o077;

function publicPartOf(privateKey: KeyObject): PublicPart {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const bytes = Buffer.from(x, 'base64url');
  const fingerprint = createHash('sha256').update(bytes).digest('base64').slice(0, 43);
  return { publicKey: bytes.toString('base64'), fingerprint };
}

/** Makes a key and writes it (PEM, PKCS #8) to a new file that only its owner can read. */
export async function generateKeyFile(path: string): Promise<PublicPart> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EEXIST' ? 'it exists already' : (error.code ?? error.name);
    throw new CliFailure('key_file', `The key file ${path} cannot be written: ${reason}.`, {
      hint: 'Name another file with --out.',
    });
  });
  try {
    await file.writeFile(privateKey.export({ format: 'pem', type: 'pkcs8' }));
    await file.sync();
  } finally {
    await file.close();
  }
  return publicPartOf(privateKey);
}

/** Reads a private key of this machine, to show its public part and to prove that it is here. */
export async function readKeyFile(
  path: string,
): Promise<PublicPart & { proofOf: (challenge: string) => string }> {
  const privateKey = await readPrivateKey(path);
  const part = publicPartOf(privateKey);
  const proofOf = (challenge: string): string => {
    const message = `opengrid-key-registration\n${challenge}\n${part.fingerprint}`;
    return sign(null, Buffer.from(message, 'utf8'), privateKey).toString('base64');
  };
  return { ...part, proofOf };
}

/** Reads a private key of this machine, to sign requests with it. */
export async function readSigner(path: string): Promise<Signer> {
  const privateKey = await readPrivateKey(path);
  return signerFromKey(String(privateKey.export({ format: 'pem', type: 'pkcs8' })));
}

async function readPrivateKey(path: string): Promise<KeyObject> {
  const hint = 'Make one with `opengrid keys generate`.';
  let pem: Buffer;
  try {
    pem = await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliFailure('key_file', `The key file ${path} cannot be read (${code}).`, { hint });
  }
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & OTHERS) !== 0)
    throw new CliFailure('key_file', `The key file ${path} can be read by other users.`, {
      hint: `Run \`chmod 600 ${path}\`, or better make a new key.`,
    });
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // The reason could quote the file; it is a key either way or it is not.
  }
  throw new CliFailure('key_file', `The file ${path} holds no Ed25519 private key.`, { hint });
}
