import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Canary, type Encoding, encodings, interleavedPattern } from './canary.ts';
import { bufferSource, fileSource, gzipMemberSource, type Source } from './canary-source.ts';

/** One find. `where` names the file, with ` > gzip at N` behind it when it lay in a compressed member. */
export type Hit = { canary: string; encoding: string; where: string; offset: number };

/** The result of a search. A test should also look at the counts: nothing is found where nothing is read. */
export type SearchReport = {
  hits: Hit[];
  fileCount: number;
  byteCount: number;
  /** What could not be read, such as files that vanished meanwhile. Sockets and links are not followed. */
  skipped: string[];
};

// Longer than the longest needle (six bytes for each of 16 characters), so that none hides on a border.
const overlapBytes = 512;
const nestingLimit = 2;
// A family of 12 or 16 characters has at most three control bytes between them.
const maxForeignBytes = 3;

/** Searches a text in memory, such as the output of a process. */
export function searchText(text: string, canaries: Iterable<Canary>, where = 'text'): Hit[] {
  const search = new StreamSearch(new Needles(canaries), where);
  search.push(Buffer.from(text, 'utf8'));
  return search.hits;
}

/** Searches bytes in memory, and what gzip members among them hold. */
export async function searchBuffer(
  bytes: Buffer,
  canaries: Iterable<Canary>,
  where = 'buffer',
): Promise<Hit[]> {
  return (await searchSource(bufferSource(bytes, where), new Needles(canaries))).hits;
}

type SourceReport = { hits: Hit[]; byteCount: number };

async function searchSource(source: Source, needles: Needles, depth = 0): Promise<SourceReport> {
  const search = new StreamSearch(needles, source.where);
  let byteCount = 0;
  await source.feed(0, (bytes) => {
    byteCount += bytes.length;
    search.push(bytes);
    return 'more';
  });
  const { hits } = search;
  if (depth < nestingLimit) {
    for (const offset of search.gzipOffsets) {
      hits.push(...(await searchSource(gzipMemberSource(source, offset), needles, depth + 1)).hits);
    }
  }
  return { hits, byteCount };
}

/** Searches the names and the contents of all files under a folder (or one file), however large. */
export async function searchFolder(path: string, canaries: Iterable<Canary>): Promise<SearchReport> {
  const needles = new Needles(canaries);
  const report: SearchReport = { hits: [], fileCount: 0, byteCount: 0, skipped: [] };
  for (const entry of await filesUnder(path, report)) {
    const where = relative(path, entry) || entry;
    const names = new StreamSearch(needles, `name of ${where}`);
    names.push(Buffer.from(where));
    report.hits.push(...names.hits);
    await searchFile(entry, needles, report).catch((error: unknown) => {
      report.skipped.push(`${where}: ${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`);
    });
  }
  return report;
}

async function filesUnder(path: string, report: SearchReport): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(path, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') return [path];
    report.skipped.push(`${path}: ${code ?? 'unreadable'}`);
    return [];
  }
  const files: string[] = [];
  for (const entry of entries) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) files.push(...(await filesUnder(child, report)));
    else if (entry.isFile()) files.push(child);
  }
  return files;
}

async function searchFile(path: string, needles: Needles, report: SearchReport): Promise<void> {
  const { hits, byteCount } = await searchSource(fileSource(path, path), needles);
  report.fileCount += 1;
  report.byteCount += byteCount;
  report.hits.push(...hits);
}

type Family = { length: number; forms: Encoding[]; interleaved: RegExp; members: Member[] };
type Member = { name: string; forms: Encoding[]; interleaved: RegExp };

/** Everything to look for, by family: the members of a family matter only where the family was seen. */
class Needles {
  readonly families: Family[];

  constructor(canaries: Iterable<Canary>) {
    const byFamily = new Map<string, Family>();
    for (const canary of canaries) {
      const family = byFamily.get(canary.family) ?? newFamily(canary.family);
      family.members.push({ name: canary.name, ...formsOf(canary.core) });
      byFamily.set(canary.family, family);
    }
    this.families = [...byFamily.values()];
    if (this.families.length === 0) throw new Error('a search without canaries finds nothing');
  }
}

function newFamily(text: string): Family {
  return { length: text.length, ...formsOf(text), members: [] };
}

function formsOf(text: string): { forms: Encoding[]; interleaved: RegExp } {
  return { forms: encodings(text), interleaved: interleavedPattern(text) };
}

/** Searches bytes that come in pieces. Reports the first find of each canary in each encoding. */
class StreamSearch {
  hits: Hit[] = [];
  readonly gzipOffsets: number[] = [];
  #needles: Needles;
  #where: string;
  #tail: Buffer = Buffer.alloc(0);
  #tailOffset = 0;
  #seen = new Set<string>();

  constructor(needles: Needles, where: string) {
    this.#needles = needles;
    this.#where = where;
  }

  push(bytes: Buffer): void {
    const window = this.#tail.length === 0 ? bytes : Buffer.concat([this.#tail, bytes]);
    for (const family of this.#needles.families) this.#searchFamily(window, family);
    this.#findGzip(window);
    const keep = Math.min(overlapBytes, window.length);
    this.#tailOffset += window.length - keep;
    this.#tail = Buffer.from(window.subarray(window.length - keep));
  }

  #searchFamily(window: Buffer, family: Family): void {
    for (const [index, form] of family.forms.entries()) {
      for (let at = window.indexOf(form.needle); at >= 0; at = window.indexOf(form.needle, at + 1)) {
        const name = nameAt(window, at, { family, index });
        this.#record(family, { name, encoding: form.name, at });
      }
    }
    this.#searchInterleaved(window.toString('latin1'), family);
  }

  #searchInterleaved(text: string, family: Family): void {
    for (const match of text.matchAll(family.interleaved)) {
      // None are the plain form and many are UTF-16, both of which are looked for by themselves.
      const foreignByteCount = match[0].length - family.length;
      if (foreignByteCount < 1 || foreignByteCount > maxForeignBytes) continue;
      const member = family.members.find((one) => startsAt(text, match.index, one.interleaved));
      this.#record(family, { name: member?.name, encoding: 'interleaved', at: match.index });
    }
  }

  /**
   * A family without its member counts only where no member was found: at the end of a piece, and where one
   * encoding looks like another that is shifted, the family is seen a moment before (or beside) its member.
   */
  #record(family: Family, found: { name: string | undefined; encoding: string; at: number }): void {
    const { name, encoding, at } = found;
    const anyone = `one of ${family.members.map((member) => member.name).join(', ')}`;
    if (name !== undefined) this.hits = this.hits.filter((hit) => hit.canary !== anyone);
    else if (family.members.some((member) => this.#seen.has(member.name))) return;
    const canary = name ?? anyone;
    const key = `${canary}\n${encoding}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(canary).add(key);
    this.hits.push({ canary, encoding, where: this.#where, offset: this.#tailOffset + at });
  }

  /** A member starts with two magic bytes, method 8, and flags of which the upper three bits are zero. */
  #findGzip(window: Buffer): void {
    for (let at = window.indexOf(gzipMagic); at >= 0; at = window.indexOf(gzipMagic, at + 1)) {
      const offset = this.#tailOffset + at;
      const flags = window[at + 3] ?? 0;
      if (flags < 0x20 && offset > (this.gzipOffsets.at(-1) ?? -1)) this.gzipOffsets.push(offset);
    }
  }
}

const gzipMagic = Buffer.from([0x1f, 0x8b, 0x08]);

/** Tells which member stands where the family was found; `undefined` when the copy was cut behind it. */
function nameAt(
  window: Buffer,
  at: number,
  { family, index }: { family: Family; index: number },
): string | undefined {
  const encoding = family.forms[index]?.name;
  for (const member of family.members) {
    const needle = member.forms.find((form) => form.name === encoding)?.needle;
    if (needle !== undefined && window.subarray(at, at + needle.length).equals(needle)) return member.name;
  }
  return undefined;
}

function startsAt(text: string, at: number, pattern: RegExp): boolean {
  return text.slice(at, at + overlapBytes).search(pattern) === 0;
}
