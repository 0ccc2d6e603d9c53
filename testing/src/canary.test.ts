import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Canary, canaryOf, makeCanaries } from './canary.ts';
import { searchBuffer, searchFolder, searchText } from './canary-search.ts';

/** Markers whose hexadecimal form has a letter in every core: without one, capitals are the same as small letters. */
function drawCanaries(): ReturnType<typeof makeCanaries<'prompt' | 'completion' | 'tool argument'>> {
  for (;;) {
    const drawn = makeCanaries(['prompt', 'completion', 'tool argument']);
    const hexOf = (text: string): string => Buffer.from(text).toString('hex');
    if ([...drawn.values()].every(({ family }) => /[a-f]/.test(hexOf(family)))) return drawn;
  }
}

const canaries = drawCanaries();
const all = [...canaries.values()];
const prompt = canaries.get('prompt') as Canary;
const { marker } = prompt;
const secret = canaryOf('key', `sk-or-v1-${'0123456789abcdef'.repeat(4)}`);

/** Text with neither canary nor repetition, as a haystack has it. */
function hay(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 7;
  for (let index = 0; index < length; index += 1) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    bytes[index] = 32 + ((state >> 16) % 90);
  }
  return bytes;
}

function everyByte(text: string, form: (hex: string) => string): string {
  return Array.from(Buffer.from(text), (byte) => form(byte.toString(16).padStart(2, '0'))).join('');
}

function base64Behind(prefix: string): string {
  return Buffer.from(`${prefix}${marker} and more`).toString('base64');
}

/** As PostgreSQL compresses a value: a control byte, then eight bytes as they are. */
function withControlBytes(text: string): Buffer {
  const parts = [];
  for (let start = 0; start < text.length; start += 8)
    parts.push(Buffer.from([0]), text.slice(start, start + 8));
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

describe('canaries', () => {
  it('are unique, and their marker survives a cut', () => {
    const cores = [...all, ...makeCanaries(['prompt']).values()].map((canary) => canary.core);
    expect(new Set(cores).size).toBe(4);
    expect(prompt.marker).toMatch(/^[a-z0-9]{16}(-[a-z0-9]{16}){2}$/);
    for (let cut = 0; cut < 17; cut += 1) {
      expect(searchText(marker.slice(cut, cut + 34), all)).toMatchObject([
        { canary: 'prompt', encoding: 'raw' },
      ]);
    }
  });

  it('can be made of a secret, without its hints', () => {
    expect(searchText(`Bearer ${secret.marker}`, [secret])).toMatchObject([{ canary: 'key' }]);
    expect(searchText('sk-or-v1-01…cdef', [secret])).toEqual([]);
    expect(() => canaryOf('short', 'sk-12345')).toThrow('too short');
  });
});

describe('a planted leak is found', () => {
  const leaks: [string, string, string | Buffer][] = [
    ['as it is', 'raw', marker],
    ['inside JSON', 'raw', JSON.stringify({ messages: [{ content: `say "${marker}"\n` }] })],
    ['in capitals', 'upper case', marker.toUpperCase()],
    ['base64, no shift', 'base64 at 0', base64Behind('abc')],
    ['base64, shift 1', 'base64 at 1', base64Behind('abcd')],
    ['base64, shift 2', 'base64 at 2', base64Behind('abcde')],
    ['hex', 'hex', Buffer.from(marker).toString('hex')],
    ['bytea text', 'hex', `\\x${Buffer.from(`x${marker}`).toString('hex')}`],
    ['capital hex', 'upper-case hex', Buffer.from(marker).toString('hex').toUpperCase()],
    ['an inspected Buffer', 'spaced hex', inspect(Buffer.from(marker))],
    ['a stringified Buffer', 'list of bytes', JSON.stringify(Buffer.from(marker))],
    ['a URL', 'raw', encodeURIComponent(`a prompt: ${marker}?`)],
    ['a URL, all escaped', 'percent-encoded', everyByte(marker, (hex) => `%${hex.toUpperCase()}`)],
    ['a URL, small letters', 'lower-case percent-encoded', everyByte(marker, (hex) => `%${hex}`)],
    ['escaped JSON', 'JSON-escaped', everyByte(marker, (hex) => `\\u00${hex}`)],
    [
      'escaped JSON, capitals',
      'upper-case JSON-escaped',
      everyByte(marker, (hex) => `\\u00${hex.toUpperCase()}`),
    ],
    ['base64 in base64url', 'base64 at 0', Buffer.from(`abc${marker}`).toString('base64url')],
    ['UTF-16, little end', 'UTF-16LE', Buffer.from(marker, 'utf16le')],
    ['UTF-16, big end', 'UTF-16BE', Buffer.from(marker, 'utf16le').swap16()],
    ['compressed by PostgreSQL', 'interleaved', withControlBytes(`xyz ${marker}`)],
  ];

  it.each(leaks)('%s', async (_, encoding, leak) => {
    const bytes = Buffer.concat([hay(1000), Buffer.from(leak), hay(1000)]);
    const hits = await searchBuffer(bytes, all);
    expect(hits).toContainEqual({ canary: 'prompt', encoding, where: 'buffer', offset: expect.any(Number) });
    expect(new Set(hits.map((hit) => hit.canary))).toEqual(new Set(['prompt']));
  });

  it('in gzip members, also in one that was cut off and in one inside another', async () => {
    const log = gzipSync(`line\n${marker}\n${hay(50_000).toString()}`);
    const tail = hay(300);
    for (const member of [log, log.subarray(0, log.length >> 1), gzipSync(log)]) {
      const hits = await searchBuffer(Buffer.concat([tail, member, tail]), all);
      expect(hits).toMatchObject([{ canary: 'prompt', encoding: 'raw' }]);
      expect(hits[0]?.where).toMatch(/^buffer > gzip at 300/);
    }
    const cutOff = log.subarray(0, 200);
    expect(await searchBuffer(cutOff, all)).toMatchObject([{ where: 'buffer > gzip at 0' }]);
  });

  it('across the border of two pieces, wherever the border falls', async () => {
    const mebibyte = 1024 * 1024;
    for (const before of [40, 30, 20, 10, 3]) {
      const bytes = Buffer.concat([hay(mebibyte - before), Buffer.from(prompt.core), hay(2000)]);
      // When the hay happens to end with the canary's first character, the interleaved form is found as well.
      const found = { canary: 'prompt', encoding: 'raw', offset: mebibyte - before };
      expect(await searchBuffer(bytes, all)).toContainEqual(expect.objectContaining(found));
    }
  });

  it('once, where a character comes twice', () => {
    const [family, core] = ['abcdefghijkz', 'abcdefghijkzz101'];
    const twice: Canary = { name: 'twice', family, core, marker: [core, core, core].join('-') };
    expect(searchText(twice.marker, [twice])).toMatchObject([{ canary: 'twice', encoding: 'raw' }]);
  });

  it('and names every canary that leaked, or the batch when the rest is missing', () => {
    const text = all.map((canary) => canary.marker).join(' ');
    expect(searchText(text, all).map((hit) => hit.canary)).toEqual(['prompt', 'completion', 'tool argument']);
    expect(searchText(prompt.family, all)[0]?.canary).toBe('one of prompt, completion, tool argument');
  });
});

describe('where nothing leaked', () => {
  it('nothing is found', async () => {
    const other = [...makeCanaries(['prompt']).values()].map((canary) => canary.marker).join();
    expect(
      await searchBuffer(Buffer.concat([hay(3_000_000), Buffer.from(other), gzipSync(other)]), all),
    ).toEqual([]);
  });

  it('a search without canaries is a mistake', () => {
    expect(() => searchText('x', [])).toThrow('without canaries');
  });
});

describe('a folder', () => {
  let folder = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'opengrid-canary-'));
    await mkdir(join(folder, 'base', 'deep'), { recursive: true });
    await writeFile(join(folder, 'base', 'clean.bin'), hay(2_500_000));
    await writeFile(join(folder, 'empty'), '');
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('that is clean has no hits and says how much was read', async () => {
    const report = await searchFolder(folder, all);
    expect(report).toEqual({ hits: [], fileCount: 2, byteCount: 2_500_000, skipped: [] });
  });

  it('is searched through: deep files, large files, names, compressed members', async () => {
    const [, completion, argument] = all as [Canary, Canary, Canary];
    await writeFile(
      join(folder, 'base', 'deep', 'wal'),
      Buffer.concat([hay(5_000_000), Buffer.from(marker)]),
    );
    await writeFile(join(folder, `${completion.marker}.tmp`), 'x');
    const compressed = gzipSync(Buffer.concat([hay(200_000), Buffer.from(argument.marker)]));
    await writeFile(join(folder, 'log.1.gz'), Buffer.concat([hay(77), compressed, hay(99)]));
    const { hits, fileCount } = await searchFolder(folder, all);
    expect(fileCount).toBe(5);
    expect(hits.map((hit) => [hit.canary, hit.encoding]).sort()).toEqual([
      ['completion', 'raw'],
      ['prompt', 'raw'],
      ['tool argument', 'raw'],
    ]);
    expect(hits.find((hit) => hit.canary === 'prompt')).toMatchObject({ offset: 5_000_000 });
    expect(hits.find((hit) => hit.canary === 'completion')?.where).toContain('name of');
    expect(hits.find((hit) => hit.canary === 'tool argument')?.where).toContain('log.1.gz > gzip at 77');
  });

  it('may be one file, links are not followed, and what is missing is told', async () => {
    await writeFile(join(folder, 'one'), marker);
    await symlink(join(folder, 'one'), join(folder, 'base', 'link'));
    expect((await searchFolder(join(folder, 'one'), all)).hits).toHaveLength(1);
    expect((await searchFolder(join(folder, 'base'), all)).hits).toHaveLength(0);
    expect((await searchFolder(join(folder, 'missing'), all)).skipped[0]).toContain('ENOENT');
  });
});
