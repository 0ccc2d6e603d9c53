import { type Command, Option } from 'commander';
import { asRow, asRows, type Row, rowsIn } from '../admin/answer.ts';
import { segment } from '../admin/client.ts';
import { type Context, handle, present } from '../context.ts';
import { readCredential } from '../input/credential.ts';
import { parseCount, parsePrice } from '../input/numbers.ts';
import { type Column, cell, fieldLines, tableLines } from '../output/table.ts';

const DIALECTS = ['openai', 'openai-responses', 'anthropic'];

const EXAMPLES = `
Examples:
  opengrid suppliers add --name "My Ollama" --base-url http://localhost:11434/v1 --model llama3.2 \\
      --dialect openai --instrument text-prime --price 0.90 --units 500
  opengrid suppliers add … --key-stdin < key.txt      the key stays out of the shell's history
  OPENGRID_SUPPLIER_KEY=… opengrid suppliers add …    so it does here
  opengrid suppliers add --name Anthropic --base-url https://api.anthropic.com/v1 --dialect anthropic \\
      --model claude-sonnet-4-5 --instrument code-prime --price 9.00 --units 100 --key-stdin < key.txt
  opengrid suppliers pause supplier_01jz3v8m2k7f9q0x4w6t5s1r8q

The key is kept encrypted and never shown again, but for its last four characters.`;

/** `opengrid suppliers add|list|pause|resume`. */
export function addSupplierCommands(program: Command): void {
  const suppliers = program
    .command('suppliers')
    .description('those who serve and sell: Ollama, vLLM, llama-server, any provider')
    .addHelpText('after', EXAMPLES);
  addSupplierAdd(suppliers);
  handle(suppliers.command('list').description('list suppliers and their endpoints'), list);
  for (const act of ['pause', 'resume'] as const) {
    const description = act === 'pause' ? 'send it no more requests' : 'send it requests again';
    const command = suppliers.command(act).description(description).argument('<id>', 'id of the supplier');
    handle(command, (context) => setPaused(context, { id: String(command.args[0]), act }));
  }
}

function addSupplierAdd(suppliers: Command): void {
  const adding = suppliers
    .command('add')
    .description('add a supplier, issue units and rest a sell order for them')
    .requiredOption('--name <name>', 'display name')
    .requiredOption('--base-url <url>', 'where it answers, up to and including /v1')
    .requiredOption('--model <model>', 'name of the model as the supplier knows it')
    .requiredOption('--instrument <symbol>', 'instrument it sells, such as text-prime')
    .requiredOption('--price <usd>', 'USD per unit of 1,000,000 tokens, at most 4 decimals', parsePrice)
    .requiredOption('--units <count>', 'units to issue and offer', parseCount)
    .addOption(new Option('--dialect <dialect>', 'what it speaks').choices(DIALECTS).default('openai'))
    .addOption(new Option('--key <key>', 'its API key, if it wants one').conflicts('keyStdin'))
    .option('--key-stdin', 'read the key from standard input; asks on a terminal')
    .option('--served-model <name>', 'public name that buyers see, such as openai/gpt-oss-120b')
    .option('--max-concurrency <count>', 'requests it takes at once', parseCount)
    .addOption(new Option('--auth <style>', 'how its key is sent').choices(['bearer', 'x-api-key']))
    .option(
      '--enable <names>',
      'abilities beyond the usual of the dialect, such as images,promptCaching',
      parseNames,
    )
    .option('--disable <names>', 'usual abilities that it lacks, such as tools', parseNames)
    .option('--efforts <names>', 'reasoning efforts that it takes, such as low,medium,high', parseNames)
    .addOption(
      new Option('--thinking <form>', 'Anthropic: how reasoning is switched on').choices([
        'budget',
        'adaptive',
      ]),
    )
    .option('--betas <names>', 'Anthropic: values of anthropic-beta that are passed on', parseNames)
    .option('--region <code>', 'where inference runs: a country code or eu')
    .addHelpText('after', EXAMPLES);
  handle(adding, add);
}

interface AddOptions {
  readonly name: string;
  readonly baseUrl: string;
  readonly model: string;
  readonly instrument: string;
  readonly price: string;
  readonly units: number;
  readonly dialect: string;
  readonly key?: string;
  readonly keyStdin?: boolean;
  readonly servedModel?: string;
  readonly maxConcurrency?: number;
  readonly region?: string;
  readonly auth?: string;
  readonly enable?: readonly string[];
  readonly disable?: readonly string[];
  readonly efforts?: readonly string[];
  readonly thinking?: string;
  readonly betas?: readonly string[];
}

/** Names in one argument, between commas. */
function parseNames(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

async function add(context: Context, command: Command): Promise<void> {
  const options = command.opts<AddOptions>();
  const key = await readCredential(options);
  const { name, model, dialect, instrument, price, units, region } = options;
  const body = {
    name,
    base_url: options.baseUrl,
    key,
    model,
    served_model: options.servedModel,
    dialect,
    instrument,
    price,
    units,
    max_concurrency: options.maxConcurrency,
    region,
    auth: options.auth,
    enable: options.enable,
    disable: options.disable,
    efforts: options.efforts,
    thinking: options.thinking,
    betas: options.betas,
  };
  const data = asRow(await context.admin.post('/suppliers', { body }));
  present(context, { data, lines: addedLines(data, { options, context }) });
}

function addedLines(data: Row, { options, context }: { options: AddOptions; context: Context }): string[] {
  const endpoint = rowsIn(data, 'endpoints').at(-1) ?? {};
  const fields = [
    ['supplier', data.supplier_id],
    ['endpoint', endpoint.base_url],
    ['model', endpoint.served_model],
    ['key', hint(endpoint)],
    ['offer', `${options.units} units of ${options.instrument} at USD ${options.price}`],
    ['orders', data.order_ids],
  ] as const;
  return [`Added ${cell(data.display_name)}.`, '', ...fieldLines(fields, context.style)];
}

/** The last characters of the credential, which is all that the server tells. */
function hint(endpoint: Row): string {
  const { credential_hint: ending } = endpoint;
  return typeof ending === 'string' && ending !== '' ? `…${ending.replace(/^…/, '')}` : 'none';
}

const COLUMNS: readonly Column[] = [
  { title: 'SUPPLIER ID', value: (row) => row.supplier_id },
  { title: 'NAME', value: (row) => row.display_name },
  { title: 'STATUS', value: (row) => row.status },
  { title: 'INSTRUMENTS', value: (row) => row.instruments },
  { title: 'MODEL', value: (row) => row.served_model },
  { title: 'STATE', value: (row) => row.state },
  { title: 'STRIKES', value: (row) => (Array.isArray(row.strikes) ? row.strikes.length : 0) },
  { title: 'KEY', value: (row) => row.key },
  { title: 'BASE URL', value: (row) => row.base_url },
];

async function list(context: Context): Promise<void> {
  const data = asRows(await context.admin.get('/suppliers'));
  const lines =
    data.length === 0
      ? ['No suppliers yet. `opengrid suppliers add --help` shows how to add one.']
      : tableLines(COLUMNS, data.flatMap(endpointRows), context.style);
  present(context, { data, lines });
}

/** One line for each endpoint, and one for a supplier that has none. */
function endpointRows(supplier: Row): Row[] {
  const endpoints = rowsIn(supplier, 'endpoints');
  if (endpoints.length === 0) return [supplier];
  return endpoints.map((endpoint) => ({ ...supplier, ...endpoint, key: hint(endpoint) }));
}

async function setPaused(context: Context, target: { id: string; act: 'pause' | 'resume' }): Promise<void> {
  const { id, act } = target;
  await context.admin.post(`/suppliers/${segment(id)}/${act}`);
  const sentence = act === 'pause' ? 'is paused: it gets no new requests' : 'gets requests again';
  present(context, {
    data: { supplier_id: id, is_paused: act === 'pause' },
    lines: [`${cell(id)} ${sentence}.`],
  });
}
