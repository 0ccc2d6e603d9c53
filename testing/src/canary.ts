import { randomInt } from 'node:crypto';

/**
 * A text that must never be found again. `marker` is what a test sends; it repeats `core`, which is what the
 * search looks for, so that a copy cut in the middle is found too. Canaries of one batch share the start of
 * their core (`family`), so that a search costs the same for two of them as for fifty.
 */
export type Canary = { name: string; marker: string; core: string; family: string };

/** One way in which a text may lie in a file: the bytes to look for. */
export type Encoding = { name: string; needle: Buffer };

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
const familyLength = 12;
const tagLength = 4;

function randomText(length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** Makes one canary a name, unique to this call: small letters and digits, joined by hyphens. */
export function makeCanaries<Name extends string>(names: readonly Name[]): Map<Name, Canary> {
  const family = randomText(familyLength);
  const canaries = new Map<Name, Canary>();
  for (const [index, name] of names.entries()) {
    const tag = randomText(tagLength - 2) + index.toString(36).padStart(2, '0');
    const core = family + tag;
    canaries.set(name, { name, core, family, marker: [core, core, core].join('-') });
  }
  return canaries;
}

const secretCoreLength = 16;

/**
 * Watches a secret that already exists, such as a key. The search uses its middle, because the first and
 * the last characters of keys are shown as hints.
 * @throws when the secret is too short to be told from chance.
 */
export function canaryOf(name: string, secret: string): Canary {
  if (secret.length < secretCoreLength + 8) throw new Error(`the secret ${name} is too short to search for`);
  const start = (secret.length - secretCoreLength) >> 1;
  const core = secret.slice(start, start + secretCoreLength);
  return { name, marker: secret, core, family: core };
}

/** Every form of a text that the search knows, without duplicates. Expects ASCII letters and digits. */
export function encodings(text: string): Encoding[] {
  const bytes = Buffer.from(text, 'utf8');
  const hex = bytes.toString('hex');
  const pairs = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'));
  const swapped = Buffer.from(text, 'utf16le').swap16();
  const all: [string, string | Buffer][] = [
    ['raw', text],
    ['upper case', text.toUpperCase()],
    ['lower case', text.toLowerCase()],
    ...base64Forms(bytes),
    ['hex', hex],
    ['upper-case hex', hex.toUpperCase()],
    ['spaced hex', pairs.join(' ')],
    ['percent-encoded', pairs.map((pair) => `%${pair.toUpperCase()}`).join('')],
    ['lower-case percent-encoded', pairs.map((pair) => `%${pair}`).join('')],
    ['JSON-escaped', pairs.map((pair) => `\\u00${pair}`).join('')],
    ['upper-case JSON-escaped', pairs.map((pair) => `\\u00${pair.toUpperCase()}`).join('')],
    ['list of bytes', Array.from(bytes).join(',')],
    ['UTF-16LE', Buffer.from(text, 'utf16le')],
    ['UTF-16BE', swapped],
  ];
  const seen = new Set<string>();
  return all.flatMap(([name, form]) => {
    const needle = Buffer.from(form);
    const key = needle.toString('latin1');
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ name, needle }];
  });
}

/**
 * Base64 of a text depends on where it starts in the encoded whole. For each of the three alignments only the
 * characters that are made of the text's bits alone are looked for, in both alphabets.
 */
function base64Forms(bytes: Buffer): [string, string][] {
  return [0, 1, 2].flatMap((shift): [string, string][] => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    const first = Math.ceil((shift * 8) / 6);
    const needle = whole.slice(first, Math.floor(((shift + bytes.length) * 8) / 6));
    const urlNeedle = needle.replaceAll('+', '-').replaceAll('/', '_');
    return [
      [`base64 at ${shift}`, needle],
      [`base64url at ${shift}`, urlNeedle],
    ];
  });
}

/**
 * Matches a text into which single foreign bytes were put: PostgreSQL compresses long values by a method that
 * puts a control byte before every eighth item and leaves what it sees for the first time readable.
 */
export function interleavedPattern(text: string): RegExp {
  const escaped = Array.from(text, (character) => character.replace(/[\\^$.*+?()[\]{}|]/, '\\$&'));
  // Lazy, so that a text whose last character comes twice is not taken for one with a foreign byte in it.
  return new RegExp(escaped.join('[\\s\\S]??'), 'g');
}
