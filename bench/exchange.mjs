/**
 * Benchmarks of the exchange, row by row beside their targets and their peers. Rows take turns, round after round, so that
 * a machine that is busy for a while is busy for all of them; the first round only warms up, then medians are shown, of
 * the clock and of the processor time of this process. Run after `npm run build:code`:
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
  const wallMs = median(results.map((result) => result.wallMs));
  const cpuMs = median(results.map((result) => result.cpuMs));
  const { count, note = '' } = results[results.length - 1];
  if (row.target?.ms !== undefined || row.inMs) {
    const target = row.target === undefined ? '' : `<= ${rate(row.target.ms)} ms`;
    return [row.name, `${rate(wallMs)} ms`, `${rate(cpuMs)} ms`, target, note];
  }
  const perSecond = (ms) => median(results.map((result) => (result.count / result[ms]) * 1000));
  const target = row.target === undefined ? '' : `>= ${rate(row.target.perSecond)}/s`;
  const detail = note === '' ? `${rate(count)} operations` : `${rate(count)} operations; ${note}`;
  return [row.name, `${rate(perSecond('wallMs'))}/s`, `${rate(perSecond('cpuMs'))}/s`, target, detail];
}

function print(table) {
  const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)));
  for (const line of table) {
    const padded = line.map((cell, column) =>
      column === 0 || column === 4 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
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
print([['what', 'by the clock', 'by CPU time', 'target', ''], ...measured.map(cells)]);
