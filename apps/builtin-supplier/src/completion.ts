import type { TextWriter, WritingRequest } from './model/writer.ts';
import { StopFilter } from './stop-filter.ts';
import type { Tokenizer } from './tokens.ts';

/** One completion: what to write, where to stop, how long it may be (in o200k tokens). */
export type CompletionRequest = {
  writing: WritingRequest;
  stops: readonly string[];
  maxTokens: number;
};

/** A part of the completion and the number of tokens it took to produce. */
export type Piece = { text: string; tokens: number };

/** How a completion ended; `tokens` is the exact token count of its whole text. */
export type Ending = { reason: 'stop' | 'length'; tokens: number };

type Segment = { pieces: string[]; tokens: number };

// Segments are words of the vocabulary with their punctuation, so few enough to remember, and nothing of a
// prompt.
const SEGMENTS_REMEMBERED = 20_000;

/** Writes completions with one model and one tokenizer. */
export class Completer {
  readonly #writer: TextWriter;
  readonly #tokenizer: Tokenizer;
  readonly #segments = new Map<string, Segment>();

  constructor(writer: TextWriter, tokenizer: Tokenizer) {
    this.#writer = writer;
    this.#tokenizer = tokenizer;
  }

  /** Yields the completion about one token at a time. Work happens only when the next piece is asked for. */
  *complete(request: CompletionRequest): Generator<Piece, Ending, undefined> {
    const filter = new StopFilter(request.stops);
    let text = '';
    let waiting = 0;
    const tokens = this.#limitTokens(request);
    let next = tokens.next();
    for (; !next.done && !filter.matched; next = tokens.next()) {
      waiting++;
      const shown = filter.push(next.value);
      if (shown === '') continue;
      text += shown;
      yield { text: shown, tokens: waiting };
      waiting = 0;
    }
    const rest = filter.flush();
    if (rest !== '') yield { text: rest, tokens: Math.max(1, waiting) };
    const reason = next.done && !filter.matched ? next.value : 'stop';
    return { reason, tokens: this.#tokenizer.count(text + rest) };
  }

  /**
   * The written text cut into tokens; ends when the writer ends (`stop`) or the limit is reached (`length`).
   */
  *#limitTokens({ writing, maxTokens }: CompletionRequest): Generator<string, Ending['reason'], undefined> {
    let used = 0;
    for (const text of joinSegments(this.#writer.write(writing))) {
      const segment = this.#measure(text);
      if (used + segment.tokens > maxTokens) {
        const last = cutToTokens(text, maxTokens - used, this.#tokenizer);
        if (last !== '') yield* this.#tokenizer.pieces(last);
        return 'length';
      }
      used += segment.tokens;
      yield* segment.pieces;
    }
    return 'stop';
  }

  #measure(text: string): Segment {
    const known = this.#segments.get(text);
    if (known !== undefined) return known;
    const segment = { pieces: this.#tokenizer.pieces(text), tokens: this.#tokenizer.count(text) };
    if (this.#segments.size >= SEGMENTS_REMEMBERED) this.#segments.clear();
    this.#segments.set(text, segment);
    return segment;
  }
}

/**
 * Joins words and marks up to the next space that follows something else. No o200k token spans such a place,
 * so the tokens of the parts add up to the tokens of the whole.
 */
function* joinSegments(words: Iterable<string>): Generator<string, void, undefined> {
  let segment = '';
  for (const word of words) {
    if (segment !== '' && word.startsWith(' ')) {
      yield segment;
      segment = '';
    }
    segment += word;
  }
  if (segment !== '') yield segment;
}

/**
 * The longest beginning of `text` with exactly `size` tokens. Cutting at a token border is usually right, but
 * a cut text may be tokenised differently from the whole, so other cuts are tried until the count is what was
 * asked for.
 */
export function cutToTokens(text: string, size: number, tokenizer: Tokenizer): string {
  if (size <= 0) return '';
  const atBorder = tokenizer.pieces(text).slice(0, size).join('');
  if (tokenizer.count(atBorder) === size) return atBorder;
  for (let end = text.length - 1; end > 0; end--) {
    const cut = text.slice(0, end);
    if (tokenizer.count(cut) === size) return cut;
  }
  return '';
}
