import { describe, expect, it } from 'vitest';
import { BookState } from './book-state.ts';
import { crc32 } from './checksum.ts';

const snapshot = {
  market_id: 'market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514',
  seq: 48211,
  depth: 25,
  bids: [
    ['2.5000', '7'],
    ['2.4900', '3'],
  ],
  asks: [
    ['2.5100', '4'],
    ['2.5200', '10'],
  ],
  checksum: 863458579,
  timestamp: '2026-01-01T00:00:00.000Z',
};
const delta = {
  prev_seq: 48211,
  seq: 48214,
  bids: [['2.5000', '5']],
  asks: [['2.5100', '0']],
  checksum: 2912839415,
  timestamp: '2026-01-01T00:00:00.050Z',
};

describe('the checksum of a book', () => {
  it('is the published one', () => {
    expect(crc32('2.5100:4,2.5200:10;2.5000:7,2.4900:3')).toBe(863458579);
    expect(crc32(';')).toBe(1661535913);
  });
});

describe('a book of snapshots and changes', () => {
  it('takes the published messages', () => {
    const book = BookState.from(snapshot, 25);
    expect(book?.apply(delta)).toBe(true);
    expect(book?.bids()).toEqual([
      { price: '2.5000', quantity: 5 },
      { price: '2.4900', quantity: 3 },
    ]);
    expect(book?.asks()).toEqual([{ price: '2.5200', quantity: 10 }]);
    expect([book?.sequence, book?.timestamp]).toEqual([48214, delta.timestamp]);
  });

  it('takes an empty book', () => {
    const book = BookState.from({ seq: 0, bids: [], asks: [], checksum: 1661535913 }, 25);
    expect([book?.bids(), book?.asks()]).toEqual([[], []]);
  });

  it.each([
    ['follows another message', { ...delta, prev_seq: 48210 }],
    ['has another result', { ...delta, checksum: 1 }],
    ['has no checksum', { ...delta, checksum: undefined }],
    ['has no sequence', { ...delta, seq: '48214' }],
    ['has no asks', { ...delta, asks: undefined }],
    ['has a price of three digits', { ...delta, bids: [['2.500', '5']] }],
    ['has a quantity that is no number', { ...delta, bids: [['2.5000', '-5']] }],
    ['has a level that is none', { ...delta, bids: ['2.5000'] }],
  ])('refuses a change that %s', (_name, wrong) => {
    expect(BookState.from(snapshot, 25)?.apply(wrong)).toBe(false);
  });

  it('refuses a snapshot that contradicts its checksum', () => {
    expect(BookState.from({ ...snapshot, asks: snapshot.asks.slice(1) }, 25)).toBeNull();
  });

  it('truncates to its depth before it compares, and not at depth 0', () => {
    const levels = Array.from({ length: 12 }, (_unused, index) => [`${3 + index}.0000`, '1']);
    const checked = levels.slice(0, 10).map(([price]) => `${price}:1`);
    const full = { seq: 1, bids: [], asks: levels, checksum: crc32(`${checked.join(',')};`) };
    expect(BookState.from(full, 10)?.asks()).toHaveLength(10);
    const everything = BookState.from(full, 0);
    expect(everything?.asks()).toHaveLength(12);
    // At depth 10 the eleventh level is gone and the server must send it again; here it moves up by itself.
    const moved = [...checked.slice(1), '13.0000:1'];
    const change = {
      prev_seq: 1,
      seq: 2,
      bids: [],
      asks: [['3.0000', '0']],
      checksum: crc32(`${moved.join(',')};`),
    };
    expect(everything?.apply(change)).toBe(true);
    expect(BookState.from(full, 10)?.apply(change)).toBe(false);
  });
});
