import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, quantiseCount, restoreCount } from './format.ts';

describe('the numbers of the table file', () => {
  it('reads back every varint that was written', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 0x7fff_ffff })), (values) => {
        const writer = new ByteWriter();
        for (const value of values) writer.varint(value);
        const reader = new ByteReader(writer.finish());
        expect(values.map(() => reader.varint())).toEqual(values);
        expect(reader.finished()).toBe(true);
      }),
    );
  });

  it('refuses to read past the end', () => {
    expect(() => new ByteReader(Uint8Array.of(0x80)).varint()).toThrow('ends early');
    expect(() => new ByteReader(Uint8Array.of(1)).bytes(2)).toThrow('ends early');
  });

  it('keeps counts exact up to 32 and within three per cent up to a million', () => {
    for (let count = 0; count <= 32; count++) expect(restoreCount(quantiseCount(count))).toBe(count);
    for (let count = 33; count < 1_000_000; count = Math.ceil(count * 1.13)) {
      expect(Math.abs(restoreCount(quantiseCount(count)) / count - 1)).toBeLessThan(0.03);
    }
  });
});
