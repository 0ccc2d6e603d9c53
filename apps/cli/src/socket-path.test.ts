import { mkdir, readdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { adminSocketPath } from './admin/socket-path.ts';
import { useFixture } from './testing/fixture.ts';
import { runCli } from './testing/run-cli.ts';

const fixture = useFixture();

async function links(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => /^og-cli-/.test(name));
}

it('reaches a server whose data folder has a path longer than a socket address, and leaves no link', async () => {
  const server = await fixture.serve({ 'GET /status': { status: 200, body: { data: { version: '9.9' } } } });
  const far = join(await fixture.folder(), 'd'.repeat(120));
  await mkdir(far);
  // A bound socket may be moved: it keeps answering under its new name.
  await rename(adminSocketPath(server.dataFolder), adminSocketPath(far));
  const before = await links();
  const result = await runCli(['status', '--json', '--data', far]);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(result.stdout)).toEqual({ version: '9.9' });
  expect((await links()).filter((name) => !before.includes(name))).toEqual([]);
});
