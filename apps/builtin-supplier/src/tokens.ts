/** Counts and cuts text in o200k tokens, the unit in which usage is reported. */
export type Tokenizer = {
  /** Tokens of the text; marks such as `<|endoftext|>` inside it are counted as plain text. */
  count(text: string): number;
  /** The text cut at token borders. Tokens that end inside a character are joined with the next one. */
  pieces(text: string): string[];
};

// A merge step looks at the whole run, so a run of one kind of character costs its length squared: 80,000
// letters without a space take five seconds. Cut into pieces of this size they take milliseconds, for at most
// one token more a piece.
const LONGEST_RUN = 512;
const RUN_KINDS = String.raw`[\p{L}\p{M}]|\p{N}|\s|[^\s\p{L}\p{N}]`.split('|');
const LONG_RUN = new RegExp(RUN_KINDS.map((kind) => `${kind}{${LONGEST_RUN}}`).join('|'), 'gu');

let loading: Promise<Tokenizer> | undefined;

/** Loads the vocabulary at the first call (0.3 s, 70 MB), so that a server nobody asks stays small. */
export function loadTokenizer(): Promise<Tokenizer> {
  loading ??= createTokenizer();
  return loading;
}

async function createTokenizer(): Promise<Tokenizer> {
  const encoding = await import('gpt-tokenizer/encoding/o200k_base');
  // The cache would keep words of prompts in memory after their request is over.
  encoding.setMergeCacheSize(0);
  const asText = { disallowedSpecial: new Set<string>() };
  const count = (text: string): number => encoding.countTokens(text, asText);
  return {
    count: (text) => splitLongRuns(text).reduce((sum, part) => sum + count(part), 0),
    pieces: (text) => cutPieces(encoding.encode(text, asText), encoding.decode),
  };
}

function splitLongRuns(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (const match of text.matchAll(LONG_RUN)) {
    const end = match.index + match[0].length;
    parts.push(text.slice(start, end));
    start = end;
  }
  parts.push(text.slice(start));
  return parts;
}

function cutPieces(tokens: number[], decode: (tokens: number[]) => string): string[] {
  const pieces: string[] = [];
  let start = 0;
  for (let end = 1; end <= tokens.length; end++) {
    const piece = decode(tokens.slice(start, end));
    if (piece.includes('\uFFFD') && end < tokens.length) continue;
    pieces.push(piece);
    start = end;
  }
  return pieces;
}
