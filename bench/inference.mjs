/**
 * The inference relay with key check, reservation, settlement and durable receipt on, over PostgreSQL and over the embedded
 * store, beside the least a relay in Node can do and the gateways that npm has, in one run. They take turns round after round,
 * so that a machine that is busy for a while is busy for all of them; medians are shown. CPU time comes first: on a machine
 * with other work it says more than rates. Run after `npm run build:code`:
 *
 *   node bench/inference.mjs [--seconds 3] [--rounds 3] [--connections 64] [--only messages] [--writes apart]
 *
 * `--only` picks scenarios by a part of their names. With `--writes apart` the supplier sends each event by itself.
 */
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { scenarios as allScenarios } from './inference/bodies.mjs';
import { cleanUp, startTargets } from './inference/targets.mjs';
import { cpuMicros, load, postgresCpuMicros, residentMb, start, stopAll } from './processes.mjs';

const root = new URL('..', import.meta.url).pathname;
const option = (name, fallback) => {
  const index = process.argv.indexOf(`--${name}`);
  return index === -1 ? fallback : process.argv[index + 1];
};
const seconds = Number(option('seconds', 3));
const rounds = Number(option('rounds', 3));
const connections = Number(option('connections', 64));
const writes = option('writes', 'together');
const scenarios = allScenarios.filter(({ name }) => name.includes(option('only', '')));
const SERVER_CORE = 0;
const CLIENT_CORE = 1;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const show = (value, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : '-');
const machineLoad = () => loadavg()[0].toFixed(1);

const jobOf = (target, scenario) => ({
  url: `${target.url}${target.path ?? scenario.path}`,
  key: target.key ?? 'none',
  headers: target.headers ?? {},
  body: scenario.bodyOf('text-standard', scenario.stream),
});

async function measure(target, scenario, forSeconds = seconds) {
  const before = { own: cpuMicros(target.pid), database: postgresCpuMicros() };
  const result = await load({ ...jobOf(target, scenario), connections, seconds: forSeconds }, CLIENT_CORE);
  const done = Math.max(1, result.done);
  return {
    ...result,
    rate: result.done / result.seconds,
    cpu: (cpuMicros(target.pid) - before.own) / done,
    databaseCpu: target.usesPostgres ? (postgresCpuMicros() - before.database) / done : Number.NaN,
    rss: residentMb(target.pid),
  };
}

/** Rounds in which every target has its turn. */
async function takeTurns(targets, measureOne) {
  const rows = targets.map(({ name }) => ({ name, results: [] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, target] of targets.entries()) rows[index].results.push(await measureOne(target));
  }
  return rows;
}

function reportRates(scenario, rows) {
  console.log(`\n${scenario.name}   (load of the machine ${machineLoad()})`);
  console.log(
    '  what                      CPU us/request  PostgreSQL us  requests/s   RSS MB  not 200  errors',
  );
  for (const { name, results } of rows) {
    const middle = (member) => median(results.map((result) => result[member]));
    const refused = results.map(({ statuses }) => Object.values(statuses).reduce((a, b) => a + b, 0));
    const cells = [
      show(middle('cpu')).padStart(14),
      show(middle('databaseCpu')).padStart(14),
      show(middle('rate')).padStart(11),
      show(results.at(-1).rss).padStart(8),
      String(refused.reduce((a, b) => a + b, 0)).padStart(8),
      String(results.reduce((sum, { errors }) => sum + errors, 0)).padStart(7),
    ];
    console.log(`  ${name.padEnd(26)}${cells.join(' ')}`);
    const sample = results.find((result) => result.sample !== undefined)?.sample;
    if (sample !== undefined) console.log(`    not 200: ${sample}`);
  }
}

/** One request at a time: what a hop itself adds to the first byte, the supplier asked directly being the base. */
async function reportFirstBytes(scenario, targets) {
  const alone = (target) => load({ ...jobOf(target, scenario), connections: 1, seconds }, CLIENT_CORE);
  const rows = await takeTurns(targets, alone);
  console.log(`\nFirst byte, one at a time, ms: ${scenario.name}   (load of the machine ${machineLoad()})`);
  const of = (row, member) => median(row.results.map((result) => result[member]));
  for (const row of rows) {
    const [p50, p99] = ['p50', 'p99'].map((member) => of(row, member));
    const [base50, base99] = ['p50', 'p99'].map((member) => of(rows[0], member));
    const added =
      row === rows[0] ? '' : `   added p50 ${show(p50 - base50, 2)}  p99 ${show(p99 - base99, 2)}`;
    console.log(
      `  ${row.name.padEnd(26)} p50 ${show(p50, 2).padStart(6)}  p99 ${show(p99, 2).padStart(6)}${added}`,
    );
  }
}

async function main() {
  const supplier = await start({
    args: [
      join(root, 'testing/dist/faulty-supplier-main.js'),
      ...['--mode', 'bench', '--port', '0', '--chunks', '20', '--writes', writes],
    ],
    core: CLIENT_CORE,
    readyWord: 'SUPPLIER_READY',
  });
  const targets = await startTargets({ root, supplierUrl: supplier.baseUrl, core: SERVER_CORE });
  const speakers = ({ surface }) => targets.filter(({ surfaces }) => surfaces.includes(surface));
  console.log(
    `node ${process.version}, ${rounds} interleaved rounds of ${seconds} s, ${connections} connections; each on one core, client and supplier on the other, PostgreSQL on both.`,
  );
  console.log('The bare relay passes bytes on: it checks, counts, translates and writes nothing.');
  // A relay that has just started is measured by its compiler; what runs for days is not.
  for (const scenario of scenarios)
    for (const target of speakers(scenario)) await measure(target, scenario, Math.min(seconds, 2));
  for (const scenario of scenarios)
    reportRates(scenario, await takeTurns(speakers(scenario), (target) => measure(target, scenario)));
  const direct = { name: 'the supplier itself', url: new URL(supplier.baseUrl).origin };
  for (const scenario of scenarios.filter(({ stream }) => stream))
    await reportFirstBytes(scenario, [direct, ...speakers(scenario)]);
}

try {
  await main();
} finally {
  await stopAll();
  await cleanUp();
}
