// What a new user does, in an empty folder: clone, `npm ci`, `npm start`, paste the printed snippets, look around, stop,
// start again; and the mistakes a user makes. Usage:
//   node scripts/smoke.mjs [--pictures folder] [--no-browser] [--keep]
// It tests the last commit, not the working tree. Ends with `N passed, N failed`; exit code 1 when anything failed.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { run, signalGroup, start, waitFor } from './smoke/processes.mjs';

const { values: flags } = parseArgs({
  options: { pictures: { type: 'string' }, 'no-browser': { type: 'boolean' }, keep: { type: 'boolean' } },
});
const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const place = mkdtempSync(join(tmpdir(), 'opengrid-smoke-'));
const folder = join(place, 'opengrid');
const data = join(folder, 'data');
const START = [process.execPath, 'scripts/start.mjs'];

let passed = 0;
let failed = 0;
const outputs = [];

/** One thing that must hold. Answers what `test` answers, or nothing when it failed. */
async function check(title, test) {
  const startedAtMs = Date.now();
  const took = () => `${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`;
  try {
    const result = await test();
    passed += 1;
    console.log(`ok   ${title} (${took()})`);
    return result;
  } catch (error) {
    failed += 1;
    console.log(
      `FAIL ${title} (${took()}): ${String(error.message).split('\n').slice(0, 12).join('\n     ')}`,
    );
    return undefined;
  }
}

function expect(condition, explanation) {
  if (!condition) throw new Error(explanation);
}

/** Runs a command in the clone; its output is searched for content at the end. */
async function command(words, options = {}) {
  const result = await run(words, { folder, ...options });
  outputs.push(result.stdout, result.stderr);
  return result;
}

async function succeed(words, options) {
  const result = await command(words, options);
  const ending = `${result.stdout}${result.stderr}`.slice(-1500);
  expect(result.code === 0, `${words.join(' ')} ended with ${result.code ?? result.signal}: ${ending}`);
  return result;
}

/** A start that must be refused with these words, politely. */
async function refuse(args, words, env = {}) {
  const result = await command([...START, '--no-build', ...args], { env });
  expect(result.code === 1, `exit code ${result.code ?? result.signal} instead of 1`);
  for (const word of words) expect(result.stderr.includes(word), `"${word}" is not in: ${result.stderr}`);
  expect(!/^\s+at .*[:(]\d+/m.test(result.stderr), `a stack trace: ${result.stderr}`);
  return result.stderr;
}

/** Starts the program and reads what it prints for people. */
async function launch(words) {
  const program = start(words, { folder });
  await waitFor(
    'address',
    () => {
      expect(!program.isOver, `the program ended:\n${program.stderr.slice(-1500)}`);
      return /^OpenGrid is running at .*Stop: Ctrl-C/ms.test(program.stdout);
    },
    120_000,
  );
  const url = /OpenGrid is running at (\S+)/.exec(program.stdout)[1];
  const key = /sk-or-v1-[0-9a-f]{64}/.exec(program.stdout)?.[0];
  return { program, url, key };
}

/** The text between two lines of what the program printed. */
function printed(program, from, to) {
  const begin = program.stdout.indexOf(from);
  const end = program.stdout.indexOf(to, begin);
  expect(begin >= 0 && end > begin, `"${from}" was not printed`);
  return program.stdout.slice(begin + from.length, end).trim();
}

async function get(url, key) {
  const response = await fetch(url, key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function chat({ url, key }, body) {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ max_tokens: 40, messages: [{ role: 'user', content: 'The sea was' }], ...body }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function checkInstall() {
  await check('an empty folder gets the last commit', async () => {
    await run(['git', 'clone', '--quiet', '--no-local', '--depth', '1', `file://${repository}`, folder], {
      folder: place,
    });
    expect(statSync(join(folder, 'package.json')).isFile(), 'nothing was cloned');
  });
  await check('npm ci, with every install script refused', () =>
    succeed(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], {
      timeoutMs: 180_000,
    }),
  );
  await check('npm start -- --help lists the flags and their environment twins', async () => {
    const { stdout } = await succeed(['npm', 'start', '--silent', '--', '--help'], { timeoutMs: 120_000 });
    for (const word of ['--port', 'PORT', '--host', 'HOST', '--data', 'OPENGRID_DATA']) {
      expect(stdout.includes(word), `${word} is not in the help`);
    }
    for (const word of ['--database-url', 'DATABASE_URL', '--no-demo', 'EMAIL_VERIFICATION']) {
      expect(stdout.includes(word), `${word} is not in the help`);
    }
  });
}

async function checkSnippets(server) {
  await check('the printed curl snippet streams an answer to its end', async () => {
    const snippet = printed(server.program, 'Try it with curl:', 'or with the OpenAI SDK');
    const { stdout } = await succeed(['bash', '-c', snippet]);
    const events = stdout.split('\n').filter((line) => line.startsWith('data: '));
    expect(events.length > 3, `only ${events.length} events: ${stdout.slice(0, 500)}`);
    expect(events.at(-1) === 'data: [DONE]', 'the stream does not end with [DONE]');
    const text = events
      .slice(0, -1)
      .map((line) => JSON.parse(line.slice(6)).choices[0]?.delta?.content ?? '')
      .join('');
    expect(text.trim().length > 20, `no text: ${text}`);
  });
  await check('the printed OpenAI SDK snippet prints an answer and its usage', async () => {
    const snippet = printed(
      server.program,
      'or with the OpenAI SDK (installed here already):',
      '\nReceipts:',
    );
    const { stdout } = await succeed(['bash', '-c', snippet]);
    expect(/completion_tokens: [1-9]/.test(stdout) && stdout.length > 60, `printed: ${stdout}`);
  });
}

/** 0.95 dollars as an integer of 10^-14 dollars: enough digits for tokens times prices per token. */
function exact(decimal) {
  const [whole, fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(14, '0'));
}

async function checkReceipts(server) {
  await check(
    'a plain answer has a receipt: draws, trades, unit numbers, the cost to the last digit',
    async () => {
      const answer = await chat(server, { model: 'text-standard' });
      expect(answer.status === 200, `status ${answer.status}: ${JSON.stringify(answer.body)}`);
      const id = answer.headers.get('x-grid-request-id');
      const { body: receipt } = await get(`${server.url}/v1/usage/${id}`, server.key);
      expect(receipt.status === 'reconciled', `status ${receipt.status}`);
      expect(receipt.usage.total_tokens === answer.body.usage.total_tokens, 'other tokens than the answer');
      const { breakdown, amount } = receipt.cost;
      const isComplete =
        breakdown.length > 0 && breakdown.every((draw) => draw.trade_id && draw.unit_from >= 1);
      expect(isComplete, `draws: ${JSON.stringify(breakdown)}`);
      const tokens = breakdown.reduce((sum, draw) => sum + draw.tokens, 0);
      expect(tokens === receipt.usage.total_tokens, `${tokens} tokens drawn`);
      const cost = breakdown.reduce(
        (sum, draw) => sum + BigInt(draw.tokens) * exact(draw.acquisition_price_per_token),
        0n,
      );
      expect(cost === exact(amount), `the draws cost ${cost}, the receipt says ${amount}`);
    },
  );
}

async function checkSurfaces(server) {
  const { url, key } = server;
  await check('models, order book, trades and metrics can be read', async () => {
    const { body: models } = await get(`${url}/v1/models`);
    expect(models.data.length >= 9, `${models.data.length} models`);
    const { body: book } = await get(`${url}/v1/markets/text-standard/orderbook`);
    expect(book.data.sell.length >= 3, `${book.data.sell.length} price levels`);
    const { body: trades } = await get(`${url}/v1/markets/text-standard/trades`);
    expect(trades.data.length >= 1, 'no trade');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(
      metrics.includes('gen_ai_server_time_to_first_token'),
      'the metrics lack the time to the first token',
    );
  });
  await check('a wrong key is 401 and an unknown model 404, in the shape of OpenAI', async () => {
    const wrong = await chat({ url, key: `sk-or-v1-${'0'.repeat(64)}` }, { model: 'text-standard' });
    expect(wrong.status === 401 && wrong.body.error.code === 'invalid_api_key', JSON.stringify(wrong.body));
    const unknown = await chat({ url, key }, { model: 'no-such-model' });
    const code = unknown.body.error.code;
    expect(unknown.status === 404 && code === 'model_not_found', JSON.stringify(unknown.body));
    expect(/^req_/.test(unknown.headers.get('x-grid-request-id')), 'no request id');
  });
  await check('the page is served at /', () =>
    waitFor('page', async () => /<script[^>]+src="\/assets\//.test(await (await fetch(url)).text())),
  );
  await check('secret and administration socket are for the owner only', () => {
    for (const name of ['secret', 'admin.sock']) {
      const mode = statSync(join(data, name)).mode & 0o777;
      expect(mode === 0o600, `${name} has mode ${mode.toString(8)}`);
    }
  });
  await check('npx opengrid status and ledger verify speak to the running program', async () => {
    await succeed(['npx', '--no-install', 'opengrid', 'status']);
    const { stdout } = await succeed(['npx', '--no-install', 'opengrid', 'ledger', 'verify', '--json']);
    expect(JSON.parse(stdout).ok === true, stdout);
  });
}

async function checkBrowser(server) {
  if (flags['no-browser']) return;
  const words = [process.execPath, 'apps/dashboard/e2e/page.mjs', '--url', server.url];
  if (flags.pictures !== undefined) words.push('--out', flags.pictures);
  await check('the browser test of the page passes', async () => {
    const env = { OPENGRID_API_KEY: server.key };
    if (process.env.CHROMIUM_PATH !== undefined) env.CHROMIUM_PATH = process.env.CHROMIUM_PATH;
    const { code, stdout, stderr } = await command(words, { env, timeoutMs: 120_000 });
    const counts = /(\d+) passed, (\d+) failed/.exec(stdout);
    passed += Number(counts?.[1] ?? 0);
    failed += Number(counts?.[2] ?? 0);
    const failures = stdout.split('\n').filter((line) => line.startsWith('FAIL'));
    expect(code === 0, `exit code ${code}\n${failures.join('\n')}\n${stderr.slice(-500)}`);
  });
}

async function checkMistakes(server) {
  const elsewhere = ['--data', join(place, 'elsewhere')];
  await check('a port that is taken is named, with what to do', async () => {
    const { port } = new URL(server.url);
    await refuse(['--port', port, ...elsewhere], [port, '--port']);
  });
  await check('a data folder in use is named, with what to do', () =>
    refuse(['--port', '0'], [data, 'DATABASE_URL']),
  );
  await check('a database that cannot be reached is named, without its password', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => free.once('listening', resolve));
    const { port } = free.address();
    await new Promise((resolve) => free.close(resolve));
    const databaseUrl = `postgres://ada:hunter2@127.0.0.1:${port}/x`;
    const said = await refuse(['--port', '0', ...elsewhere], [`127.0.0.1:${port}`], {
      DATABASE_URL: databaseUrl,
    });
    expect(!said.includes('hunter2'), 'the password is shown');
  });
  await check('a flag that does not exist is refused', async () => {
    const { code } = await command([...START, '--no-build', '--prot', '1']);
    expect(code !== 0, 'it was accepted');
  });
}

async function checkStop(server) {
  await check('Ctrl-C settles and ends the program', async () => {
    signalGroup(server.program.pid, 'SIGINT');
    await server.program.exited;
    await waitFor(
      'end',
      () =>
        fetch(server.url).then(
          () => false,
          () => true,
        ),
      40_000,
    );
  });
  await check('the ledger verifies without a server', async () => {
    const { stdout } = await waitFor('free store', async () => {
      const result = await command(['npx', '--no-install', 'opengrid', 'ledger', 'verify', '--json']);
      return result.code === 0 ? result : undefined;
    });
    expect(JSON.parse(stdout).ok === true, stdout);
  });
}

async function checkSecondStart(first) {
  const server = await check('a second start shows no key and keeps the market', async () => {
    const second = await launch([...START, '--port', '0']);
    expect(second.key === undefined, 'a key was printed again');
    return { ...second, key: first.key };
  });
  if (server === undefined) return;
  await check('the first key still works, and so does the receipt list', async () => {
    const answer = await chat(server, { model: 'text-standard' });
    expect(answer.status === 200, `status ${answer.status}`);
    const { body } = await get(`${server.url}/v1/usage`, server.key);
    expect(body.data.length >= 4, `${body.data.length} receipts`);
  });
  await check('SIGTERM ends it with exit code 0', async () => {
    process.kill(server.program.pid, 'SIGTERM');
    const { code, signal } = await server.program.exited;
    expect(code === 0, `ended with ${code ?? signal}`);
  });
  outputs.push(server.program.stdout, server.program.stderr);
}

/** Content that was sent, looked for in everything that was written. */
async function checkRetention(server, canary) {
  await check('a marked prompt is answered', async () => {
    const messages = [{ role: 'user', content: canary.marker }];
    const { status } = await chat(server, { model: 'text-standard', messages, user: canary.marker });
    expect(status === 200, `status ${status}`);
  });
  return async ({ searchFolder, searchText }) => {
    await check('nothing of the marked prompt is in the data folder or in what was printed', async () => {
      const { hits } = await searchFolder(data, [canary]);
      const all = [...hits, ...outputs.flatMap((text) => searchText(text, [canary], 'output'))];
      expect(all.length === 0, all.map((hit) => `${hit.where} (${hit.encoding})`).join(', '));
    });
  };
}

async function smoke() {
  await checkInstall();
  const server = await check('npm start prints an address and a key', async () => {
    const launched = await launch(['npm', 'start', '--', '--port', '0']);
    expect(launched.key !== undefined, 'no key was printed');
    return launched;
  });
  if (server === undefined) return;
  const testing = await import(pathToFileURL(join(folder, 'testing/dist/index.js')).href);
  const canary = testing.makeCanaries(['prompt']).get('prompt');
  await checkSnippets(server);
  await checkReceipts(server);
  const searchForContent = await checkRetention(server, canary);
  await checkSurfaces(server);
  await checkBrowser(server);
  await checkMistakes(server);
  await checkStop(server);
  outputs.push(server.program.stdout, server.program.stderr);
  await checkSecondStart(server);
  await searchForContent(testing);
}

try {
  await smoke();
} finally {
  if (!flags.keep) rmSync(place, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
