// The inference relay with key check, reservation, settlement and durable receipt on, beside the least a relay can do, on
// the same machine in one run, interleaved. Usage: node bench/relay.mjs [--seconds 4] [--rounds 3]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../testing/dist/index.js';
import { adminRequest } from './admin.mjs';
import { cpuMicros, load, residentMb, start, stopAll } from './processes.mjs';

const root = new URL('..', import.meta.url).pathname;
const option = (name, fallback) => {
  const index = process.argv.indexOf(`--${name}`);
  return index === -1 ? fallback : Number(process.argv[index + 1]);
};
const seconds = option('seconds', 4);
const rounds = option('rounds', 3);
const CONNECTIONS = 64;
const SERVER_CORE = 0;
const CLIENT_CORE = 1;

const small = { role: 'user', content: 'Say something about the sea.' };
const large = { role: 'user', content: 'The sea is wide and the ship is small. '.repeat(1_250) };

const bodyOf = (model, message, stream) => ({ model, stream, max_tokens: 64, messages: [message] });

const scenarios = [
  { name: 'JSON, 0.2 KB body', message: small, stream: false },
  { name: 'stream of 20 chunks, 0.2 KB body', message: small, stream: true },
  { name: 'JSON, 50 KB body', message: large, stream: false },
];

async function startOpenGrid(supplierUrl, databaseUrl, dataFolder) {
  const server = await start({
    args: [join(root, 'apps/server/dist/main.js'), '--port', '0', '--no-demo', '--no-builtin-supplier'],
    core: SERVER_CORE,
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
  const admin = (method, path, body) => adminRequest(dataFolder, { method, path, body });
  await admin('POST', '/suppliers', {
    name: 'Bench',
    base_url: supplierUrl,
    key: 'bench',
    model: 'bench-model',
    dialect: 'openai',
    instrument: 'text-standard',
    price: '0.2500',
    units: 10_000,
    max_concurrency: 10_000,
  });
  const { data: account } = await admin('POST', '/accounts', { email: 'bench@example.com' });
  await admin('POST', `/accounts/${account.user_id}/credit`, { amount: '9000.00', reason: 'benchmark' });
  const { data: key } = await admin('POST', '/keys', { account: account.user_id, name: 'bench' });
  return { ...server, key: key.key };
}

async function measure(target, scenario) {
  const before = cpuMicros(target.pid);
  const job = {
    url: `${target.url}/v1/chat/completions`,
    key: target.key ?? 'none',
    body: bodyOf('text-standard', scenario.message, scenario.stream),
    connections: CONNECTIONS,
    seconds,
  };
  const result = await load(job, CLIENT_CORE);
  const cpu = (cpuMicros(target.pid) - before) / Math.max(1, result.done);
  return { ...result, rate: result.done / result.seconds, cpu, rss: residentMb(target.pid) };
}

/** One request at a time: what the hop itself adds to the first byte. */
async function latency(target, scenario) {
  const job = {
    url: `${target.url}/v1/chat/completions`,
    key: target.key ?? 'none',
    body: bodyOf('text-standard', scenario.message, true),
    connections: 1,
    seconds: Math.min(seconds, 3),
  };
  return load(job, CLIENT_CORE);
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const show = (value, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : '-');

function report(scenario, rows) {
  console.log(`\n${scenario.name}`);
  console.log('  what                       CPU us/request   requests/s   RSS MB   not 200   errors');
  for (const { name, results } of rows) {
    const cells = [
      show(median(results.map((result) => result.cpu))).padStart(14),
      show(median(results.map((result) => result.rate))).padStart(12),
      show(results[results.length - 1].rss).padStart(8),
      JSON.stringify(results[results.length - 1].statuses).padStart(9),
      String(results.reduce((sum, result) => sum + result.errors, 0)).padStart(8),
    ];
    console.log(`  ${name.padEnd(25)}${cells.join(' ')}`);
    const sample = results.find((result) => result.sample !== undefined)?.sample;
    if (sample !== undefined) console.log(`    not 200: ${sample}`);
  }
}

const folders = [];
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'opengrid-bench-'));
  folders.push(folder);
  return folder;
};
const postgres = await startPostgres();
try {
  const supplier = await start({
    args: [
      join(root, 'testing/dist/faulty-supplier-main.js'),
      '--mode',
      'bench',
      '--port',
      '0',
      '--chunks',
      '20',
    ],
    core: CLIENT_CORE,
    readyWord: 'SUPPLIER_READY',
  });
  const bare = await start({
    args: [join(root, 'bench/bare-relay.mjs'), supplier.baseUrl],
    core: SERVER_CORE,
    readyWord: 'RELAY_READY',
  });
  const onServer = await startOpenGrid(supplier.baseUrl, await postgres.newDatabase(), newFolder());
  const onEmbedded = await startOpenGrid(supplier.baseUrl, undefined, newFolder());
  const targets = [
    { name: 'bare undici relay', ...bare },
    { name: 'OpenGrid, PostgreSQL', ...onServer },
    { name: 'OpenGrid, embedded store', ...onEmbedded },
  ];
  console.log(
    `node ${process.version}, ${rounds} interleaved rounds of ${seconds} s, ${CONNECTIONS} connections; relays on one core, client and supplier on the other, PostgreSQL on both. One round to warm up, then medians.`,
  );
  // A relay that has just started is measured by its compiler; what runs for days is not.
  for (const scenario of scenarios) for (const target of targets) await measure(target, scenario);
  for (const scenario of scenarios) {
    const rows = targets.map((target) => ({ name: target.name, results: [] }));
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, target] of targets.entries())
        rows[index].results.push(await measure(target, scenario));
    }
    report(scenario, rows);
  }
  console.log('\nFirst byte of a stream, one request at a time, ms');
  const base = await latency(targets[0], scenarios[1]);
  for (const target of targets) {
    const { p50, p99 } = await latency(target, scenarios[1]);
    const added = `added p50 ${show(p50 - base.p50, 2)}, p99 ${show(p99 - base.p99, 2)}`;
    console.log(`  ${target.name.padEnd(25)} p50 ${show(p50, 2)}  p99 ${show(p99, 2)}  ${added}`);
  }
} finally {
  await stopAll();
  await postgres.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
