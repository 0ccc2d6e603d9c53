// The gateways from npm that we are measured beside. They are installed into a scratch folder, never into the project.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startAt } from '../processes.mjs';

const MANIFEST = JSON.stringify(
  {
    private: true,
    dependencies: { '@portkey-ai/gateway': '1.15.2', '@musistudio/claude-code-router': '2.0.0' },
    // With newer ones of these two every stream of that gateway is a 500.
    overrides: { hono: '4.9.7', '@hono/node-server': '1.13.5' },
  },
  null,
  2,
);
const INSTALL = [
  'install',
  '--fetch-retries=0',
  '--no-save',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--prefix',
];

/** @returns the folder of their packages. Throws where the registry cannot be reached. */
export function installPeers(root) {
  const folder = join(root, '.scratch', 'peers');
  const marker = join(folder, 'installed.json');
  const packages = join(folder, 'node_modules');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === MANIFEST) return packages;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), MANIFEST);
  console.log('installing the peers into .scratch/peers …');
  const { status, stderr } = spawnSync('npm', [...INSTALL, folder], { cwd: folder, timeout: 300_000 });
  if (status !== 0) throw new Error(`npm install ended with ${status}: ${stderr?.toString().slice(-300)}`);
  writeFileSync(marker, MANIFEST);
  return packages;
}

/** Portkey's gateway speaks chat; where a request goes is said in its headers. */
export async function startPortkey({ packages, supplierUrl, core }) {
  const server = await startAt({
    args: (port) => [
      join(packages, '@portkey-ai/gateway/build/start-server.js'),
      '--headless',
      `--port=${port}`,
    ],
    core,
    env: { NODE_ENV: 'production' },
  });
  const headers = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': supplierUrl };
  return { ...server, headers, surfaces: ['chat'] };
}

/** Claude Code Router takes the Messages dialect and translates it for a supplier of OpenAI's. */
export function startClaudeCodeRouter({ packages, supplierUrl, core, home }) {
  const folder = join(home, '.claude-code-router');
  mkdirSync(folder, { recursive: true });
  const provider = {
    name: 'bench',
    api_base_url: `${supplierUrl}/chat/completions`,
    api_key: 'bench',
    models: ['bench-model'],
  };
  const args = (PORT) => {
    const settings = { LOG: false, LOG_LEVEL: 'fatal', HOST: '127.0.0.1', PORT, NON_INTERACTIVE_MODE: true };
    const Router = { default: 'bench,bench-model' };
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ ...settings, Providers: [provider], Router }),
    );
    return [join(packages, '@musistudio/claude-code-router/dist/cli.js'), 'start'];
  };
  return startAt({ args, core, env: { HOME: home } }).then((server) => ({
    ...server,
    surfaces: ['messages'],
  }));
}
