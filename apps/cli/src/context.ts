import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type AdminClient, adminClient } from './admin/client.ts';
import { type Style, styleOf } from './output/style.ts';

/** What every command has at hand. */
export interface Context {
  readonly dataFolder: string;
  readonly isJson: boolean;
  readonly admin: AdminClient;
  readonly style: Style;
}

export type Handler = (context: Context, command: Command) => Promise<void>;

/** Options that every command takes, written before or behind its name. */
export interface GlobalOptions {
  readonly data?: string;
  readonly json?: boolean;
}

/** The data folder that was named, if one was: by flag, else by environment. */
export function namedDataFolder(options: GlobalOptions): string | undefined {
  return options.data || process.env.OPENGRID_DATA || undefined;
}

function contextOf(command: Command): Context {
  const options = command.optsWithGlobals<GlobalOptions>();
  const dataFolder = resolve(namedDataFolder(options) ?? './data');
  return {
    dataFolder,
    isJson: options.json === true,
    admin: adminClient(dataFolder),
    style: styleOf(process.stdout, process.env),
  };
}

/** Makes a handler the action of a command, and gives the command the options that all have. */
export function handle(command: Command, handler: Handler): Command {
  return withGlobalOptions(command).action(() => {
    quietWhenNobodyReads();
    return handler(contextOf(command), command);
  });
}

export function withGlobalOptions(command: Command): Command {
  return command
    .option('--data <folder>', 'data folder of the server (default: $OPENGRID_DATA, else ./data)')
    .option('--json', 'print JSON for programs');
}

/** Prints an outcome: the data itself for programs, lines for people. */
export function present(
  { isJson }: Pick<Context, 'isJson'>,
  outcome: { data: unknown; lines: readonly string[] },
): void {
  const text = isJson ? JSON.stringify(outcome.data, null, 2) : outcome.lines.join('\n');
  process.stdout.write(`${text}\n`);
}

/** `opengrid … | head` closes the pipe early, which is no fault. The server is left alone: it must not end by that. */
export function quietWhenNobodyReads(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? 0);
  });
}
