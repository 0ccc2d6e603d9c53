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

  it('stays within a few tokens on runs that would take it seconds', () => {
    const text = 'ab'.repeat(3_000);
    const exact = countTokens(text);
    expect(Math.abs(tokenizer.count(text) - exact)).toBeLessThanOrEqual(12);
    expect(tokenizer.count('ab'.repeat(500_000))).toBeGreaterThan(100_000);
  });
});
