import { Command } from 'commander';
import { packageVersion } from './checkout.ts';
import { addAccountCommands } from './commands/accounts.ts';
import { addMarketCommands } from './commands/book.ts';
import { addHoldingCommands } from './commands/holdings.ts';
import { addKeyCommands } from './commands/keys.ts';
import { addLedgerCommands } from './commands/ledger.ts';
import { addOrderCommands } from './commands/orders.ts';
import { addSigningKeyCommands } from './commands/signing-keys.ts';
import { addStartCommand } from './commands/start.ts';
import { addStatusCommand } from './commands/status.ts';
import { addSupplierCommands } from './commands/suppliers.ts';
import { withGlobalOptions } from './context.ts';

const EXAMPLES = `
Examples:
  opengrid start --port 4000
  opengrid status
  opengrid accounts create ada@example.com
  opengrid accounts credit ada@example.com 25.00
  opengrid keys create --account ada@example.com --name laptop
  opengrid suppliers add --name "My Ollama" --base-url http://localhost:11434/v1 --model llama3.2 \\
      --dialect openai --instrument text-prime --price 0.90 --units 500
  opengrid ledger verify --json
  opengrid keys generate --out desk.pem
  opengrid book text-prime
  opengrid orders place buy text-prime 10 --price 0.90 --key-file desk.pem

The operator's commands talk to the running server through <data>/admin.sock, so they work on its machine and as its
user. markets, book, orders, trades, balances, positions and transfer talk to --url (or OPENGRID_URL) like any client,
and sign with the key of --key-file (or OPENGRID_KEY_FILE).
Exit codes: 0 done, 1 failed, 2 wrong usage. NO_COLOR switches colours off.`;

/** The whole command line. Wrong usage throws instead of ending the process. */
export function buildProgram(): Command {
  const program = new Command('opengrid')
    .description(
      "The open, self-hostable spot exchange for LLM inference: the operator's commands and a trader's.",
    )
    .version(packageVersion())
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError('Add --help to see how this command is used.')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'opengrid: ')) })
    .addHelpText('after', EXAMPLES);
  withGlobalOptions(program);
  addStartCommand(program);
  addStatusCommand(program);
  addAccountCommands(program);
  addKeyCommands(program);
  addSigningKeyCommands(program);
  addSupplierCommands(program);
  addLedgerCommands(program);
  addMarketCommands(program);
  addOrderCommands(program);
  addHoldingCommands(program);
  return program;
}
