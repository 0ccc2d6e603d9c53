import { describe, expect, it } from 'vitest';
import { PARAGRAPH, renderWord, splitWords } from './words.ts';

function render(words: string[]): string {
  return words.map((word, index) => renderWord(word, words[index - 1])).join('');
}

describe('cutting and joining words', () => {
  it.each([
    ["Don't sail, Mr. Starbuck!", ["Don't", 'sail', ',', 'Mr.', 'Starbuck', '!']],
    ['The U.S. paid $1,250.50 on the 1st.', ['The', 'U.S.', 'paid', '$1,250.50', 'on', 'the', '1st', '.']],
    ['a “quoted” (aside) -- then', ['a', 'quoted', 'aside', '—', 'then']],
    ['one\n\ntwo\nthree', ['one', PARAGRAPH, 'two', 'three']],
    ['crew’s well-known', ["crew's", 'well-known']],
    ['日本 🐳', ['日本']],
    ['', []],
  ])('cuts %j', (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  it('puts spaces and capitals where readers expect them', () => {
    const words = [
      'the',
      'ship',
      ',',
      'at',
      'last',
      '.',
      'she',
      'sank',
      '—',
      'alas',
      '!',
      PARAGRAPH,
      'so',
      'ends',
    ];
    expect(render(words)).toBe('The ship, at last. She sank—alas!\n\nSo ends');
  });
});
