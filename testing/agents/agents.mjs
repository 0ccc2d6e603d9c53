/**
 * Real coding agents against the real program: each reads a file, corrects it and answers, with the supplier's calls of tools
 * scripted and everything else as their users have it. The agents are large binaries, so they are installed into a scratch
 * folder, and they run in a network namespace that has no outside: `npm run test:agents`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startFaultySupplier, startProgram } from '../dist/index.js';
import { askAdmin } from './admin.mjs';
import { scriptedCoder } from './scripted-coder.mjs';

const AGENTS = { '@anthropic-ai/claude-code': '2.1.330', '@openai/codex': '0.169.0' };
const INSTRUMENT = 'code-prime';
const TASK =
  'greeting.txt has a typo: "wrold" must be "world". Read the file, fix the typo, then say that you are done.';
const RUN_LIMIT_MS = 60_000;
const root = fileURLToPath(new URL('../..', import.meta.url));
const scratch = join(root, '.scratch', 'agents');

/** Each agent over the wire of its own dialect and over another. */
const ALL_RUNS = [
  { agent: 'claude', dialect: 'anthropic' },
  { agent: 'claude', dialect: 'openai' },
  { agent: 'codex', dialect: 'openai-responses' },
  { agent: 'codex', dialect: 'openai' },
];

function installAgents() {
  const names = Object.entries(AGENTS).map(([name, version]) => `${name}@${version}`);
  const marker = join(scratch, 'installed.json');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === names.join(' ')) return;
  mkdirSync(scratch, { recursive: true });
  const args = [
    'install',
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefix',
    scratch,
    ...names,
  ];
  const { status } = spawnSync('npm', args, { stdio: 'inherit', cwd: scratch });
  if (status !== 0) throw new Error('the agents could not be installed');
  writeFileSync(marker, names.join(' '));
}

/** Runs this file again where nothing but the loopback interface can be reached. */
function enterNamespace() {
  const flags = process.getuid?.() === 0 ? ['-n'] : ['-r', '-n'];
  const inside = [...flags, 'sh', '-c', 'ip link set lo up && exec "$0" "$@"', process.execPath];
  const file = fileURLToPath(import.meta.url);
  const { status, error } = spawnSync('unshare', [...inside, file, '--inside', ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  if (error !== undefined) throw new Error(`a network namespace could not be made: ${error.message}`);
  process.exit(status ?? 1);
}

async function runAll() {
  const reached = await fetch('http://192.0.2.1', { signal: AbortSignal.timeout(2_000) }).then(
    () => true,
    () => false,
  );
  if (reached) throw new Error('there is an outside: the namespace is not one');
  let failures = 0;
  const named = ALL_RUNS.filter(({ agent }) => process.argv.includes(agent));
  const runs = named.length > 0 ? named : ALL_RUNS;
  for (const run of runs) {
    const started = Date.now();
    const problem = await attempt(run).catch((error) =>
      error instanceof Error ? error.message : String(error),
    );
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(
      `${problem === undefined ? 'ok    ' : 'FAILED'} ${run.agent} over ${run.dialect} (${seconds} s)`,
    );
    if (problem !== undefined) console.log(`       ${problem}`);
    failures += problem === undefined ? 0 : 1;
  }
  console.log(`\n${runs.length - failures} passed, ${failures} failed`);
  process.exit(failures === 0 ? 0 : 1);
}

/** @returns what went wrong, or undefined. */
async function attempt({ agent, dialect }) {
  const folder = mkdtempSync(join(tmpdir(), 'opengrid-agent-'));
  const double = await startFaultySupplier({
    behaviour: scriptedCoder(join(folder, 'work', 'greeting.txt')),
  });
  const program = await startProgram({ dataFolder: join(folder, 'data') });
  try {
    const key = await furnish({ dataFolder: join(folder, 'data'), double, dialect });
    const work = join(folder, 'work');
    mkdirSync(work);
    const file = join(work, 'greeting.txt');
    writeFileSync(file, 'Hello wrold\n');
    const origin = program.url.replace('//localhost:', '//127.0.0.1:');
    const { code, output } = await COMMANDS[agent]({ origin, key, work, home: join(folder, 'home') });
    return verdict({ code, output, file, double, receipts: await receiptsOf(origin, key) });
  } finally {
    await program.kill9();
    await double.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function verdict({ code, output, file, double, receipts }) {
  const text = readFileSync(file, 'utf8');
  const ends = receipts.map(({ status, error_code: error }) => error ?? status).join(' ');
  const seen = `${double.requests.length} requests at the supplier, receipts: ${ends || 'none'}`;
  if (code !== 0) return `ended with ${code} (${seen}): ${output.slice(-1_500)}`;
  if (text !== 'Hello world\n') return `left the file as ${JSON.stringify(text)}: ${output.slice(-1_500)}`;
  if (!output.includes('The typo is fixed.')) return `did not answer: ${output.slice(-1_500)}`;
  const bad = receipts.filter(({ status }) => status !== 'reconciled');
  return receipts.length < 3 || bad.length > 0 ? seen : undefined;
}

async function receiptsOf(origin, key) {
  const answer = await fetch(`${origin}/v1/usage?limit=100`, { headers: { authorization: `Bearer ${key}` } });
  return (await answer.json()).data;
}

/** A supplier with units on the book, and a buyer with credit and a key. */
async function furnish({ dataFolder, double, dialect }) {
  const ask = (path, body) => askAdmin(dataFolder, path, body);
  await ask('/suppliers', {
    name: 'Scripted coder',
    base_url: double.baseUrl,
    key: double.apiKey,
    model: 'double',
    dialect,
    instrument: INSTRUMENT,
    price: '1.00',
    units: 10,
  });
  await ask('/accounts', { email: 'agent@example.org', mode: 'easy' });
  await ask('/accounts/agent@example.org/credit', { amount: '25' });
  return (await ask('/keys', { account: 'agent@example.org', name: 'agent' })).key;
}

const COMMANDS = {
  claude: ({ origin, key, work, home }) =>
    // The package's own command is put in place by an install script; this is what it would start.
    run(
      join(
        scratch,
        'node_modules',
        '@anthropic-ai',
        `claude-code-${process.platform}-${process.arch}`,
        'claude',
      ),
      {
        args: ['-p', TASK, '--allowedTools', 'Read,Edit', '--model', INSTRUMENT],
        cwd: work,
        env: {
          HOME: home,
          ANTHROPIC_BASE_URL: origin,
          ANTHROPIC_AUTH_TOKEN: key,
          ANTHROPIC_MODEL: INSTRUMENT,
          ANTHROPIC_SMALL_FAST_MODEL: INSTRUMENT,
          ANTHROPIC_DEFAULT_HAIKU_MODEL: INSTRUMENT,
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
          DISABLE_AUTOUPDATER: '1',
        },
      },
    ),
  codex: ({ origin, key, work, home }) => {
    const codexHome = join(home, '.codex');
    mkdirSync(codexHome, { recursive: true });
    const provider = `name = "OpenGrid"\nbase_url = "${origin}/v1"\nenv_key = "OPENGRID_KEY"\nwire_api = "responses"\n`;
    // A search that a server runs would carry content elsewhere, so it is refused by name.
    const config = `model = "${INSTRUMENT}"\nmodel_provider = "opengrid"\nweb_search = "disabled"\n\n[model_providers.opengrid]\n${provider}`;
    writeFileSync(join(codexHome, 'config.toml'), config);
    return run(join(scratch, 'node_modules', '.bin', 'codex'), {
      args: ['exec', '--skip-git-repo-check', '--sandbox', 'danger-full-access', TASK],
      cwd: work,
      env: { HOME: home, CODEX_HOME: codexHome, OPENGRID_KEY: key },
    });
  },
};

function run(command, { args, cwd, env }) {
  mkdirSync(env.HOME, { recursive: true });
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { PATH: process.env.PATH, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: RUN_LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    child.once('error', (error) => resolve({ code: error.message, output }));
    child.once('close', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

if (process.argv.includes('--inside')) await runAll();
else {
  installAgents();
  enterNamespace();
}
