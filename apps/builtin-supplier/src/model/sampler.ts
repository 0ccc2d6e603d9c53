import type { Candidates } from './candidates.ts';
import type { Random } from './random.ts';

/** How one word is drawn from the candidates; the meanings are those of the OpenAI request fields. */
export type Sampling = {
  /** 0 takes the likeliest word, 1 leaves the probabilities as they are. */
  temperature: number;
  /** The smallest set of likeliest words that holds this part of the probability takes part. */
  topP: number;
  frequencyPenalty: number;
  presencePenalty: number;
};

// Below this the exponent 1/temperature only makes infinities; the outcome is the likeliest word all the
// same.
const ARGMAX_BELOW = 0.02;

/**
 * Draws one of the candidates; `scores` is changed on the way. Undefined when no candidate has a score above
 * zero.
 */
export function sampleWord(candidates: Candidates, sampling: Sampling, random: Random): number | undefined {
  const best = likeliest(candidates);
  if (best === undefined || sampling.temperature < ARGMAX_BELOW) return best;
  applyTemperature(candidates, sampling.temperature, candidates.scores[best]!);
  return sampling.topP < 1 ? drawFromNucleus(candidates, sampling.topP, random) : draw(candidates, random);
}

/** Ties go to the lower word number, which is the more frequent word. */
function likeliest({ words, scores, size }: Candidates): number | undefined {
  let best: number | undefined;
  for (let index = 0; index < size; index++) {
    const word = words[index]!;
    const score = scores[word]!;
    const leader = best === undefined ? 0 : scores[best]!;
    if (score > leader || (score === leader && best !== undefined && word < best)) best = word;
  }
  return best;
}

/**
 * Raises every score to 1/temperature, relative to the highest one so that nothing underflows to an empty
 * set.
 */
function applyTemperature({ words, scores, size }: Candidates, temperature: number, highest: number): void {
  if (temperature === 1) return;
  for (let index = 0; index < size; index++) {
    const word = words[index]!;
    scores[word] = (scores[word]! / highest) ** (1 / temperature);
  }
}

function draw(candidates: Candidates, random: Random): number {
  const { words, scores, size } = candidates;
  let rest = random() * totalOf(candidates);
  let last = 0;
  for (let index = 0; index < size; index++) {
    const word = words[index]!;
    if (scores[word] === 0) continue;
    last = word;
    rest -= scores[word]!;
    if (rest < 0) return word;
  }
  return last;
}

function drawFromNucleus(candidates: Candidates, topP: number, random: Random): number {
  const { words, scores, size } = candidates;
  const total = totalOf(candidates);
  // Words below this hold less than the part that is left out even if all are taken together: no need to sort
  // them.
  const floor = ((1 - topP) * total) / (size + 1);
  const sorted = new Float64Array(size);
  let count = 0;
  for (let index = 0; index < size; index++) {
    const score = scores[words[index]!]!;
    if (score >= floor) sorted[count++] = score;
  }
  const threshold = lowestOfNucleus(sorted.subarray(0, count).sort(), topP * total);
  // Words as likely as the last one that fits stay too: there is no honest way to choose between them.
  for (let index = 0; index < size; index++) {
    const word = words[index]!;
    if (scores[word]! < threshold) scores[word] = 0;
  }
  return draw(candidates, random);
}

/**
 * The lowest score that still belongs to the likeliest ones holding `wanted` together; at least one word
 * stays.
 */
function lowestOfNucleus(sorted: Float64Array, wanted: number): number {
  let lowest = sorted.length - 1;
  for (let held = sorted[lowest]!; held < wanted && lowest > 0; held += sorted[lowest]!) lowest--;
  return sorted[lowest]!;
}

function totalOf({ words, scores, size }: Candidates): number {
  let total = 0;
  for (let index = 0; index < size; index++) total += scores[words[index]!]!;
  return total;
}
