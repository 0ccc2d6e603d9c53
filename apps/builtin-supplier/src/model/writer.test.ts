import { beforeAll, describe, expect, it } from 'vitest';
import { loadTable } from './table.ts';
import { TextWriter, type WritingRequest } from './writer.ts';

let writer: TextWriter;
beforeAll(() => {
  writer = new TextWriter(loadTable());
});

const REQUEST: WritingRequest = {
  prompt: 'Tell me about the whale.',
  seed: 1,
  ending: 'natural',
  temperature: 1,
  topP: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
};

/** The text of a request, at most `limit` words of it. */
function write(request: Partial<WritingRequest>, limit = 300): string {
  let text = '';
  let words = 0;
  for (const word of writer.write({ ...REQUEST, ...request })) {
    text += word;
    if (++words === limit) break;
  }
  return text;
}

describe('writing text', () => {
  it('gives the same text for the same request', () => {
    expect(write({ ending: 'never' })).toBe(write({ ending: 'never' }));
  });

  it('gives another text for another seed, prompt or temperature', () => {
    const text = write({});
    expect(write({ seed: 2 })).not.toBe(text);
    expect(write({ prompt: 'Tell me about the ship.' })).not.toBe(text);
    expect(write({ temperature: 0.5, ending: 'never' })).not.toBe(write({ ending: 'never' }));
    // The same last words and no other topic, so the same probabilities: only the seed can tell them apart.
    expect(write({ prompt: 'It is of the, tell me about the whale.' })).not.toBe(text);
  });

  it('continues the last words of the prompt', () => {
    expect(write({ prompt: 'on behalf of the United', temperature: 0 }, 1)).toBe('States');
    expect(write({ prompt: 'the great Sperm', temperature: 0 }, 1)).toBe('Whale');
  });

  it('turns to the topic of the prompt', () => {
    const count = (prompt: string): number => {
      const texts = Array.from({ length: 40 }, (_, seed) => write({ prompt, seed, ending: 'never' }, 150));
      return texts.join(' ').match(/\bwhales?\b/gi)?.length ?? 0;
    };
    expect(count('The whale is what it is all of.')).toBeGreaterThan(
      2 * count('The treasury is what it is all of.'),
    );
  });

  it('writes for prompts it cannot read', () => {
    for (const prompt of ['', '鯨について', '🐳', '!!!', 'zxqv'])
      expect(write({ prompt })).toMatch(/^[A-Z$\d].{20}/s);
  });

  it('does not mix texts that are written in turns', () => {
    const first = writer.write({ ...REQUEST, ending: 'never' });
    const second = writer.write({ ...REQUEST, seed: 9, ending: 'never' });
    let [one, two] = ['', ''];
    for (let turn = 0; turn < 100; turn++) {
      one += first.next().value;
      two += second.next().value;
    }
    expect(one).toBe(write({ ending: 'never' }, 100));
    expect(two).toBe(write({ seed: 9, ending: 'never' }, 100));
  });

  it('does not walk in circles at temperature 0', () => {
    const words = write({ temperature: 0, ending: 'never' }, 1_000).split(' ');
    const runs = words.map((_, index) => words.slice(index, index + 12).join(' ')).slice(0, -12);
    expect(new Set(runs).size / runs.length).toBeGreaterThan(0.9);
  });

  it('uses a word less often under a frequency penalty', () => {
    const share = (frequencyPenalty: number): number => {
      const words = write({ frequencyPenalty, ending: 'never' }, 2_000)
        .toLowerCase()
        .match(/[a-z]+/g)!;
      return new Set(words).size / words.length;
    };
    expect(share(1)).toBeGreaterThan(1.5 * share(0));
  });
});

describe('the text', () => {
  it('ends by itself, after a sentence', () => {
    for (let seed = 0; seed < 50; seed++) expect(write({ seed }, 5_000)).toMatch(/[.?!]$/);
  });

  it('goes on for ever when asked to', () => {
    expect(write({ ending: 'never' }, 20_000).length).toBeGreaterThan(80_000);
  });

  it('has sentences of a length that can be read', () => {
    const sentences = Array.from({ length: 20 }, (_, seed) => write({ seed, ending: 'never' }, 1_000))
      .join(' ')
      .split(/[.?!]/)
      .map((sentence) => sentence.trim().split(/\s+/).length);
    const long = sentences.filter((words) => words > 60).length;
    expect(sentences.length).toBeGreaterThan(300);
    expect(long / sentences.length).toBeLessThan(0.05);
  });

  it('has the spaces, marks and capitals of English', () => {
    for (let seed = 0; seed < 50; seed++) {
      const text = write({ seed, ending: 'never' }, 400);
      expect(text).not.toMatch(/ {2}| [.,;:?!]|\s$|^\s/);
      expect(text).not.toMatch(/[.?!] [a-z]/);
      expect(text).toMatch(/^[A-Z\d$]/);
    }
  });
});
