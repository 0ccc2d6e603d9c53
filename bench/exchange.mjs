/**
 * Benchmarks of the exchange, row by row beside their targets and their peers. Rows take turns, round after round, so that
 * a machine that is busy for a while is busy for all of them. The first round only warms up; then medians are shown, by the
 * clock and by the processor time of this process, and the best round, which says most where others share the cores.
 * Run after `npm run build:code`:
 *
 *   node bench/exchange.mjs [--rounds 5] [--only book,peers] [--no-rebuild]
 *
 * A file in `exchange/` exports `rows`. A row has a `name`, perhaps a `target` ({ perSecond } or { ms }), and `run()`, which
 * does the work and returns { count, note }; `prepare()` runs once before and is not measured, `once` rows run a single
 * time, and a row that measures other processes returns `wallMs` and `cpuMs` itself.
 */
import { cpus } from 'node:os';

const FILES = ['book', 'apply', 'peers', 'rebuild'];
const option = (name, fallback) => {
  const index = process.argv.indexOf(`--${name}`);
  return index === -1 ? fallback : process.argv[index + 1];
};
const rounds = Number(option('rounds', 5));
const only = option('only', FILES.join(',')).split(',');
const files = FILES.filter((file) => only.includes(file) && !process.argv.includes(`--no-${file}`));

async function measure(row) {
  globalThis.gc?.();
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const result = await row.run();
  const wallMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { wallMs, cpuMs: (user + system) / 1000, ...result };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const rate = (perSecond) => Math.round(perSecond).toLocaleString('en-US');

function cells({ row, results }) {
  const { count, note = '' } = results[results.length - 1];
  const isTime = row.inMs === true || row.target?.ms !== undefined;
  const show = (value) => (isTime ? `${rate(value)} ms` : `${rate(value)}/s`);
  const values = (ms) => results.map((one) => (isTime ? one[ms] : (one.count / one[ms]) * 1000));
  const best = isTime ? Math.min(...values('wallMs')) : Math.max(...values('wallMs'));
  const shown = [median(values('wallMs')), best, median(values('cpuMs'))].map(show);
  const goal = row.target?.ms ?? row.target?.perSecond;
  const target = goal === undefined ? '' : `${isTime ? '<=' : '>='} ${show(goal)}`;
  const detail = [isTime ? '' : `${rate(count)} operations`, note].filter((part) => part !== '').join('; ');
  return [row.name, ...shown, target, detail];
}

function print(table) {
  const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)));
  for (const line of table) {
    const padded = line.map((cell, column) =>
      column === 0 || column === line.length - 1
        ? cell.padEnd(widths[column])
        : cell.padStart(widths[column]),
    );
    console.log(padded.join('  ').trimEnd());
  }
}

const measured = [];
for (const file of files) {
  const { rows } = await import(`./exchange/${file}.mjs`);
  for (const row of rows) measured.push({ row, results: [] });
}
for (const { row } of measured) await row.prepare?.();
for (let round = 0; round <= rounds; round += 1) {
  for (const { row, results } of measured) {
    if (row.once === true && round > 0) continue;
    const result = await measure(row);
    if (round > 0 || row.once === true) results.push(result);
  }
}
console.log(`node ${process.version}, ${cpus().length} x ${cpus()[0].model}, medians of ${rounds} rounds\n`);
print([['what', 'by the clock', 'best round', 'by CPU time', 'target', ''], ...measured.map(cells)]);

const targeted = measured.filter(({ row }) => row.name.startsWith('book alone'));
if (targeted.length > 0) {
  const perSecond = (one) => (one.count / one.wallMs) * 1000;
  const slowest = targeted.map(({ results }) => median(results.map(perSecond))).sort((a, b) => a - b)[0];
  console.log(`\nThe book at its slowest, by the clock: ${rate(slowest)}/s`);
}
