import { hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Keys derived from the installation's one secret. None ever leaves the process. */
export interface Secrets {
  /** Consumption keys are stored as HMAC-SHA-256 under this. */
  readonly keyPepper: Buffer;
  /** Supplier credentials are encrypted with this (AES-256-GCM). */
  readonly vaultKey: Buffer;
  /** What calls with an Idempotency-Key carried is stored as HMAC-SHA-256 under this. */
  readonly idempotencyKey: Buffer;
  /** Seals the proofs of suppliers' reasoning that clients carry back and forth. */
  readonly reasoningKey: Buffer;
}

export interface SecretSource {
  /** The value of OPENGRID_SECRET, when it is set. */
  readonly secret?: string | undefined;
  readonly dataFolder: string;
}

/** The secret cannot be used. The message names where it is, never what it is; the hint says what to do. */
export class SecretError extends Error {
  override readonly name: string = 'SecretError';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** OPENGRID_SECRET is too short to be one. */
export class SecretTooShort extends SecretError {
  override readonly name = 'SecretTooShort';
}

/** OPENGRID_SECRET and the secret file of the data folder say different things. */
export class SecretMismatch extends SecretError {
  override readonly name = 'SecretMismatch';
}

/** The secret file cannot be read, is damaged, or others can read it. */
export class SecretFileUnusable extends SecretError {
  override readonly name = 'SecretFileUnusable';
}

const SECRET_FILE = 'secret';
const MIN_LENGTH = 32;
const SECRET_BYTES = 32;
const OTHERS = 0o077;

/**
 * The installation's secrets: from OPENGRID_SECRET, else from `<data>/secret`, which is made at the first start.
 *
 * @throws SecretTooShort, SecretMismatch, SecretFileUnusable
 */
export async function loadSecrets(source: SecretSource): Promise<Secrets> {
  const path = join(source.dataFolder, SECRET_FILE);
  const given = source.secret?.trim();
  if (given === undefined || given === '')
    return derive((await readSecret(path)) ?? (await makeSecret(path)));
  if (given.length < MIN_LENGTH) {
    const hint = 'Make one with `openssl rand -base64 32`.';
    throw new SecretTooShort(`OPENGRID_SECRET needs at least ${MIN_LENGTH} characters.`, hint);
  }
  const kept = await readSecret(path);
  if (kept !== undefined && !isSame(kept, given)) {
    throw new SecretMismatch(
      `OPENGRID_SECRET differs from ${path}, with which the keys of this installation were made.`,
      'Set OPENGRID_SECRET to the content of that file, or unset it. Remove the file only when no key and no supplier credential has to work any more.',
    );
  }
  return derive(given);
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function derive(secret: string): Secrets {
  const key = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, 'opengrid', purpose, 32));
  return {
    keyPepper: key('consumption-key pepper'),
    vaultKey: key('supplier-credential vault'),
    idempotencyKey: key('idempotency-key hash'),
    reasoningKey: key('reasoning seal'),
  };
}

async function readSecret(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    const hint = 'Give the user that runs OpenGrid access to it, or set OPENGRID_SECRET to its content.';
    throw new SecretFileUnusable(`${path} cannot be read (${codeOf(error)}).`, hint);
  }
  if (text.length < MIN_LENGTH) {
    const hint =
      'Restore it from a backup: without it no key and no supplier credential of this store works.';
    throw new SecretFileUnusable(`${path} is damaged: it is too short to be a secret.`, hint);
  }
  await closeToOthers(path);
  return text;
}

async function closeToOthers(path: string): Promise<void> {
  if (process.platform === 'win32' || ((await stat(path)).mode & OTHERS) === 0) return;
  await chmod(path, 0o600).catch(() => {});
  if (((await stat(path)).mode & OTHERS) === 0) return;
  const hint = `Run \`chmod 600 ${path}\`, or remove the file and set OPENGRID_SECRET to its content.`;
  throw new SecretFileUnusable(`${path} can be read by other users.`, hint);
}

/**
 * Writes a draft and links it to its name, which fails when the name exists: a crash leaves no half secret, and of two
 * processes that start at once both use the one that won.
 */
async function makeSecret(path: string): Promise<string> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  try {
    await mkdir(join(path, '..'), { recursive: true });
    await writeDurably(draft, `${secret}\n`);
    await link(draft, path);
    return secret;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return (await readSecret(path)) ?? secret;
    const hint = 'Make the data folder writable, choose another with --data, or set OPENGRID_SECRET.';
    throw new SecretFileUnusable(`${path} cannot be written (${codeOf(error)}).`, hint);
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
