import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Candidates } from './candidates.ts';
import { createRandom } from './random.ts';
import { type Sampling, sampleWord } from './sampler.ts';
import { loadTable, type Table } from './table.ts';

const PLAIN: Sampling = { temperature: 1, topP: 1, frequencyPenalty: 0, presencePenalty: 0 };
let table: Table;

beforeAll(() => {
  table = loadTable();
});

/** How often each of the first three words is drawn, out of 20,000. Their scores are 6, 3 and 1. */
function drawMany(sampling: Partial<Sampling>): number[] {
  const candidates = new Candidates(table);
  const random = createRandom(7);
  const drawn = [0, 0, 0];
  for (let turn = 0; turn < 20_000; turn++) {
    candidates.words.set([0, 1, 2]);
    candidates.scores.set([6, 3, 1]);
    candidates.size = 3;
    drawn[sampleWord(candidates, { ...PLAIN, ...sampling }, random)!]!++;
  }
  return drawn;
}

/** True when each count is within three per cent of all draws of what the weights say. */
function expectShares(drawn: number[], weights: number[]): void {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, weight] of weights.entries()) {
    expect(Math.abs(drawn[index]! / 20_000 - weight / total)).toBeLessThan(0.03);
  }
}

describe('drawing a word', () => {
  it('follows the probabilities at temperature 1', () => expectShares(drawMany({}), [6, 3, 1]));

  it('sharpens them below 1 and flattens them above', () => {
    expectShares(drawMany({ temperature: 0.5 }), [36, 9, 1]);
    expectShares(drawMany({ temperature: 2 }), [Math.sqrt(6), Math.sqrt(3), 1]);
  });

  it('takes the likeliest word at temperature 0', () => {
    expect(drawMany({ temperature: 0 })).toEqual([20_000, 0, 0]);
  });

  it('leaves out the tail beyond top_p', () => {
    expectShares(drawMany({ topP: 0.85 }), [6, 3, 0]);
    expect(drawMany({ topP: 0.85 })[2]).toBe(0);
    expect(drawMany({ topP: 0.5 })).toEqual([20_000, 0, 0]);
    expect(drawMany({ topP: 0 })).toEqual([20_000, 0, 0]);
  });

  it('keeps for top_p what a plain reading of the rule keeps', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(weights, fc.integer({ min: 0, max: 127 }), (scores, share) => {
        const candidates = new Candidates(table);
        candidates.words.set([...scores.keys()]);
        candidates.scores.set(scores);
        candidates.size = scores.length;
        sampleWord(candidates, { ...PLAIN, topP: share / 128 }, createRandom(1));
        const kept = scores.filter((_, word) => candidates.scores[word]! > 0);
        expect(kept).toEqual(keepNucleus(scores, share));
      }),
    );
  });

  it('says so when nothing can be drawn', () => {
    expect(sampleWord(new Candidates(table), PLAIN, createRandom(1))).toBeUndefined();
  });
});

describe('the source of chance', () => {
  it('is even, and repeats itself for the same seed only', () => {
    const first = Array.from({ length: 10_000 }, createRandom(42));
    expect(Array.from({ length: 10_000 }, createRandom(42))).toEqual(first);
    expect(Array.from({ length: 10_000 }, createRandom(43))).not.toEqual(first);
    const tenths = new Array<number>(10).fill(0);
    for (const value of first) tenths[Math.floor(value * 10)]!++;
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});

/** The likeliest scores that hold `share`/128 of all together, in order, with all ties of the last one. */
function keepNucleus(scores: number[], share: number): number[] {
  const total = scores.reduce((sum, score) => sum + score, 0);
  const sorted = scores.toSorted((a, b) => b - a);
  let held = 0;
  const last = sorted.find((score) => {
    held += score;
    return held * 128 >= total * share;
  });
  return scores.filter((score) => score >= last!);
}
