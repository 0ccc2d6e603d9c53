/**
 * What many streams at once cost in memory: so many clients each read an answer whose supplier sends a word every half a
 * second, through the program with everything on over PostgreSQL. Resident memory before, at its peak and afterwards is
 * printed; beyond the limit, or when a stream does not end well, the exit code is 1. Nothing here is a measure of speed.
 *
 *   node bench/slow-streams.mjs [--streams 1000] [--words 40] [--limit-mb 300] [--surface chat|messages|responses]
 */
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { cleanUp, onPostgres } from './inference/targets.mjs';
import { residentMb, start, stopAll } from './processes.mjs';

const root = new URL('..', import.meta.url).pathname;
const option = (name, fallback) => {
  const index = process.argv.indexOf(`--${name}`);
  return index === -1 ? fallback : process.argv[index + 1];
};
const streams = Number(option('streams', 1_000));
const words = Number(option('words', 40));
const limitMb = Number(option('limit-mb', 300));
const INTERVAL_MS = 500;

const messages = [{ role: 'user', content: 'Say something, slowly.' }];
const SURFACES = {
  chat: { path: '/v1/chat/completions', body: { messages, max_completion_tokens: 1_000 }, end: '[DONE]' },
  messages: { path: '/v1/messages', body: { messages, max_tokens: 1_000 }, end: 'message_stop' },
  responses: {
    path: '/v1/responses',
    body: { input: messages[0].content, max_output_tokens: 1_000 },
    end: 'response.completed',
  },
};
const surface = SURFACES[option('surface', 'chat')];
if (surface === undefined) {
  console.error(`--surface takes ${Object.keys(SURFACES).join(', ')}.`);
  process.exit(2);
}

const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });

/** Reads one stream. Resolves with how it went: `whole`, or the status or code that says why not. */
function read({ url, key }, counts) {
  const body = Buffer.from(JSON.stringify({ model: 'text-standard', ...surface.body, stream: true }));
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    authorization: `Bearer ${key}`,
  };
  return new Promise((resolve) => {
    const call = request(`${url}${surface.path}`, { method: 'POST', headers, agent }, (response) => {
      let tail = '';
      response.once('data', () => {
        counts.open += 1;
        counts.mostOpen = Math.max(counts.mostOpen, counts.open);
      });
      response.on('data', (part) => {
        tail = (tail + part.toString('latin1')).slice(-4_000);
      });
      response.once('close', () => {
        counts.open -= 1;
        const isWhole = response.statusCode === 200 && tail.includes(surface.end);
        resolve(isWhole ? 'whole' : `status ${response.statusCode}`);
      });
    });
    call.once('error', (error) => resolve(error.code ?? 'error'));
    call.end(body);
  });
}

/** Reads them all at once, and looks at the program's memory meanwhile. */
async function run(target) {
  const counts = { open: 0, mostOpen: 0 };
  const before = residentMb(target.pid);
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, residentMb(target.pid));
  }, 100);
  const ends = await Promise.all(Array.from({ length: streams }, () => read(target, counts)));
  clearInterval(watch);
  const failures = ends.filter((end) => end !== 'whole');
  return { before, peak, after: residentMb(target.pid), mostOpen: counts.mostOpen, failures };
}

function print({ before, peak, after, mostOpen, failures }) {
  const mb = (value) => `${value.toFixed(0)} MB`;
  console.log(
    `${streams} streams of ${surface.path}, a word every ${INTERVAL_MS} ms, OpenGrid over PostgreSQL`,
  );
  console.log(`open at once     ${mostOpen}`);
  console.log(`memory before    ${mb(before)}`);
  console.log(`memory at peak   ${mb(peak)} (limit ${mb(limitMb)})`);
  console.log(`memory after     ${mb(after)}`);
  console.log(`not whole        ${failures.length} ${[...new Set(failures)].join(', ')}`);
}

try {
  const behaviour = JSON.stringify({ kind: 'answer', chunkCount: words, chunkIntervalMs: INTERVAL_MS });
  const supplier = await start({
    args: [
      join(root, 'testing/dist/faulty-supplier-main.js'),
      '--mode',
      'behave',
      '--behaviour',
      behaviour,
      '--api-key',
      'bench',
    ],
    readyWord: 'SUPPLIER_READY',
  });
  const result = await run(await onPostgres({ root, supplierUrl: supplier.baseUrl }));
  print(result);
  const isGood = result.failures.length === 0 && result.mostOpen === streams && result.peak < limitMb;
  process.exitCode = isGood ? 0 : 1;
} finally {
  await stopAll();
  await cleanUp();
}
