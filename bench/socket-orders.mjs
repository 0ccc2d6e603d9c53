/**
 * Orders over sockets from end to end: frame, checks, book, one durable commit, reply. Closed loop: every socket keeps some
 * commands on their way. Usage: node bench/socket-orders.mjs [--seconds 4] [--rounds 3] [--accounts 8] [--window 24]
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
const accounts = option('accounts', 8);
const inFlight = option('window', 24);
const SERVER_CORE = 0;
const CLIENT_CORE = 1;

const pairs = Array.from({ length: accounts }, () => generateKeyPairSync('ed25519'));
const pems = pairs.map(({ privateKey }) => privateKey.export({ type: 'pkcs8', format: 'pem' }));
const rawOf = ({ publicKey }) => Buffer.from(publicKey.export({ format: 'jwk' }).x, 'base64url');
const profile =
  process.env.BENCH_PROFILE === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', process.env.BENCH_PROFILE];

async function startOpenGrid(databaseUrl, dataFolder) {
  const main = join(root, 'apps/server/dist/main.js');
  const server = await start({
    args: [...profile, main, '--port', '0', '--no-demo', '--no-builtin-supplier'],
    core: SERVER_CORE,
    readyWord: 'OPENGRID_READY',
    env: {
      OPENGRID_READY_LINE: '1',
      OPENGRID_DATA: dataFolder,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ORDER_RATE: '0',
      ORDER_RPM: '0',
      WS_MESSAGE_RATE: '0',
      LOG_LEVEL: 'error',
    },
  });
  const admin = (path, body) => adminRequest(dataFolder, { method: 'POST', path, body });
  for (let index = 0; index < 12; index += 1) {
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

function load(url) {
  loads += 1;
  const job = { url, keys: pems, seconds, window: inFlight, name: `load-${loads}` };
  const file = join(root, 'bench/socket-load.mjs');
  const args = ['-c', String(CLIENT_CORE), process.execPath, file, JSON.stringify(job)];
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

async function measure(target) {
  const before = cpuMicros(target.pid);
  const result = await load(target.url);
  return { ...result, cpu: (cpuMicros(target.pid) - before) / Math.max(1, result.done) };
}

const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function rowOf(name, target, results) {
  const of = (pick, digits = 1) => Number(middle(results.map(pick)).toFixed(digits));
  return {
    what: name,
    'orders/s': of(({ done, seconds: elapsed }) => done / elapsed, 0),
    'p50 ms': of(({ p50 }) => p50),
    'p99 ms': of(({ p99 }) => p99),
    'CPU us': of(({ cpu }) => cpu, 0),
    'orders per CPU s': of(({ cpu }) => 1e6 / cpu, 0),
    'RSS MB': Math.round(residentMb(target.pid)),
    replies: JSON.stringify(results.at(-1).statuses),
  };
}

const folder = mkdtempSync(join(tmpdir(), 'opengrid-bench-'));
const postgres = await startPostgres();
try {
  const target = await startOpenGrid(await postgres.newDatabase(), folder);
  console.log(
    `Node ${process.version}, ${rounds} rounds of ${seconds} s, ${accounts} accounts with two sockets each, ${inFlight} commands on their way on each; server on one core, client on the other, PostgreSQL on both. Medians after one round to warm up. Half of the orders trade.`,
  );
  await measure(target);
  const results = [];
  for (let round = 0; round < rounds; round += 1) results.push(await measure(target));
  console.table([rowOf('order.place over sockets, PostgreSQL', target, results)]);
} finally {
  await stopAll();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}
