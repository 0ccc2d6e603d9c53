import { createPublicKey, verify } from 'node:crypto';
import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { useFixture } from './testing/fixture.ts';

const { serve } = useFixture();
const ROW = { id: 'skey_1', fingerprint: 'f', label: 'desk', is_active: true, read_only: false };

it('generates a private file, registers its public half with a proof, and never sends the private one', async () => {
  const server = await serve({
    'POST /signing-keys/challenges': { status: 201, body: { data: { challenge: 'chal_1' } } },
    'POST /signing-keys': { status: 201, body: { data: ROW } },
  });
  const file = join(server.dataFolder, 'desk.pem');
  const made = await server.cli(['signing-keys', 'generate', '--out', file, '--json']);
  expect(made.code).toBe(0);
  const { public_key: publicKey, fingerprint } = JSON.parse(made.stdout) as Record<string, string>;
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await server.cli(['signing-keys', 'generate', '--out', file])).code).toBe(1);

  const words = ['signing-keys', 'register', '--account', 'ada@example.com', '--key-file', file];
  expect((await server.cli([...words, '--read-only'])).code).toBe(0);
  const sent = server.received.at(-1)?.body as Record<string, string>;
  expect(sent).toMatchObject({ account: 'ada@example.com', public_key: publicKey, challenge: 'chal_1' });
  expect(sent.read_only).toBe(true);
  const message = Buffer.from(`opengrid-key-registration\nchal_1\n${fingerprint}`);
  const key = createPublicKey(await readFile(file));
  expect(verify(null, message, key, Buffer.from(sent.proof ?? '', 'base64'))).toBe(true);
  const secret = (await readFile(file, 'utf8')).split('\n')[1]!;
  expect(JSON.stringify(server.received)).not.toContain(secret);

  await chmod(file, 0o644);
  const open = await server.cli(words);
  expect(open.code).toBe(1);
  expect(open.stderr).toContain('other users');
});

it('lists, revokes, and wants exactly one key', async () => {
  const server = await serve({
    'GET /signing-keys': { status: 200, body: { data: [ROW] } },
    'POST /signing-keys/skey_1/revoke': { status: 204 },
  });
  expect((await server.cli(['signing-keys', 'list'])).stdout).toContain('skey_1');
  expect((await server.cli(['signing-keys', 'revoke', 'skey_1'])).code).toBe(0);
  expect((await server.cli(['signing-keys', 'register', '--account', 'a@b.c'])).code).toBe(2);
});
