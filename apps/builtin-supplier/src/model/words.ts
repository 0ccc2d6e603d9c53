/**
 * How text becomes model tokens and model tokens become text. The script that builds the table and the model
 * that reads prompts share this file, so that both always cut text the same way.
 */

/** The token between two paragraphs. */
export const PARAGRAPH = '\n\n';

const SENTENCE_END = new Set(['.', '?', '!', PARAGRAPH]);
const PUNCTUATION = new Set(['.', ',', ';', ':', '?', '!', '—', PARAGRAPH]);

// Abbreviations come first so that their full stop does not end a sentence. Quotation marks and brackets are
// left out on purpose: a model that remembers three words cannot close what it opened.
const KINDS = [
  String.raw`(?<paragraph>\n[^\S\n]*\n\s*)`,
  String.raw`\b(?:Mr|Mrs|Dr|St|Capt|Messrs|Gov|Gen|Col|Hon|No)\.(?=\s)`,
  String.raw`\b(?:[A-Z]\.){2,}`,
  String.raw`\d+(?:st|nd|rd|th)\b`,
  String.raw`\$?\d(?:[\d,]*\d)?(?:\.\d+)?%?`,
  String.raw`[\p{L}\p{M}]+(?:['-][\p{L}\p{M}]+)*`,
  String.raw`(?<dash>\.{3,}|--+|—|–)`,
  '[.,;:?!]',
];
const TOKEN = new RegExp(KINDS.join('|'), 'gu');

/**
 * Cuts text into words, numbers, punctuation marks and paragraph breaks. Marks the model does not know are
 * dropped.
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  for (const match of text.replaceAll(/[’‘`]/g, "'").matchAll(TOKEN)) {
    if (match.groups?.paragraph !== undefined) words.push(PARAGRAPH);
    else if (match.groups?.dash !== undefined) words.push('—');
    else words.push(match[0]);
  }
  return words;
}

/** True for the tokens after which a new sentence begins. */
export function endsSentence(word: string): boolean {
  return SENTENCE_END.has(word);
}

/** True for punctuation marks and paragraph breaks: tokens that attach to the word before them. */
export function isPunctuation(word: string): boolean {
  return PUNCTUATION.has(word);
}

/**
 * The word as it is written after `previous` (undefined at the start of a text): its space and its capital
 * letter.
 */
export function renderWord(word: string, previous: string | undefined): string {
  if (isPunctuation(word)) return word;
  const startsSentence = previous === undefined || endsSentence(previous);
  const written = startsSentence ? word.charAt(0).toUpperCase() + word.slice(1) : word;
  const joins = previous === undefined || previous === PARAGRAPH || previous === '—';
  return joins ? written : ` ${written}`;
}
