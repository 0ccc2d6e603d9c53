import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer, type Tokenizer } from './tokens.ts';

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await loadTokenizer();
});

describe('the tokenizer', () => {
  it.each(['', 'hello world', 'Call me Ishmael.\n\nSome years ago', '鯨 🐳 naïve', '  indented\n\tcode()'])(
    'counts %j like o200k',
    (text) => expect(tokenizer.count(text)).toBe(countTokens(text)),
  );

  it('takes special marks for text', () => {
    expect(tokenizer.count('<|endoftext|>')).toBeGreaterThan(1);
  });

  it('cuts text at token borders without losing any', () => {
    for (const text of ['unbelievable harpooneers', '🐳🐋 whales', '鯨']) {
      const pieces = tokenizer.pieces(text);
      expect(pieces.join('')).toBe(text);
      expect(pieces.join('')).not.toContain('\uFFFD');
    }
    expect(tokenizer.pieces(' harpooneers').length).toBe(tokenizer.count(' harpooneers'));
  });

  it('counts a run that would take it seconds in slices, for a few tokens more', () => {
    const text = 'abc'.repeat(2_000);
    const slices = text.match(/.{1,512}/g)!.map((slice) => countTokens(slice));
    const counted = tokenizer.count(text);
    expect(counted).toBe(slices.reduce((sum, tokens) => sum + tokens, 0));
    expect(counted).toBeGreaterThan(countTokens(text));
    expect(counted).toBeLessThanOrEqual(countTokens(text) + slices.length);
  });
});
