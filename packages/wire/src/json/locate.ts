const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const BLANK = /[ \t\n\r]*/y;
const LITERAL = /true|false|null/y;

/**
 * Walks a JSON text to the first character that breaks the grammar. `JSON.parse` says where only
 * sometimes, and quotes the text around the place, which must not reach a message.
 */
class Walker {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): boolean {
    if (!this.#value()) return false;
    this.#take(BLANK);
    return this.at === this.#text.length;
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const isMatch = pattern.test(this.#text);
    if (isMatch) this.at = pattern.lastIndex;
    return isMatch;
  }

  #takeCharacter(character: string): boolean {
    if (this.#text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  #value(): boolean {
    this.#take(BLANK);
    if (this.#takeCharacter('{')) return this.#list('}', () => this.#member());
    if (this.#takeCharacter('[')) return this.#list(']', () => this.#value());
    if (this.#text[this.at] === '"') return this.#string();
    return this.#take(LITERAL) || this.#take(NUMBER);
  }

  #list(close: string, item: () => boolean): boolean {
    this.#take(BLANK);
    if (this.#takeCharacter(close)) return true;
    do {
      if (!item()) return false;
      this.#take(BLANK);
    } while (this.#takeCharacter(','));
    return this.#takeCharacter(close);
  }

  #member(): boolean {
    this.#take(BLANK);
    if (!this.#string()) return false;
    this.#take(BLANK);
    return this.#takeCharacter(':') && this.#value();
  }

  #string(): boolean {
    if (!this.#takeCharacter('"')) return false;
    while (this.at < this.#text.length) {
      const code = this.#text.charCodeAt(this.at);
      if (code === 0x22) return this.#takeCharacter('"');
      if (code < 0x20) return false;
      if (code !== 0x5c) this.at += 1;
      else if (!this.#take(ESCAPE)) return false;
    }
    return false;
  }
}

/** A place in a text, counted from 1. Columns are UTF-16 code units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Line and column of an offset. */
export function placeOf(text: string, offset: number): Place {
  let line = 1;
  let lineStart = 0;
  for (let next = text.indexOf('\n'); next !== -1 && next < offset; next = text.indexOf('\n', lineStart)) {
    line += 1;
    lineStart = next + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

/**
 * Where a text stops being JSON, or `undefined` when it is JSON. The caller has bounded the nesting,
 * since the walk recurses once a level.
 */
export function locateJsonError(text: string): Place | undefined {
  const walker = new Walker(text);
  return walker.document() ? undefined : placeOf(text, walker.at);
}
