import { type Command, Option } from 'commander';
import { asRow, asRows } from '../admin/answer.ts';
import { segment } from '../admin/client.ts';
import { type Context, handle, present } from '../context.ts';
import { parseExpiry } from '../input/expiry.ts';
import { parseCount } from '../input/numbers.ts';
import { type Column, cell, fieldLines, shortTime, tableLines } from '../output/table.ts';
import { addGenerateAndRegister } from './signing-keys.ts';

const COLUMNS: readonly Column[] = [
  { title: 'KEY ID', value: (row) => row.id },
  { title: 'PREFIX', value: (row) => row.key_prefix },
  { title: 'NAME', value: (row) => row.name },
  { title: 'ACTIVE', value: (row) => row.is_active },
  { title: 'SCOPES', value: (row) => row.scopes },
  { title: 'CREATED', value: (row) => shortTime(row.created_at) },
  { title: 'LAST USED', value: (row) => shortTime(row.last_used_at) },
];

const EXAMPLES = `
Examples:
  opengrid keys create --account ada@example.com --name laptop --expires 90d
  opengrid keys create --account ada@example.com --scope inference --scope usage:read
  OPENGRID_API_KEY=$(opengrid keys create --account ada@example.com --json | jq -r .key)
  opengrid keys revoke key_01jz3v8m2k7f9q0x4w6t5s1r8q
  opengrid keys generate --out desk.pem                         a key that signs orders
  opengrid keys register --account ada@example.com --key-file desk.pem

\`generate\` and \`register\` are those of \`opengrid signing-keys\`, which also lists and revokes such keys.`;

/** `opengrid keys create|list|revoke`, and the two commands for keys that sign. */
export function addKeyCommands(program: Command): void {
  const keys = program
    .command('keys')
    .description('keys: those that inference is called with, and new ones that sign orders')
    .addHelpText('after', EXAMPLES);
  const creating = keys
    .command('create')
    .description('make a key; it is shown this once')
    .requiredOption('--account <account>', 'user id or e-mail address')
    .option('--name <name>', 'label to know it by', 'command line')
    .option('--scope <scope>', 'what it may do; may be repeated', collect)
    .option('--expires <when>', '90d, 2030-01-31 or an ISO time with offset', (text) =>
      parseExpiry(text, Date.now()),
    )
    .option('--monthly-tokens <count>', 'tokens it may use in a calendar month', parseCount)
    .addOption(
      new Option('--routing <mode>', 'how inference with it is routed').choices(['direct', 'redirect']),
    );
  handle(creating, create);
  handle(keys.command('list').description('list all keys, revoked ones included'), list);
  const revoking = keys.command('revoke').description('end a key at once').argument('<id>', 'id of the key');
  handle(revoking, revoke);
  addGenerateAndRegister(keys);
}

function collect(word: string, words: readonly string[] = []): readonly string[] {
  return [...words, word];
}

interface CreateOptions {
  readonly account: string;
  readonly name: string;
  readonly scope?: readonly string[];
  readonly expires?: string;
  readonly monthlyTokens?: number;
  readonly routing?: string;
}

async function create(context: Context, command: Command): Promise<void> {
  const { account, name, scope, expires, monthlyTokens, routing } = command.opts<CreateOptions>();
  const limits = { monthly_token_limit: monthlyTokens, routing_mode: routing };
  const body = { account, name, scopes: scope, expires_at: expires, ...limits };
  const data = asRow(await context.admin.post('/keys', { body }));
  const shown = COLUMNS.slice(0, 5).map(
    (column) => [column.title.toLowerCase(), column.value(data)] as const,
  );
  const ends = expires === undefined ? [] : [['expires', shortTime(expires)] as const];
  const lines = [
    `Key for ${cell(account)}, shown this once:`,
    '',
    `  ${context.style.bold(cell(data.key))}`,
    '',
    ...fieldLines([...shown, ...ends], context.style),
  ];
  present(context, { data, lines });
}

async function list(context: Context): Promise<void> {
  const data = asRows(await context.admin.get('/keys'));
  const lines =
    data.length === 0
      ? ['No keys yet. Make one with `opengrid keys create --account <email>`.']
      : tableLines(COLUMNS, data, context.style);
  present(context, { data, lines });
}

async function revoke(context: Context, command: Command): Promise<void> {
  const [id] = command.processedArgs as [string];
  await context.admin.post(`/keys/${segment(id)}/revoke`);
  present(context, {
    data: { id, is_active: false },
    lines: [`Revoked ${cell(id)}. It is refused from now on.`],
  });
}
