/**
 * Durable orders: the real sequencer on a real PostgreSQL server of this machine, no network edge. Open loop: commands
 * come at a fixed rate whether or not earlier ones are answered, and wait from the moment they were due.
 * Usage: node bench/orders.mjs [--seconds 4] [--only mix,takers] [--rates 5000,10000]
 */
import { cpus } from 'node:os';
import { startSequencer } from '../apps/server/dist/sequencer/sequencer.js';
import { migrate } from '../apps/server/dist/store/migrate.js';
import { openServerDatabase } from '../apps/server/dist/store/server-database.js';
import { startPostgres } from '../testing/dist/index.js';
import { cpuMicros } from './processes.mjs';

const ACCOUNTS = 100;
const INSTRUMENT = 1;
const MID_TICKS = 25_000;
const RULES = {
  takerBps: 50,
  makerBps: 0,
  minOrderUnits: 1,
  maxOrderUnits: 1_000_000,
  maxOpenOrders: 1_000_000,
  marketCollarBps: 1_000,
  limitCollarBps: 5_000,
  autoBuyCollarBps: 1_000,
  referencePriceTicks: MID_TICKS,
};
const silent = {
  request() {},
  delivery() {},
  system() {},
  fault: (where, error) => console.error(where, error),
};

const option = (name, fallback) => {
  const index = process.argv.indexOf(`--${name}`);
  return index === -1 ? fallback : process.argv[index + 1];
};
const seconds = Number(option('seconds', 4));
const only = option('only', '').split(',').filter(Boolean);
const MODES = [
  ...option('rates', '2500,5000,10000,20000')
    .split(',')
    .filter(Boolean)
    .map((rate) => ({ rate: Number(rate) })),
  { width: 2_000 },
];

/** A small generator with a fixed seed, so that every run measures the same stream. */
function randomSource(seed) {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

function limitOrder(account, side, { quantityUnits, priceTicks, timeInForce = 'gtc' }) {
  const market = { instrument: INSTRUMENT, type: 'limit' };
  return { kind: 'place_order', account, side, quantityUnits, priceTicks, timeInForce, ...market };
}

/** Of 100 commands 60 are limit orders around the middle, 30 cancel one of them, 10 take at once. */
function mixed(accounts) {
  const random = randomSource(23);
  const live = [];
  const next = () => {
    const draw = random(100);
    if (draw >= 60 && draw < 90 && live.length > 100) {
      const at = random(live.length);
      const picked = live[at];
      live[at] = live[live.length - 1];
      live.pop();
      return { kind: 'cancel_order', ...picked };
    }
    const side = random(2) === 0 ? 'buy' : 'sell';
    const away = Math.min(random(100), random(100)) - (accounts > 1 ? 4 : -1);
    const priceTicks = side === 'buy' ? MID_TICKS - away : MID_TICKS + away;
    const timeInForce = draw >= 90 ? 'ioc' : 'gtc';
    return limitOrder(1 + random(accounts), side, { quantityUnits: 1 + random(20), priceTicks, timeInForce });
  };
  const done = (command, outcome) => {
    if (command.kind !== 'place_order' || command.timeInForce === 'ioc') return;
    const last = outcome.events.findLast((event) => event.type === 'order' && event.order === outcome.order);
    if (last.remainingUnits > 0) live.push({ account: command.account, order: outcome.order });
  };
  return { next, done };
}

/** Every command is a trade: buyers take one unit each of what rests. */
function takers(accounts) {
  const random = randomSource(29);
  const next = () =>
    limitOrder(2 + random(accounts - 1), 'buy', {
      quantityUnits: 1,
      priceTicks: MID_TICKS,
      timeInForce: 'ioc',
    });
  return { next, done() {} };
}

const WORKLOADS = {
  mix: { title: 'mix, 100 accounts', stream: () => mixed(ACCOUNTS) },
  hot: { title: 'mix, one account', stream: () => mixed(1) },
  takers: { title: 'takers: every command a trade', stream: () => takers(ACCOUNTS), resting: 1_000_000 },
};

async function openMarket(postgres, resting) {
  const database = await openServerDatabase({ databaseUrl: await postgres.newDatabase() });
  await migrate({ database });
  const onLost = (reason) => {
    console.error(`the sequencer was lost: ${reason}`);
    process.exit(1);
  };
  const sequencer = await startSequencer({ database, telemetry: silent, onLost, snapshotEvery: 1e9 });
  const setUp = [{ kind: 'open_market', instrument: INSTRUMENT, rules: RULES }];
  for (let account = 1; account <= ACCOUNTS; account += 1) {
    const units = { account, instrument: INSTRUMENT, quantityUnits: 2_000_000 };
    setUp.push({ kind: 'open_account', account });
    setUp.push({ kind: 'credit', account, origin: 'card', amountMicros: 10_000_000_000_000 });
    setUp.push({ kind: 'issue', ...units }, { kind: 'transfer_issued', ...units });
  }
  if (resting > 0) setUp.push(limitOrder(1, 'sell', { quantityUnits: resting, priceTicks: MID_TICKS }));
  for (const command of setUp) {
    const result = await sequencer.submit(command);
    if (!result.ok) throw new Error(`${command.kind}: ${result.code}`);
  }
  return { database, sequencer };
}

/** CPU time of the server's processes that serve this database, in microseconds. */
async function postgresCpu(database) {
  const { rows } = await database.query({ text: 'select pid from pg_stat_activity where pid is not null' });
  return rows.reduce((sum, { pid }) => sum + (cpuMicros(pid) || 0), 0);
}

class Meter {
  latencies = [];
  accepted = 0;
  refused = 0;
  failed = 0;
  trades = 0;
  outstanding = 0;

  send(sequencer, stream, dueMs) {
    const command = stream.next();
    this.outstanding += 1;
    sequencer.submit(command).then(
      (result) => {
        this.outstanding -= 1;
        this.latencies.push(performance.now() - dueMs);
        if (!result.ok) {
          this.refused += 1;
          return;
        }
        this.accepted += 1;
        for (const event of result.outcome.events) if (event.type === 'trade') this.trades += 1;
        stream.done(command, result.outcome);
      },
      () => {
        this.outstanding -= 1;
        this.failed += 1;
      },
    );
  }

  percentile(share) {
    const sorted = this.latencies.sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  }
}

/** Between two looks at the clock the processor is free: what is measured is not the waiting. */
const nap = () => new Promise((resolve) => setTimeout(resolve, 1));

/** Sends `rate` commands a second for `seconds`, each at its time. */
async function openLoop(sequencer, stream, rate) {
  const meter = new Meter();
  const startedMs = performance.now();
  const total = rate * seconds;
  let sent = 0;
  while (sent < total || meter.outstanding > 0) {
    const due = Math.min(total, Math.floor(((performance.now() - startedMs) / 1_000) * rate));
    for (; sent < due; sent += 1) meter.send(sequencer, stream, startedMs + (sent / rate) * 1_000);
    await nap();
  }
  return { meter, elapsedMs: performance.now() - startedMs };
}

/** Keeps `width` commands under way: the most the program can do. */
async function closedLoop(sequencer, stream, width) {
  const meter = new Meter();
  const startedMs = performance.now();
  const isOver = () => performance.now() - startedMs > seconds * 1_000;
  while (!isOver() || meter.outstanding > 0) {
    while (meter.outstanding < width && !isOver()) meter.send(sequencer, stream, performance.now());
    await nap();
  }
  return { meter, elapsedMs: performance.now() - startedMs };
}

async function run(postgres, { title, stream, resting = 0 }, mode) {
  const { database, sequencer } = await openMarket(postgres, resting);
  try {
    const source = stream();
    const batchesBefore = await lastBatch(database);
    const before = { own: process.cpuUsage(), postgres: await postgresCpu(database) };
    const { meter, elapsedMs } = mode.rate
      ? await openLoop(sequencer, source, mode.rate)
      : await closedLoop(sequencer, source, mode.width);
    const own = process.cpuUsage(before.own);
    const postgresMicros = (await postgresCpu(database)) - before.postgres;
    const batches = (await lastBatch(database)) - batchesBefore;
    const count = meter.accepted + meter.refused;
    const perSecond = (amount) => Math.round((amount / elapsedMs) * 1_000);
    const micros = (amount) => Number((amount / Math.max(1, count)).toFixed(1));
    return {
      workload: title,
      load: mode.rate ? `${mode.rate}/s offered` : `${mode.width} under way`,
      'commands/s': perSecond(count),
      'trades/s': perSecond(meter.trades),
      refused: meter.refused,
      failed: meter.failed,
      'p50 ms': Number(meter.percentile(0.5).toFixed(1)),
      'p99 ms': Number(meter.percentile(0.99).toFixed(1)),
      'p99.9 ms': Number(meter.percentile(0.999).toFixed(1)),
      'per commit': Math.round(count / Math.max(1, batches)),
      'CPU us program': micros(own.user + own.system),
      'CPU us PostgreSQL': micros(postgresMicros),
    };
  } finally {
    await sequencer.close();
    await database.close();
  }
}

async function lastBatch(database) {
  const { rows } = await database.query({ text: 'select batch from writer_lease' });
  return rows[0].batch;
}

console.log(`${cpus().length} cores (${cpus()[0].model}), Node ${process.version}, PostgreSQL with fsync on`);
const postgres = await startPostgres();
try {
  const rows = [];
  for (const [name, workload] of Object.entries(WORKLOADS)) {
    if (only.length > 0 && !only.includes(name)) continue;
    for (const mode of MODES) {
      rows.push(await run(postgres, workload, mode));
    }
  }
  console.table(rows);
} finally {
  await postgres.stop();
}
