import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { InputTally } from './input-tally.ts';

// Characters that JSON prints as they are.
const plain = fc.string({ unit: fc.constantFrom(...'abc ÄÖ漢字🌍{}[]:,') });

it('counts a value by the bytes of its JSON', () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      plain,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value')),
      fc.dictionary(plain, tie('value'), { noNullPrototype: true }),
    ),
  })).value;
  fc.assert(
    fc.property(value, (tallied) => {
      const tally = new InputTally();
      tally.json(tallied);
      expect(tally.textBytes).toBe(Buffer.byteLength(JSON.stringify(tallied)));
    }),
  );
});
