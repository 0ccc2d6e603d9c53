// What is measured: the least a relay can do, the peers, and the program with everything on, over both stores.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../testing/dist/index.js';
import { adminRequest } from '../admin.mjs';
import { start } from '../processes.mjs';
import { installPeers, startClaudeCodeRouter, startPortkey } from './peers.mjs';

const BOTH = ['chat', 'messages'];
const folders = [];
const endings = [];

function newFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'opengrid-bench-'));
  folders.push(folder);
  return folder;
}

export async function cleanUp() {
  for (const end of endings) await end();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

async function startOpenGrid({ root, supplierUrl, core, databaseUrl }) {
  const dataFolder = newFolder();
  const server = await start({
    args: [join(root, 'apps/server/dist/main.js'), '--port', '0', '--no-demo', '--no-builtin-supplier'],
    core,
    readyWord: 'OPENGRID_READY',
    env: {
      OPENGRID_READY_LINE: '1',
      OPENGRID_DATA: dataFolder,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      EMAIL_VERIFICATION: 'off',
      INFERENCE_RPM: '0',
      INFERENCE_CONCURRENCY: '0',
      LOG_LEVEL: 'error',
    },
  });
  const key = await furnish(dataFolder, supplierUrl);
  return { ...server, url: server.url.replace('//localhost:', '//127.0.0.1:'), key, surfaces: BOTH };
}

/** A supplier with units for sale, and a buyer who buys them as needed. @returns the buyer's key. */
async function furnish(dataFolder, supplierUrl) {
  const admin = (method, path, body) => adminRequest(dataFolder, { method, path, body });
  await admin('POST', '/suppliers', {
    name: 'Bench',
    base_url: supplierUrl,
    key: 'bench',
    model: 'bench-model',
    dialect: 'openai',
    instrument: 'text-standard',
    price: '0.2500',
    units: 100_000,
    max_concurrency: 10_000,
  });
  const { data: account } = await admin('POST', '/accounts', { email: 'bench@example.com' });
  await admin('POST', `/accounts/${account.user_id}/credit`, { amount: '24000.00', reason: 'benchmark' });
  const { data: key } = await admin('POST', '/keys', { account: account.user_id, name: 'bench' });
  return key.key;
}

/** The program with everything on, over a PostgreSQL server of its own. */
export async function onPostgres(context) {
  const postgres = await startPostgres();
  endings.push(() => postgres.stop());
  const server = await startOpenGrid({ ...context, databaseUrl: await postgres.newDatabase() });
  return { ...server, usesPostgres: true };
}

async function bareRelay({ root, supplierUrl, core }) {
  const args = [join(root, 'bench/bare-relay.mjs'), supplierUrl];
  return { ...(await start({ args, core, readyWord: 'RELAY_READY' })), surfaces: BOTH };
}

const withPeers = (startPeer) => (context) =>
  startPeer({ ...context, packages: installPeers(context.root), home: newFolder() });

const KINDS = [
  { name: 'bare undici relay', begin: bareRelay },
  { name: 'Portkey gateway 1.15.2', begin: withPeers(startPortkey) },
  { name: 'claude-code-router 2.0.0', begin: withPeers(startClaudeCodeRouter) },
  { name: 'OpenGrid, PostgreSQL', begin: onPostgres },
  { name: 'OpenGrid, embedded store', begin: startOpenGrid },
];

/** Starts what can be started here, one after the other, and says what could not. */
export async function startTargets(context) {
  const targets = [];
  for (const { name, begin } of KINDS) {
    try {
      targets.push({ name, ...(await begin(context)) });
    } catch (error) {
      console.log(`not started: ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return targets;
}
