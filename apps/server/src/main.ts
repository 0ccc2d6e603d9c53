/**
 * The program: reads flags and environment, starts, and stops on a signal. Everything it wires is in `program/`.
 */
import { banner } from './program/banner.ts';
import { type Config, type Invocation, readInvocation } from './program/config.ts';
import { explainFailure } from './program/failures.ts';
import { runLedgerVerify } from './program/ledger-verify.ts';
import { type Program, startProgram } from './program/start.ts';

const EXIT_FAILURE = 1;
/** The lease was lost to another process: a supervisor may start this one again. */
const EXIT_FENCED = 75;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function fail(error: unknown, config: Config | undefined): never {
  const address = { host: config?.host ?? '127.0.0.1', port: config?.port ?? 4000 };
  say(`\nopengrid: ${explainFailure(error, address)}`);
  if (
    config !== undefined &&
    config.logLevel !== 'silent' &&
    config.logLevel !== 'warn' &&
    error instanceof Error
  ) {
    say(`${error.name} ${(error.stack ?? '').split('\n').slice(1, 6).join('\n')}`);
  }
  process.exit(EXIT_FAILURE);
}

function onLost(reason: 'fenced' | 'broken'): void {
  const why =
    reason === 'fenced'
      ? 'Another process has taken over the market; this one has stopped writing.'
      : 'An invariant of the market was broken; nothing more is written.';
  say(`opengrid: ${why}\nThe store is as it was after the last commit. Run \`opengrid ledger verify\`.`);
  process.exit(reason === 'fenced' ? EXIT_FENCED : EXIT_FAILURE);
}

/** Ends after the first signal has settled everything, at once after the second. */
function stopOnSignals(program: Program): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(EXIT_FAILURE);
    isStopping = true;
    say(`\n${signal}: finishing running requests and settling (once more to stop at once)`);
    program.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error, undefined),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function guardProcess(program: Program): void {
  process.on('uncaughtException', (error) => {
    program.telemetry.fault('uncaught exception', error);
    process.exit(EXIT_FAILURE);
  });
  process.on('unhandledRejection', (error) => {
    program.telemetry.fault('unhandled rejection', error);
    process.exit(EXIT_FAILURE);
  });
}

async function start(config: Config): Promise<void> {
  const startedAtMs = Date.now();
  const program = await startProgram({ config, onLost, onProgress: (message) => say(`  ${message}`) });
  guardProcess(program);
  stopOnSignals(program);
  const { url, key, model, buyer } = program;
  if (process.env.OPENGRID_READY_LINE === '1') {
    process.stdout.write(`OPENGRID_READY ${JSON.stringify({ url, key: key ?? null })}\n`);
    return;
  }
  say(`  ready in ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`);
  process.stdout.write(banner({ url, key, model, buyer }));
}

async function main(): Promise<void> {
  let invocation: Invocation;
  try {
    invocation = readInvocation(process.argv.slice(2));
  } catch (error) {
    fail(error, undefined);
  }
  const { config } = invocation;
  try {
    if (invocation.command === 'ledger-verify')
      process.exitCode = await runLedgerVerify(config, invocation.isJson);
    else await start(config);
  } catch (error) {
    fail(error, config);
  }
}

await main();
