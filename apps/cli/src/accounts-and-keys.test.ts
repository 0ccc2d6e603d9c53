import { describe, expect, it } from 'vitest';
import { useFixture } from './testing/fixture.ts';
import { refused } from './testing/scripted-server.ts';

const account = {
  user_id: 'user_01jz3v8m2k7f9q0x4w6t5s1r8q',
  email: 'ada+grid@example.com',
  mode: 'easy',
  role: 'member',
  balance_usd: '25.000000',
};
const key = {
  id: 'key_01jz3v8m2k7f9q0x4w6t5s1r8q',
  key_prefix: 'sk-or-v1-00112233',
  name: 'laptop',
  is_active: true,
  scopes: ['inference', 'usage:read'],
  created_at: '2026-01-01T00:00:00.000Z',
  last_used_at: null,
};
const FULL_KEY = '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';

const fixture = useFixture();

describe('accounts', () => {
  it('creates one', async () => {
    const server = await fixture.serve({ 'POST /accounts': { status: 201, body: { data: account } } });
    const words = [
      'accounts',
      'create',
      account.email,
      '--name',
      'Ada',
      '--mode',
      'advanced',
      '--role',
      'operator',
    ];
    const result = await server.cli(words);
    expect(server.received[0]?.body).toEqual({
      email: account.email,
      name: 'Ada',
      mode: 'advanced',
      role: 'operator',
    });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain(account.user_id);
  });

  it('lists them with balances on the right', async () => {
    const poor = { ...account, user_id: 'user_2', email: 'b@example.com', balance_usd: '0.000000' };
    const server = await fixture.serve({ 'GET /accounts': { status: 200, body: { data: [account, poor] } } });
    const { stdout } = await server.cli(['accounts', 'list']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^USER ID {2,}E-MAIL {2,}MODE {2}ROLE {4}BALANCE \(USD\)$/);
    expect(lines[1]).toMatch(/ {2,}25\.000000$/);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });

  it('credits by e-mail address, to the micro-dollar', async () => {
    const route = 'POST /accounts/ada%2Bgrid%40example.com/credit';
    const server = await fixture.serve({ [route]: { status: 200, body: { data: account } } });
    const words = ['accounts', 'credit', account.email];
    const result = await server.cli([...words, '25.00']);
    await server.cli([...words, '0.000001']);
    expect(result.code).toBe(0);
    expect(result.stdout).toContain('25.000000');
    expect(server.received.map(({ body }) => body)).toEqual([
      { amount: '25.000000' },
      { amount: '0.000001' },
    ]);
  });

  it.each(['0', '-5', '1.0000001', 'ten'])('does not credit %s', async (amount) => {
    const server = await fixture.serve({});
    const result = await server.cli(['accounts', 'credit', account.email, amount]);
    expect(result.code).toBe(2);
    expect(server.received).toEqual([]);
  });

  it('switches the mode', async () => {
    const server = await fixture.serve({ [`POST /accounts/${account.user_id}/mode`]: { status: 204 } });
    const result = await server.cli(['accounts', 'mode', account.user_id, 'advanced']);
    expect(server.received[0]?.body).toEqual({ mode: 'advanced' });
    expect(result).toMatchObject({ code: 0, stdout: `${account.user_id} is in advanced mode.\n` });
  });

  it('knows no third mode', async () => {
    const server = await fixture.serve({});
    const result = await server.cli(['accounts', 'mode', account.user_id, 'medium']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('easy, advanced');
  });

  it('says what to do about an unknown account', async () => {
    const answer = refused(404, 'account_not_found', 'No account with that id.');
    const server = await fixture.serve({ 'POST /accounts/nobody/credit': answer });
    const human = await server.cli(['accounts', 'credit', 'nobody', '1']);
    const machine = await server.cli(['accounts', 'credit', 'nobody', '1', '--json']);
    expect(human).toMatchObject({ code: 1, stdout: '' });
    expect(human.stderr).toBe(
      'opengrid: No account with that id.\n`opengrid accounts list` shows every account.\n',
    );
    expect(machine.code).toBe(1);
    expect(JSON.parse(machine.stderr)).toMatchObject({
      error: { code: 'account_not_found', message: 'No account with that id.' },
    });
  });
});

describe('keys', () => {
  const created = { status: 201, body: { data: { ...key, key: FULL_KEY } } };

  it('shows a new key once, on a line of its own', async () => {
    const server = await fixture.serve({ 'POST /keys': created });
    const words = ['keys', 'create', '--account', account.email, '--name', 'laptop'];
    const scopes = ['--scope', 'inference', '--scope', 'usage:read'];
    const result = await server.cli([...words, ...scopes, '--expires', '2999-01-31']);
    expect(server.received[0]?.body).toEqual({
      account: account.email,
      name: 'laptop',
      scopes: ['inference', 'usage:read'],
      expires_at: '2999-01-31T00:00:00.000Z',
    });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.split('\n').filter((line) => line.trim() === FULL_KEY)).toHaveLength(1);
  });

  it('needs no more than the account', async () => {
    const server = await fixture.serve({ 'POST /keys': created });
    const { stdout } = await server.cli(['keys', 'create', '--account', account.email, '--json']);
    expect(server.received[0]?.body).toEqual({ account: account.email, name: 'command line' });
    expect(JSON.parse(stdout)).toMatchObject({ key: FULL_KEY });
  });

  it.each(['2020-01-01', '2999-02-30', '2999-01-01T10:00', '0d', 'tomorrow'])(
    'makes no key that ends %s',
    async (when) => {
      const server = await fixture.serve({ 'POST /keys': created });
      const result = await server.cli(['keys', 'create', '--account', account.email, '--expires', when]);
      expect(result.code).toBe(2);
      expect(result.stderr).toContain('--expires');
      expect(server.received).toEqual([]);
    },
  );

  it('lists them by prefix', async () => {
    const server = await fixture.serve({ 'GET /keys': { status: 200, body: { data: [key] } } });
    const { stdout } = await server.cli(['keys', 'list']);
    expect(stdout.split('\n')[1]).toBe(
      `${key.id}  sk-or-v1-00112233  laptop  yes     inference, usage:read  2026-01-01 00:00:00Z  -`,
    );
  });

  it('revokes', async () => {
    const server = await fixture.serve({ [`POST /keys/${key.id}/revoke`]: { status: 204 } });
    const result = await server.cli(['keys', 'revoke', key.id]);
    expect(result).toMatchObject({ code: 0, stdout: `Revoked ${key.id}. It is refused from now on.\n` });
  });

  it('cannot be led to another route by an odd id', async () => {
    const server = await fixture.serve({});
    const result = await server.cli(['keys', 'revoke', '../accounts?x=#y']);
    expect(result.code).toBe(1);
    expect(server.received[0]?.route).toBe('POST /keys/..%2Faccounts%3Fx%3D%23y/revoke');
  });
});
