import { Candidates } from './candidates.ts';
import { ORDER } from './format.ts';
import { createRandom, hashText, type Random } from './random.ts';
import { type Sampling, sampleWord } from './sampler.ts';
import type { Table } from './table.ts';
import { endsSentence, isPunctuation, PARAGRAPH, renderWord, splitWords } from './words.ts';

/** What to write and how. */
export type WritingRequest = Sampling & {
  /** The text to continue: the last user message. */
  prompt: string;
  seed: number;
  /** `never` goes on for as long as it is asked; `natural` may end the text after a sentence. */
  ending: 'natural' | 'never';
};

const CONTEXT_WORDS = ORDER - 1;
const UNKNOWN = -1;
// The source texts are hours long, so the length of an answer is ours to choose: some seven sentences on
// average.
const END_AFTER_SENTENCE = 0.12;
const END_AFTER_PARAGRAPH = 0.5;
const SHORTEST_TEXT_WORDS = 12;
// Words of the prompt are likelier than they would be otherwise, less so each time they are used (a cache
// model).
const TOPIC_BOOST = 40;
// The most frequent words carry no topic, and a long prompt has too many.
const COMMON_WORDS = 150;
const TOPIC_WORDS_AT_MOST = 100;
// After a run of this many words that the text already had, it may not go on as it did then, unless it must.
const REPETITION_WORDS = 4;
const INEVITABLE = 0.8;
// Three words of memory cannot tell how long a sentence is: an early full stop is made unlikely, a late one
// likely.
const SHORTEST_SENTENCE_WORDS = 6;
const EARLY_END = 0.05;
const LONG_SENTENCE_WORDS = 25;
const LATE_END = 5;

/** Writes text with a table. One instance serves any number of interleaved texts on one thread. */
export class TextWriter {
  readonly #table: Table;
  readonly #candidates: Candidates;
  readonly #sentenceStart: number;
  readonly #sentenceEnds: number[];

  constructor(table: Table) {
    this.#table = table;
    this.#candidates = new Candidates(table);
    this.#sentenceStart = table.wordNumbers.get('.') ?? 0;
    this.#sentenceEnds = [...table.words.keys()].filter((number) => endsSentence(table.words[number]!));
  }

  /**
   * Yields the text piece by piece: a word with its leading space, or a punctuation mark. The same request
   * gives the same pieces. The caller stops reading when it has enough.
   */
  *write(request: WritingRequest): Generator<string, void, undefined> {
    const text = new TextState(this.#table, request);
    let previous: string | undefined;
    for (;;) {
      const number = this.#nextWord(text, request);
      const word = this.#table.words[number]!;
      if (request.ending === 'natural' && text.endsBefore(word)) return;
      text.append(number, word);
      yield renderWord(word, previous);
      previous = word;
    }
  }

  #nextWord(text: TextState, sampling: Sampling): number {
    for (const context of [text.context, text.context.slice(1), [this.#sentenceStart]]) {
      this.#candidates.collect(context);
      this.#weigh(text, sampling);
      const word = sampleWord(this.#candidates, sampling, text.random);
      if (word !== undefined) return word;
    }
    // Every follower of a full stop is barred only when the text holds them all: the full stop itself is
    // always possible.
    return this.#sentenceStart;
  }

  /** Applies to the candidates what depends on the text so far. */
  #weigh(text: TextState, sampling: Sampling): void {
    const { words, scores, size } = this.#candidates;
    for (const word of text.topic) {
      if (scores[word]! > 0) scores[word]! *= 1 + TOPIC_BOOST / (1 + text.usesOf(word));
    }
    if (sampling.frequencyPenalty !== 0 || sampling.presencePenalty !== 0) {
      for (let index = 0; index < size; index++) penalise(scores, words[index]!, text, sampling);
    }
    if (text.sentenceWords < SHORTEST_SENTENCE_WORDS) this.#scaleSentenceEnds(EARLY_END);
    if (text.sentenceWords > LONG_SENTENCE_WORDS) this.#scaleSentenceEnds(LATE_END);
    if (text.size === 0) this.#barPunctuation();
    else this.#barRepetition(text);
  }

  #scaleSentenceEnds(factor: number): void {
    for (const word of this.#sentenceEnds) this.#candidates.scores[word]! *= factor;
  }

  #barPunctuation(): void {
    const { words, scores, size } = this.#candidates;
    for (let index = 0; index < size; index++) {
      const word = words[index]!;
      if (isPunctuation(this.#table.words[word]!)) scores[word] = 0;
    }
  }

  /**
   * Bars the words that would repeat a run this text already has; without this, temperature 0 walks in
   * circles. A word that nearly always follows ("United States") stays, since what else could be written
   * there would be wrong.
   */
  #barRepetition(text: TextState): void {
    const { words, scores, size } = this.#candidates;
    const barred = text.repeatingWords();
    if (barred === undefined) return;
    let total = 0;
    for (let index = 0; index < size; index++) total += scores[words[index]!]!;
    for (const word of barred) {
      if (scores[word]! < total * INEVITABLE) scores[word] = 0;
    }
  }
}

function penalise(scores: Float64Array, word: number, text: TextState, sampling: Sampling): void {
  const uses = text.usesOf(word);
  if (uses === 0) return;
  scores[word]! *= Math.exp(-(sampling.frequencyPenalty * uses + sampling.presencePenalty));
}

/** One text while it is being written. */
class TextState {
  readonly random: Random;
  /** Words of the prompt that carry a topic. */
  readonly topic: Set<number>;
  /** The last words, oldest first. */
  context: number[];
  /** Words written so far, and those of the current sentence. */
  size = 0;
  sentenceWords = 0;
  readonly #uses = new Map<number, number>();
  readonly #followers = new Map<string, Set<number>>();
  #run: number[] = [];
  #paragraphStarts = false;

  constructor(table: Table, { prompt, seed }: WritingRequest) {
    // The prompt takes part in the seed, so that two prompts with the same last words do not share one text.
    this.random = createRandom(hashText(prompt, seed >>> 0));
    const numbers = splitWords(prompt).map((word) => findWord(table, word));
    this.context = numbers.slice(-CONTEXT_WORDS);
    this.topic = new Set(numbers.filter((number) => number >= COMMON_WORDS).slice(-TOPIC_WORDS_AT_MOST));
  }

  append(number: number, word: string): void {
    const key = this.#run.join(' ');
    const followers = this.#followers.get(key) ?? new Set();
    this.#followers.set(key, followers.add(number));
    this.#run = [...this.#run, number].slice(-REPETITION_WORDS);
    this.#uses.set(number, this.usesOf(number) + 1);
    this.context = [...this.context, number].slice(-CONTEXT_WORDS);
    this.size++;
    this.sentenceWords = endsSentence(word) ? 0 : this.sentenceWords + 1;
    this.#paragraphStarts = word === PARAGRAPH;
  }

  usesOf(word: number): number {
    return this.#uses.get(word) ?? 0;
  }

  /** The words that followed the last few words before, if this text has had the same run already. */
  repeatingWords(): Set<number> | undefined {
    return this.#run.length < REPETITION_WORDS ? undefined : this.#followers.get(this.#run.join(' '));
  }

  /** Decides, between two sentences, whether the text is over; `word` tells whether a paragraph ends too. */
  endsBefore(word: string): boolean {
    if (this.sentenceWords > 0 || this.#paragraphStarts || this.size < SHORTEST_TEXT_WORDS) return false;
    return this.random() < (word === PARAGRAPH ? END_AFTER_PARAGRAPH : END_AFTER_SENTENCE);
  }
}

/** The number of a word in whichever spelling the table knows. */
function findWord(table: Table, word: string): number {
  const lower = word.toLowerCase();
  const capital = word.charAt(0).toUpperCase() + lower.slice(1);
  for (const spelling of [word, lower, capital]) {
    const number = table.wordNumbers.get(spelling);
    if (number !== undefined) return number;
  }
  return UNKNOWN;
}
