import { parseArgs } from 'node:util';
import { startBenchSupplier } from './bench-supplier.ts';
import { startFaultySupplier } from './faulty-supplier.ts';
import type { SupplierBehaviour } from './supplier-behaviour.ts';

const usage = `Usage: node faulty-supplier-main.js [--port 0] [--mode bench|behave] [--chunks 20]
  --mode bench    answers made once, as cheap as possible; [--writes together|apart]
  --mode behave   the full double; [--behaviour '{"kind":"answer","chunkIntervalMs":50}'] [--api-key KEY]
Prints SUPPLIER_READY {"baseUrl":"…"} and ends on SIGTERM, SIGINT or when its standard input closes
(unless --detached is given).`;

/** Runs one of the two doubles in a process of its own until it is told to stop. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      mode: { type: 'string', default: 'bench' },
      chunks: { type: 'string', default: '20' },
      writes: { type: 'string', default: 'together' },
      behaviour: { type: 'string', default: '{"kind":"answer"}' },
      'api-key': { type: 'string' },
      detached: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const port = Number(values.port);
  const chunkCount = Number(values.chunks);
  const writes = values.writes === 'apart' ? 'apart' : 'together';
  const apiKey = values['api-key'];
  const supplier =
    values.mode === 'bench'
      ? await startBenchSupplier({ port, chunkCount, writes })
      : await startFaultySupplier({
          port,
          behaviour: JSON.parse(values.behaviour) as SupplierBehaviour,
          ...(apiKey === undefined ? {} : { apiKey }),
        });
  console.log(`SUPPLIER_READY ${JSON.stringify({ baseUrl: supplier.baseUrl })}`);
  const stop = () => {
    process.stdin.destroy();
    void supplier.close();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // A parent that is killed cannot stop its children; the pipe that breaks does.
  if (!values.detached) process.stdin.resume().once('close', stop);
}

await main();
