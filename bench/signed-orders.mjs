/**
 * Signed orders over HTTP, and orders over sockets, from end to end: signature, checks, book, one durable commit, answer.
 * Beside them, interleaved on the same machine, the least that a signed API in Node can do.
 * Usage: node bench/signed-orders.mjs [--seconds 4] [--rounds 3]
 */
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../testing/dist/index.js';
import { adminRequest } from './admin.mjs';
import { cpuMicros, residentMb, start, stopAll } from './processes.mjs';

const root = new URL('..', import.meta.url).pathname;
const option = (name, fallback) => {
  const index = process.argv.indexOf(`--${name}`);
  return index === -1 ? fallback : Number(process.argv[index + 1]);
};
const seconds = option('seconds', 4);
const rounds = option('rounds', 3);
const CONNECTIONS = 64;
/** Commands under way over all sockets together, of which there is one for every account. */
const UNDER_WAY = 1_024;
const ACCOUNTS = 16;
/** Of 10,000 units each: every second order takes one. */
const SUPPLIERS = 12;
/** More than any of the servers can answer in a second. */
const MOST_PER_SECOND = 12_000;
const SERVER_CORE = 0;
const CLIENT_CORE = 1;

const pairs = Array.from({ length: ACCOUNTS }, () => generateKeyPairSync('ed25519'));
const pems = pairs.map(({ privateKey }) => privateKey.export({ type: 'pkcs8', format: 'pem' }));
const rawOf = ({ publicKey }) => Buffer.from(publicKey.export({ format: 'jwk' }).x, 'base64url');

async function startOpenGrid(databaseUrl, dataFolder) {
  const server = await start({
    args: [join(root, 'apps/server/dist/main.js'), '--port', '0', '--no-demo', '--no-builtin-supplier'],
    core: SERVER_CORE,
    readyWord: 'OPENGRID_READY',
    env: {
      OPENGRID_READY_LINE: '1',
      OPENGRID_DATA: dataFolder,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ORDER_RATE: '0',
      ORDER_RPM: '0',
      WS_MESSAGE_RATE: '0',
      WS_ADDRESS_CONNECTIONS: '0',
      LOG_LEVEL: 'error',
    },
  });
  const admin = (path, body) => adminRequest(dataFolder, { method: 'POST', path, body });
  for (let index = 0; index < SUPPLIERS; index += 1) {
    await admin('/suppliers', {
      name: `Bench ${index}`,
      base_url: 'http://127.0.0.1:65535/v1',
      key: 'bench',
      model: 'bench-model',
      dialect: 'openai',
      instrument: 'text-standard',
      price: '0.2500',
      units: 10_000,
      max_concurrency: 1,
    });
  }
  for (const [index, pair] of pairs.entries()) {
    const account = `bench-${index}@example.com`;
    await admin('/accounts', { email: account, mode: 'advanced' });
    await admin(`/accounts/${account}/credit`, { amount: '9000.00', reason: 'benchmark' });
    await admin('/signing-keys', { account, label: 'bench', public_key: rawOf(pair).toString('base64') });
  }
  return server;
}

let loads = 0;

/** Runs the load in a process of its own and returns what it measured. */
function load({ url }, { file = 'signed-load.mjs', connections = CONNECTIONS, withIds = true }) {
  loads += 1;
  const count = MOST_PER_SECOND * seconds;
  const job = { url, keys: pems, connections, seconds, count, withIds, name: `load-${loads}` };
  const args = ['-c', String(CLIENT_CORE), process.execPath, join(root, 'bench', file), JSON.stringify(job)];
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
    });
    child.once('exit', (code) =>
      code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`load: ${code}`)),
    );
  });
}

async function measure(target, kind) {
  const before = cpuMicros(target.pid);
  const result = await load(target, kind);
  return { ...result, cpu: (cpuMicros(target.pid) - before) / Math.max(1, result.done) };
}

const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function rowOf(name, target, results) {
  const of = (pick, digits = 1) => Number(middle(results.map(pick)).toFixed(digits));
  const odd = results.find(({ sample }) => sample !== undefined)?.sample;
  if (odd !== undefined) console.log(`${name}, not 201: ${odd}`);
  return {
    what: name,
    'orders/s': of(({ done, seconds: elapsed }) => done / elapsed, 0),
    'p50 ms': of(({ p50 }) => p50),
    'p99 ms': of(({ p99 }) => p99),
    'p99.9 ms': of(({ p999 }) => p999),
    'CPU us': of(({ cpu }) => cpu, 0),
    'RSS MB': Math.round(residentMb(target.pid)),
    statuses: JSON.stringify(results.at(-1).statuses),
    errors: results.reduce((sum, { errors }) => sum + errors, 0),
  };
}

const folders = [];
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'opengrid-bench-'));
  folders.push(folder);
  return folder;
};
const postgres = await startPostgres();
try {
  const der = pairs.map(({ publicKey }) =>
    publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  );
  const peer = await start({
    args: [join(root, 'bench/bare-edge.mjs'), JSON.stringify(der)],
    core: SERVER_CORE,
    readyWord: 'EDGE_READY',
  });
  const onServer = await startOpenGrid(await postgres.newDatabase(), newFolder());
  const onEmbedded = await startOpenGrid(undefined, newFolder());
  const targets = [
    { name: 'bare fastify + Ed25519', target: peer },
    { name: 'OpenGrid, PostgreSQL', target: onServer, withIds: false },
    { name: 'OpenGrid, PostgreSQL, client order ids', target: onServer },
    {
      name: 'OpenGrid, PostgreSQL, sockets',
      target: onServer,
      file: 'socket-load.mjs',
      connections: UNDER_WAY,
    },
    { name: 'OpenGrid, embedded store', target: onEmbedded, withIds: false },
  ];
  console.log(
    `Node ${process.version}, ${rounds} interleaved rounds of ${seconds} s, ${CONNECTIONS} keep-alive connections, ${ACCOUNTS} accounts; over sockets one for every account with ${UNDER_WAY} commands under way in all; servers on one core, client on the other, PostgreSQL on both. Medians after one round to warm up. Half of the orders trade.`,
  );
  for (const { target, ...kind } of targets) await measure(target, kind);
  const results = targets.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { target, ...kind }] of targets.entries())
      results[index].push(await measure(target, kind));
  }
  console.table(targets.map(({ name, target }, index) => rowOf(name, target, results[index])));
} finally {
  await stopAll();
  await postgres.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
