import { Argument, type Command, Option } from 'commander';
import { asRow, asRows, type Row } from '../admin/answer.ts';
import { segment } from '../admin/client.ts';
import { type Context, handle, present } from '../context.ts';
import { parseMoney } from '../input/numbers.ts';
import { type Column, cell, fieldLines, tableLines } from '../output/table.ts';

const MODES = ['easy', 'advanced'];
const ROLES = ['member', 'operator'];

const COLUMNS: readonly Column[] = [
  { title: 'USER ID', value: (row) => row.user_id },
  { title: 'E-MAIL', value: (row) => row.email },
  { title: 'MODE', value: (row) => row.mode },
  { title: 'ROLE', value: (row) => row.role },
  { title: 'BALANCE (USD)', align: 'right', value: (row) => row.balance_usd },
];

const EXAMPLES = `
An account is named by its user id or its e-mail address.

Examples:
  opengrid accounts create ada@example.com --mode advanced
  opengrid accounts credit ada@example.com 25.00
  opengrid accounts mode ada@example.com easy
  opengrid accounts list --json`;

/** `opengrid accounts create|list|credit|mode`. */
export function addAccountCommands(program: Command): void {
  const accounts = program
    .command('accounts')
    .description('accounts of buyers and traders')
    .addHelpText('after', EXAMPLES);
  const creating = accounts
    .command('create')
    .description('open an account')
    .argument('<email>', 'e-mail address')
    .option('--name <name>', 'display name')
    .addOption(new Option('--mode <mode>', 'easy buys by itself (default), advanced trades').choices(MODES))
    .addOption(new Option('--role <role>', 'default: member').choices(ROLES));
  handle(creating, create);
  handle(accounts.command('list').description('list all accounts with their balances'), list);
  const crediting = accounts
    .command('credit')
    .description('grant promotional credit')
    .argument('<account>', 'user id or e-mail address')
    .argument('<amount>', 'USD, such as 25.00', parseMoney);
  handle(crediting, credit);
  const switching = accounts
    .command('mode')
    .description('switch an account between easy and advanced mode')
    .argument('<account>', 'user id or e-mail address')
    .addArgument(new Argument('<mode>').choices(MODES));
  handle(switching, setMode);
}

function accountLines(row: Row, { style }: Context): string[] {
  const fields = COLUMNS.map((column) => [column.title.toLowerCase(), column.value(row)] as const);
  return fieldLines(fields, style);
}

async function create(context: Context, command: Command): Promise<void> {
  const { name, mode, role } = command.opts<{ name?: string; mode?: string; role?: string }>();
  const body = { email: command.args[0], name, mode, role };
  const data = asRow(await context.admin.post('/accounts', { body }));
  const lines = [
    `Opened the account ${cell(data.email)}.`,
    '',
    ...accountLines(data, context),
    '',
    `Give it credit with \`opengrid accounts credit ${cell(data.email)} 25.00\`.`,
  ];
  present(context, { data, lines });
}

async function list(context: Context): Promise<void> {
  const data = asRows(await context.admin.get('/accounts'));
  const lines =
    data.length === 0
      ? ['No accounts yet. Open one with `opengrid accounts create <email>`.']
      : tableLines(COLUMNS, data, context.style);
  present(context, { data, lines });
}

async function credit(context: Context, command: Command): Promise<void> {
  const [account, amount] = command.processedArgs as [string, string];
  const path = `/accounts/${segment(account)}/credit`;
  const data = asRow(await context.admin.post(path, { body: { amount } }));
  const lines = [`Granted USD ${amount} to ${cell(data.email)}.`, '', ...accountLines(data, context)];
  present(context, { data, lines });
}

async function setMode(context: Context, command: Command): Promise<void> {
  const [account, mode] = command.processedArgs as [string, string];
  await context.admin.post(`/accounts/${segment(account)}/mode`, { body: { mode } });
  present(context, { data: { account, mode }, lines: [`${cell(account)} is in ${mode} mode.`] });
}
