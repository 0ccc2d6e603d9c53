import { OpenGrid } from '@opengrid/sdk';
import type { Command } from 'commander';
import { quietWhenNobodyReads } from '../context.ts';
import { usageFailure } from '../failure.ts';
import { readSigner } from '../input/private-key.ts';
import { type Style, styleOf } from '../output/style.ts';
import { gridFailure } from './failure.ts';

/** What a command has at hand that trades over the network, as anybody may. */
export interface GridContext {
  readonly grid: OpenGrid;
  readonly isJson: boolean;
  readonly style: Style;
}

/** What a command cannot do without: nothing, somebody who may read, or somebody who signs. */
export type Needs = 'nothing' | 'reader' | 'signer';

interface GridOptions {
  readonly url?: string;
  readonly keyFile?: string;
  readonly json?: boolean;
}

const DEFAULT_URL = 'http://localhost:4000';
const KEY_HINT =
  'Make one with `opengrid keys generate --out desk.pem`, have it registered with `opengrid keys register`, ' +
  'and name it with --key-file or OPENGRID_KEY_FILE.';

/** Makes a handler the action of a command that speaks the Trading API, with the options that all of them take. */
export function handleGrid(
  command: Command,
  needs: Needs,
  handler: (context: GridContext, command: Command) => Promise<void>,
): Command {
  return command
    .option('--url <origin>', `where the installation answers (default: $OPENGRID_URL, else ${DEFAULT_URL})`)
    .option('--key-file <file>', 'private key that signs (default: $OPENGRID_KEY_FILE)')
    .option('--json', 'print JSON for programs')
    .action(async () => {
      quietWhenNobodyReads();
      const context = await contextOf(command.optsWithGlobals<GridOptions>(), needs);
      await handler(context, command).catch((error: unknown) => {
        throw gridFailure(error);
      });
    });
}

async function contextOf(options: GridOptions, needs: Needs): Promise<GridContext> {
  const { env } = process;
  const keyFile = options.keyFile || env.OPENGRID_KEY_FILE || undefined;
  // Market data are public: a key that is of no use there must not keep anybody from reading them.
  const signer = keyFile === undefined || needs === 'nothing' ? undefined : await readSigner(keyFile);
  const apiKey = needs === 'reader' && signer === undefined ? env.OPENGRID_API_KEY || undefined : undefined;
  if (needs === 'signer' && signer === undefined)
    throw usageFailure('This command is signed, and no key file is named.', KEY_HINT);
  if (needs === 'reader' && signer === undefined && apiKey === undefined)
    throw usageFailure('This command reads an account, and no key file is named.', KEY_HINT);
  const grid = gridAt(options.url || env.OPENGRID_URL || DEFAULT_URL, { signer, apiKey });
  return { grid, isJson: options.json === true, style: styleOf(process.stdout, env) };
}

function gridAt(
  baseUrl: string,
  credentials: Pick<ConstructorParameters<typeof OpenGrid>[0], 'signer' | 'apiKey'>,
): OpenGrid {
  try {
    return new OpenGrid({ baseUrl, ...credentials });
  } catch {
    throw usageFailure('--url (or OPENGRID_URL) must be an http or https URL.');
  }
}
