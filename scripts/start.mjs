// `npm start`: checks Node, builds what must be built, and starts the program in this process. It is plain JavaScript
// that old Node versions can still parse, so that they get an answer instead of a syntax error.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const REQUIRED_NODE = [20, 19];
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const program = join(root, 'apps/server/dist/main.js');
const page = join(root, 'apps/dashboard/dist/index.html');

function fail(message, hint) {
  process.stderr.write(`\nopengrid: ${message}\n${hint}\n`);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isNewEnough = major > REQUIRED_NODE[0] || (major === REQUIRED_NODE[0] && minor >= REQUIRED_NODE[1]);
  if (isNewEnough) return;
  fail(
    `Node ${process.versions.node} is too old; OpenGrid needs ${REQUIRED_NODE.join('.')} or newer.`,
    'Install a current Node (24 is recommended) from nodejs.org or with your version manager, then run `npm ci` again.',
  );
}

function binary(name, path) {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), path);
  } catch {
    return undefined;
  }
}

function buildCode() {
  const compiler = binary('typescript', 'bin/tsc');
  if (compiler === undefined || !existsSync(compiler)) {
    if (existsSync(program)) return;
    fail(
      'The program is not built and the compiler is not installed.',
      'Run `npm ci` (with development dependencies) first.',
    );
  }
  process.stderr.write(existsSync(program) ? 'Checking the build… ' : 'Building the program (first start)… ');
  const startedAtMs = Date.now();
  // Types are checked by `npm run check` and `npm test`; a start only needs the program.
  const build = [compiler, '-b', 'apps/server', 'apps/cli', '--noCheck'];
  const { status } = spawnSync(process.execPath, build, { cwd: root, stdio: 'inherit' });
  if (status !== 0)
    fail('The build failed.', 'The compiler says why above. `npm ci` repairs a damaged installation.');
  process.stderr.write(`done in ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s\n`);
}

/** The page is built once the program runs: the API need not wait for it. */
function buildPage() {
  if (existsSync(page)) return;
  const vite = binary('vite', 'bin/vite.js');
  if (vite === undefined) return;
  const builder = spawn(process.execPath, [vite, 'build', '--logLevel', 'error'], {
    cwd: join(root, 'apps/dashboard'),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const stop = () => builder.kill();
  process.once('exit', stop);
  builder.once('exit', (code) => {
    process.removeListener('exit', stop);
    if (code !== 0) process.stderr.write('The page could not be built; the API works without it.\n');
  });
}

/**
 * npm passes SIGTERM on to its shell only, which leaves the program an orphan. Started by npm, it therefore stops when that
 * shell is gone, unless it has been told to stop already.
 */
function stopWithNpm() {
  if (process.env.npm_lifecycle_event !== 'start') return;
  const parent = process.ppid;
  let isTold = false;
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (isTold = true));
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    if (!isTold) process.kill(process.pid, 'SIGTERM');
  }, 500);
  timer.unref();
}

checkNode();
const isInformational = process.argv.some(
  (word) => word === '--help' || word === '-h' || word === '--version',
);
if (!process.argv.includes('--no-build')) buildCode();
process.argv = process.argv.filter((word) => word !== '--no-build');
await import(pathToFileURL(program).href);
if (!isInformational) stopWithNpm();
if (!isInformational) buildPage();
