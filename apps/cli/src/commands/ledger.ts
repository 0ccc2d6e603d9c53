import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import type { Command } from 'commander';
import { asRow, type Row, rowsIn } from '../admin/answer.ts';
import { NoServerFailure } from '../admin/client.ts';
import { builtServer } from '../checkout.ts';
import { type Context, handle, present } from '../context.ts';
import { CliFailure, EXIT_FAILURE } from '../failure.ts';
import { type Column, cell, fieldLines, tableLines } from '../output/table.ts';

/** A long journal takes its time; the server answers when it is through. */
const VERIFY_TIMEOUT_MS = 30 * 60_000;

const EXAMPLES = `
Asks the running server; when none runs, opens the store itself.
Exit code 1 when a rule is broken.

Examples:
  opengrid ledger verify
  opengrid ledger verify --data /srv/opengrid --json
  DATABASE_URL=postgres://… opengrid ledger verify    a PostgreSQL store, no server running`;

/** `opengrid ledger verify`. */
export function addLedgerCommands(program: Command): void {
  const ledger = program.command('ledger').description('the books');
  const verifying = ledger
    .command('verify')
    .description('recompute every balance from the entries and check every rule')
    .addHelpText('after', EXAMPLES);
  handle(verifying, verify);
}

async function verify(context: Context): Promise<void> {
  try {
    const data = await context.admin.post('/ledger/verify', { timeoutMs: VERIFY_TIMEOUT_MS });
    showReport(context, asRow(data));
  } catch (error) {
    if (!(error instanceof NoServerFailure)) throw error;
    process.exitCode = await verifyWithoutServer(context);
  }
}

function showReport(context: Context, report: Row): void {
  const { style } = context;
  const columns: readonly Column[] = [
    { title: 'RESULT', value: (check) => (check.ok === true ? 'ok' : 'BROKEN') },
    { title: 'VIOLATIONS', align: 'right', value: (check) => check.violations },
    { title: 'RULE', value: (check) => check.name },
  ];
  const verdict = report.ok === true ? style.good('The ledger holds.') : style.bad('The ledger is broken.');
  const facts = [
    ['last command', report.commandSeq],
    ['state hash', report.stateHash],
    ['took', `${cell(report.durationMs)} ms`],
  ] as const;
  const table = tableLines(columns, rowsIn(report, 'checks'), style);
  present(context, { data: report, lines: [...table, '', ...fieldLines(facts, style), '', verdict] });
  if (report.ok !== true) process.exitCode = EXIT_FAILURE;
}

/** The server's own program checks a store that nobody has open; its output and exit code are passed on. */
function verifyWithoutServer({ dataFolder, isJson }: Context): Promise<number> {
  if (!process.env.DATABASE_URL && !existsSync(dataFolder)) {
    throw new CliFailure('no_data', `There is no data folder ${dataFolder}, and no server runs on it.`, {
      hint: 'Name the folder with --data or OPENGRID_DATA, or the PostgreSQL server with DATABASE_URL.',
    });
  }
  const words = [builtServer(), 'ledger-verify', '--data', dataFolder, ...(isJson ? ['--json'] : [])];
  const child = spawn(process.execPath, words, { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
}
