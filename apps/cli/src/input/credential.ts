import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { usageFailure } from '../failure.ts';

const LONGEST = 4_096;

export interface CredentialSource {
  readonly key?: string | undefined;
  readonly keyStdin?: boolean | undefined;
}

/**
 * The supplier's key: the flag, standard input, or OPENGRID_SUPPLIER_KEY, in this order; the last two stay out of the
 * shell's history. Many local servers need none.
 *
 * @throws CliFailure that never quotes the key.
 */
export async function readCredential(source: CredentialSource): Promise<string | undefined> {
  if (source.key !== undefined) return checked(source.key, '--key');
  if (source.keyStdin === true) return checked(await fromInput(), 'standard input');
  const fromEnvironment = process.env.OPENGRID_SUPPLIER_KEY;
  return fromEnvironment ? checked(fromEnvironment, 'OPENGRID_SUPPLIER_KEY') : undefined;
}

/** The key is sent in a header line: one word of visible ASCII. */
function checked(text: string, origin: string): string {
  const key = text.trim();
  if (key === '') throw usageFailure(`The key from ${origin} is empty.`);
  if (key.length > LONGEST)
    throw usageFailure(`The key from ${origin} is longer than ${LONGEST} characters.`);
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw usageFailure(`The key from ${origin} has characters that no key has (spaces, line breaks, accents).`);
}

function fromInput(): Promise<string> {
  return process.stdin.isTTY ? typed() : piped();
}

async function piped(): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const part of process.stdin as AsyncIterable<string>) {
    text += part;
    if (text.length > 2 * LONGEST) break;
  }
  return text;
}

/** Asks on the terminal without showing what is typed. */
function typed(): Promise<string> {
  process.stderr.write("Supplier's key: ");
  const nowhere = new Writable({ write: (_part, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  return new Promise((resolve, reject) => {
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('close', () => {
      process.stderr.write('\n');
      reject(usageFailure('No key was typed.'));
    });
  });
}
