// Every benchmark, one after the other: node bench/run.mjs [name …], names: inference, slow-streams, exchange, orders,
// signed-orders.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BENCHMARKS = ['inference', 'slow-streams', 'exchange', 'orders', 'signed-orders'];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !BENCHMARKS.includes(name));
if (unknown.length > 0) {
  console.error(`No benchmark named ${unknown.join(', ')}. There are: ${BENCHMARKS.join(', ')}.`);
  process.exit(2);
}
for (const name of wanted.length > 0 ? wanted : BENCHMARKS) {
  console.log(`\n== ${name} ==`);
  const file = fileURLToPath(new URL(`./${name}.mjs`, import.meta.url));
  const { status } = spawnSync(process.execPath, [file], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
