// Runs the market maker until it is told to stop. Settings come from the command line; see README.md.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { AuthenticationError, OpenGrid, OpenGridError, signerFromKey } from '@opengrid/sdk';
import { Maker } from './maker.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: process.env.OPENGRID_URL ?? 'http://localhost:4000' },
    'key-file': { type: 'string', default: process.env.OPENGRID_KEY_FILE ?? 'desk.pem' },
    market: { type: 'string', default: 'text-prime' },
    'spread-bps': { type: 'string', default: '200' },
    levels: { type: 'string', default: '2' },
    units: { type: 'string', default: '5' },
    'interval-ms': { type: 'string', default: '5000' },
    'dead-man-ms': { type: 'string', default: '30000' },
  },
});

const log = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);
const signer = await signerFromKey(await readFile(values['key-file'], 'utf8'));
const grid = new OpenGrid({ baseUrl: values.url, signer });
const maker = await Maker.open(grid, {
  market: values.market,
  spreadBps: Number(values['spread-bps']),
  levels: Number(values.levels),
  units: Number(values.units),
  deadManMs: Number(values['dead-man-ms']),
  log,
});

let isStopping = false;
let wake = (): void => undefined;
const stop = (): void => {
  isStopping = true;
  wake();
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);

// The socket only shortens the wait: a fill, or an event that was missed, is a reason to look at once.
const live = grid.live();
live.user({ onTrade: () => wake(), onGap: () => wake() });

log(`quoting ${values.market}`);
while (!isStopping) {
  const pause = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const timer = setTimeout(() => wake(), Number(values['interval-ms']));
  try {
    await maker.pass();
    log('pass done');
  } catch (error) {
    // The exchange may be away for a while; its own switch takes the quotes out if that lasts. A key that is refused
    // will be refused again.
    if (!(error instanceof OpenGridError) || error instanceof AuthenticationError) throw error;
    log(`pass failed: ${error.message}`);
  }
  if (!isStopping) await pause;
  clearTimeout(timer);
}
await maker.stop();
live.close();
log('stopped');
