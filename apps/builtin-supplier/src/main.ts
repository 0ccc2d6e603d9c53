// Runs the built-in supplier as a process of its own: node dist/main.js --port 8090 --tokens-per-second 200
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { createBuiltinSupplierServer } from './server.ts';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    'tokens-per-second': { type: 'string', default: '200' },
  },
});

// From the environment, since arguments are shown to every user of the machine.
const givenKey = process.env.BUILTIN_SUPPLIER_KEY;
const server = await createBuiltinSupplierServer({
  apiKey: givenKey ?? `sk-builtin-${randomBytes(18).toString('base64url')}`,
  host: values.host,
  port: readNumber('port', values.port),
  tokensPerSecond: readNumber('tokens-per-second', values['tokens-per-second']),
});

process.stdout.write(`${server.baseUrl}\n`);
if (givenKey === undefined)
  process.stdout.write(`key for this run (BUILTIN_SUPPLIER_KEY is not set): ${server.apiKey}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());

function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  process.stderr.write(`--${name} must be a number of at least 0\n`);
  return process.exit(2);
}
