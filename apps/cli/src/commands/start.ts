import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { startProgram } from '../checkout.ts';
import { type GlobalOptions, namedDataFolder } from '../context.ts';

/** `opengrid start` is the server itself: its flags, its help, its signals and its exit code. */
export function addStartCommand(program: Command): void {
  program
    .command('start')
    .description('start the server; takes the flags of `npm start` (see `opengrid start --help`)')
    .argument('[flags...]', 'flags of the server')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action((flags: readonly string[]) => start(flags, program.opts<GlobalOptions>()));
}

/** Runs in this very process, so that Ctrl-C and SIGTERM reach the server once and its exit code is ours. */
async function start(flags: readonly string[], options: GlobalOptions): Promise<void> {
  const script = startProgram();
  const folder = options.data === undefined ? undefined : namedDataFolder(options);
  const data = folder === undefined ? [] : ['--data', folder];
  process.argv = [process.execPath, script, ...data, ...flags];
  await import(pathToFileURL(script).href);
}
