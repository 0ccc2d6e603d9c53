import { gridError, type JsonObject, parseJsonObject, type Result } from '@opengrid/wire';

/**
 * A JSON number that JavaScript would not give back as it was written: an exponent, more digits than a double holds. It
 * is neither a number nor a string, so that no field takes it.
 */
export class InexactNumber {
  readonly kind = 'inexact';
}

const INEXACT = new InexactNumber();
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;

class DuplicateKey extends Error {
  override readonly name = 'DuplicateKey';
}

/**
 * Parses a body that must be a JSON object without losing anything: numbers are exact or refused where they are read, and
 * a name that occurs twice in one object is `invalid_json`.
 */
export function parseLosslessBody(body: Buffer): Result<JsonObject> {
  const parsed = parseJsonObject(body);
  if (!parsed.ok) return parsed;
  try {
    // A mark of the byte order was accepted above, and says nothing.
    const text = body.toString('utf8').replace(/^\ufeff/, '');
    return { ok: true, value: new Reader(text).read() as JsonObject };
  } catch (error) {
    if (!(error instanceof DuplicateKey)) throw error;
    return { ok: false, error: gridError('invalid_json', { message: 'A name occurs twice in one object.' }) };
  }
}

/** Reads a text that is known to be valid JSON of bounded depth. */
class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  read(): unknown {
    this.skip(SPACE);
    const first = this.text[this.at];
    if (first === '{') return this.object();
    if (first === '[') return this.array();
    if (first === '"') return this.string();
    if (first === 't') return this.word('true', true);
    if (first === 'f') return this.word('false', false);
    if (first === 'n') return this.word('null', null);
    return this.number();
  }

  private skip(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)![0];
    this.at += found.length;
    return found;
  }

  private word<T>(text: string, value: T): T {
    this.at += text.length;
    return value;
  }

  private number(): number | InexactNumber {
    const text = this.skip(NUMBER);
    const value = Number(text);
    // Trailing zeros of a fraction say nothing: 2.50 is 2.5.
    const shortest = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
    return String(value) === shortest ? value : INEXACT;
  }

  private string(): string {
    let end = this.at + 1;
    while (this.text[end] !== '"') end += this.text[end] === '\\' ? 2 : 1;
    const literal = this.text.slice(this.at, end + 1);
    this.at = end + 1;
    return JSON.parse(literal) as string;
  }

  private array(): unknown[] {
    const items: unknown[] = [];
    this.members(']', () => items.push(this.read()));
    return items;
  }

  private object(): JsonObject {
    // Without a prototype, so that no name means anything.
    const members = Object.create(null) as Record<string, unknown>;
    this.members('}', () => {
      const name = this.string();
      if (Object.hasOwn(members, name)) throw new DuplicateKey();
      this.skip(SPACE);
      this.at += 1;
      members[name] = this.read();
    });
    return members;
  }

  /** Reads what stands between brackets, separated by commas. */
  private members(close: string, readOne: () => void): void {
    this.at += 1;
    this.skip(SPACE);
    while (this.text[this.at] !== close) {
      readOne();
      this.skip(SPACE);
      if (this.text[this.at] === ',') this.at += 1;
      this.skip(SPACE);
    }
    this.at += 1;
  }
}
