import { beforeAll, describe, expect, it } from 'vitest';
import { Completer, type CompletionRequest, cutToTokens, type Ending } from './completion.ts';
import { loadTable, type Table } from './model/table.ts';
import { TextWriter } from './model/writer.ts';
import { loadTokenizer, type Tokenizer } from './tokens.ts';

let table: Table;
let tokenizer: Tokenizer;
let completer: Completer;

beforeAll(async () => {
  table = loadTable();
  tokenizer = await loadTokenizer();
  completer = new Completer(new TextWriter(table), tokenizer);
});

type Wish = Partial<Pick<CompletionRequest, 'stops' | 'maxTokens'>> & {
  seed?: number;
  ending?: 'natural' | 'never';
};

function complete({
  stops = [],
  maxTokens = 256,
  seed = 1,
  ending = 'natural',
}: Wish): Ending & { text: string } {
  const sampling = { temperature: 1, topP: 1, frequencyPenalty: 0, presencePenalty: 0 };
  const writing = { prompt: 'Tell me about the whale.', seed, ending, ...sampling };
  const pieces = completer.complete({ writing, stops, maxTokens });
  let text = '';
  for (;;) {
    const next = pieces.next();
    if (next.done) return { ...next.value, text };
    expect(next.value.text).not.toBe('');
    text += next.value.text;
  }
}

describe('the limit of a completion', () => {
  it('is met to the token', () => {
    for (let maxTokens = 1; maxTokens <= 120; maxTokens++) {
      const { text, tokens, reason } = complete({ maxTokens, seed: maxTokens % 7, ending: 'never' });
      expect({ tokens, reason, counted: tokenizer.count(text) }).toEqual({
        tokens: maxTokens,
        reason: 'length',
        counted: maxTokens,
      });
    }
  });

  it('is met over thousands of tokens, where a drift would add up', () => {
    const { text, tokens } = complete({ maxTokens: 20_000, ending: 'never' });
    expect([tokens, tokenizer.count(text)]).toEqual([20_000, 20_000]);
  });

  it('makes a shorter text the beginning of a longer one, but for the last word', () => {
    const long = complete({ maxTokens: 200, ending: 'never' }).text;
    const short = complete({ maxTokens: 100, ending: 'never' }).text;
    expect(long.startsWith(short.slice(0, short.lastIndexOf(' ')))).toBe(true);
  });

  it('is met even where a cut text has other tokens than the whole', () => {
    // Tokens: a single `abc`, else pairs from the left. The first two tokens of `abcdef` join into one.
    const odd: Tokenizer = {
      pieces: () => ['ab', 'c', 'def'],
      count: (text) => (text === 'abc' ? 1 : Math.ceil(text.length / 2)),
    };
    expect(cutToTokens('abcdef', 2, odd)).toBe('abcd');
    expect(cutToTokens('abcdef', 1, odd)).toBe('ab');
    expect(cutToTokens('abcdef', 0, odd)).toBe('');
  });

  it('can be met inside every word of the vocabulary', () => {
    const failed: string[] = [];
    for (const word of table.words) {
      const size = tokenizer.count(` ${word}`);
      for (let wanted = 1; wanted < size; wanted++) {
        if (tokenizer.count(cutToTokens(` ${word}`, wanted, tokenizer)) !== wanted) failed.push(word);
      }
    }
    expect(failed).toEqual([]);
  });
});

describe('the end of a completion', () => {
  it('is `stop` when the text ends by itself, with the exact count', () => {
    for (let seed = 0; seed < 40; seed++) {
      const { text, tokens, reason } = complete({ seed, maxTokens: 5_000 });
      expect(reason).toBe('stop');
      expect(tokens).toBe(tokenizer.count(text));
    }
  });

  it('is where a stop sequence begins, even inside words and across them', () => {
    const whole = complete({ ending: 'never' }).text;
    for (const [start, size] of [
      [20, 3],
      [57, 8],
      [101, 20],
      [300, 1],
    ] as const) {
      const stop = whole.slice(start, start + size);
      const { text, tokens, reason } = complete({ stops: ['never found', stop], ending: 'never' });
      expect(text).toBe(whole.slice(0, whole.indexOf(stop)));
      expect(reason).toBe('stop');
      expect(tokens).toBe(tokenizer.count(text));
    }
  });

  it('shows text held back for a stop sequence that never came', () => {
    const { text } = complete({ maxTokens: 50, ending: 'never' });
    const held = complete({ maxTokens: 50, ending: 'never', stops: [`${text.slice(-5)}\u0001`] });
    expect(held).toMatchObject({ text, reason: 'length', tokens: 50 });
  });

  it('may come before any text', () => {
    const first = complete({}).text.charAt(0);
    expect(complete({ stops: [first] })).toEqual({ text: '', reason: 'stop', tokens: 0 });
  });
});
