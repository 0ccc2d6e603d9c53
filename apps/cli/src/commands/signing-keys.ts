import type { Command } from 'commander';
import { asRow, asRows } from '../admin/answer.ts';
import { segment } from '../admin/client.ts';
import { type Context, handle, present } from '../context.ts';
import { usageFailure } from '../failure.ts';
import { parseExpiry } from '../input/expiry.ts';
import { generateKeyFile, readKeyFile } from '../input/private-key.ts';
import { type Column, cell, fieldLines, shortTime, tableLines } from '../output/table.ts';

const COLUMNS: readonly Column[] = [
  { title: 'KEY ID', value: (row) => row.id },
  { title: 'FINGERPRINT', value: (row) => row.fingerprint },
  { title: 'LABEL', value: (row) => row.label },
  { title: 'ACTIVE', value: (row) => row.is_active },
  { title: 'READ ONLY', value: (row) => row.read_only },
  { title: 'NONCE', value: (row) => row.require_nonce },
  { title: 'CREATED', value: (row) => shortTime(row.created_at) },
  { title: 'LAST USED', value: (row) => shortTime(row.last_used_at) },
];

const EXAMPLES = `
Examples:
  opengrid signing-keys generate --out desk.pem
  opengrid signing-keys register --account ada@example.com --key-file desk.pem --label desk
  opengrid signing-keys revoke skey_01jz3v8m2k7f9q0x4w6t5s1r8q`;

/** `opengrid signing-keys generate|register|list|revoke`. */
export function addSigningKeyCommands(program: Command): void {
  const keys = program
    .command('signing-keys')
    .description('Ed25519 keys, which trading requests are signed with')
    .addHelpText('after', EXAMPLES);
  addGenerateAndRegister(keys);
  handle(keys.command('list').description('list all keys, revoked ones included'), list);
  const revoking = keys.command('revoke').description('end a key at once').argument('<id>', 'id of the key');
  handle(revoking, revoke);
}

/** `generate` and `register`, which `opengrid keys` has as well: a trader looks for them there. */
export function addGenerateAndRegister(keys: Command): void {
  const generating = keys
    .command('generate')
    .description('make an Ed25519 key on this machine; the file never leaves it')
    .requiredOption('--out <file>', 'where to write the private key (mode 0600)');
  handle(generating, generate);
  const registering = keys
    .command('register')
    .description('register the public half of a key')
    .requiredOption('--account <account>', 'user id or e-mail address')
    .option('--key-file <file>', 'private key of this machine; its possession is proven')
    .option('--public-key <base64>', 'public key alone, 32 bytes in base64')
    .option('--label <label>', 'label to know it by', 'command line')
    .option('--require-nonce', 'accept only signatures with a nonce')
    .option('--read-only', 'no orders, no transfers')
    .option('--expires <when>', '90d, 2030-01-31 or an ISO time with offset', (text) =>
      parseExpiry(text, Date.now()),
    );
  handle(registering, register);
}

async function generate(context: Context, command: Command): Promise<void> {
  const { out } = command.opts<{ out: string }>();
  const { publicKey, fingerprint } = await generateKeyFile(out);
  const data = { file: out, public_key: publicKey, fingerprint };
  const lines = [
    `Wrote the private key to ${cell(out)}. Keep it here; nobody else ever needs it.`,
    ...fieldLines(
      [
        ['public key', publicKey],
        ['fingerprint', fingerprint],
      ],
      context.style,
    ),
  ];
  present(context, { data, lines });
}

interface RegisterOptions {
  readonly account: string;
  readonly keyFile?: string;
  readonly publicKey?: string;
  readonly label: string;
  readonly requireNonce?: boolean;
  readonly readOnly?: boolean;
  readonly expires?: string;
}

async function register(context: Context, command: Command): Promise<void> {
  const options = command.opts<RegisterOptions>();
  const { account, label, requireNonce = false, readOnly = false, expires } = options;
  const settings = { account, label, require_nonce: requireNonce, read_only: readOnly, expires_at: expires };
  const body = { ...settings, ...(await publicHalf(context, options)) };
  const data = asRow(await context.admin.post('/signing-keys', { body }));
  const shown = COLUMNS.slice(0, 6).map(
    (column) => [column.title.toLowerCase(), column.value(data)] as const,
  );
  const lines = [`Registered for ${cell(account)}:`, ...fieldLines(shown, context.style)];
  present(context, { data, lines });
}

async function publicHalf(
  context: Context,
  { keyFile, publicKey }: RegisterOptions,
): Promise<Record<string, string>> {
  if ((keyFile === undefined) === (publicKey === undefined))
    throw usageFailure('Name the key with either --key-file or --public-key.');
  if (keyFile === undefined) return { public_key: publicKey! };
  const key = await readKeyFile(keyFile);
  const { challenge } = asRow(await context.admin.post('/signing-keys/challenges'));
  const text = String(challenge);
  return { public_key: key.publicKey, challenge: text, proof: key.proofOf(text) };
}

async function list(context: Context): Promise<void> {
  const data = asRows(await context.admin.get('/signing-keys'));
  const lines =
    data.length === 0
      ? ['No signing keys yet. Make one with `opengrid signing-keys generate`.']
      : tableLines(COLUMNS, data, context.style);
  present(context, { data, lines });
}

async function revoke(context: Context, command: Command): Promise<void> {
  const [id] = command.processedArgs as [string];
  await context.admin.post(`/signing-keys/${segment(id)}/revoke`);
  present(context, {
    data: { id, is_active: false },
    lines: [`Revoked ${cell(id)}. Its signatures are refused from now on.`],
  });
}
