import type { Model } from '@opengrid/sdk';
import { expect, it } from 'vitest';
import { chooseInstrument } from './selection.ts';

const model = (id: string, ask: string | null): Model => ({ id, pricing: { ask } }) as Model;
const models = [model('agent-max', null), model('text-prime', '1.0000'), model('text-standard', '2.0000')];

it.each([
  ['text-standard', 'text-standard'],
  ['TEXT-STANDARD', 'text-standard'],
  ['agent-max', 'agent-max'],
  ['nothing', 'text-prime'],
  [null, 'text-prime'],
])('wanting %s shows %s', (wanted, shown) => {
  expect(chooseInstrument(models, wanted)?.id).toBe(shown);
});

it('falls back to the first where nothing is for sale, and to nothing where nothing is listed', () => {
  expect(chooseInstrument([model('text-max', null)], null)?.id).toBe('text-max');
  expect(chooseInstrument([], 'text-max')).toBeUndefined();
});
