import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSecrets, SecretFileUnusable, SecretMismatch, SecretTooShort } from './secrets.ts';

const GIVEN = 'a secret of more than thirty-two characters';
let dataFolder: string;

beforeEach(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'opengrid-secret-'));
});
afterEach(() => rm(dataFolder, { recursive: true }));

describe('the secret file', () => {
  it('is made at the first start, for its owner only, and used from then on', async () => {
    const first = await loadSecrets({ dataFolder });
    expect((await stat(join(dataFolder, 'secret'))).mode & 0o777).toBe(0o600);
    expect(await loadSecrets({ dataFolder, secret: '' })).toEqual(first);
    expect(await readdir(dataFolder)).toEqual(['secret']);
  });

  it('is one secret for processes that start at once', async () => {
    const secrets = await Promise.all(Array.from({ length: 8 }, () => loadSecrets({ dataFolder })));
    expect(new Set(secrets.map(({ keyPepper }) => keyPepper.toString('hex'))).size).toBe(1);
  });

  it('is closed to other users when it was open to them', async () => {
    await loadSecrets({ dataFolder });
    await chmod(join(dataFolder, 'secret'), 0o644);
    await loadSecrets({ dataFolder });
    expect((await stat(join(dataFolder, 'secret'))).mode & 0o777).toBe(0o600);
  });

  it('is never replaced when it is damaged', async () => {
    await writeFile(join(dataFolder, 'secret'), 'short');
    await expect(loadSecrets({ dataFolder })).rejects.toThrow(SecretFileUnusable);
    expect(await readFile(join(dataFolder, 'secret'), 'utf8')).toBe('short');
  });

  it('says when it cannot be written', async () => {
    await writeFile(join(dataFolder, 'file'), '');
    const loading = loadSecrets({ dataFolder: join(dataFolder, 'file') });
    await expect(loading).rejects.toThrow(SecretFileUnusable);
  });
});

describe('OPENGRID_SECRET', () => {
  it('gives two different keys of 32 bytes, and leaves no file', async () => {
    const { keyPepper, vaultKey } = await loadSecrets({ dataFolder, secret: GIVEN });
    expect([keyPepper.length, vaultKey.length]).toEqual([32, 32]);
    expect(keyPepper.equals(vaultKey)).toBe(false);
    expect(await readdir(dataFolder)).toEqual([]);
  });

  it('may repeat the file and must not differ from it', async () => {
    const first = await loadSecrets({ dataFolder });
    const content = await readFile(join(dataFolder, 'secret'), 'utf8');
    expect(await loadSecrets({ dataFolder, secret: content })).toEqual(first);
    await expect(loadSecrets({ dataFolder, secret: GIVEN })).rejects.toThrow(SecretMismatch);
  });

  it('is refused when it is short, without being quoted', async () => {
    const loading = loadSecrets({ dataFolder, secret: 'hunter2' });
    await expect(loading).rejects.toThrow(SecretTooShort);
    await expect(loading).rejects.not.toThrow(/hunter2/);
  });
});
