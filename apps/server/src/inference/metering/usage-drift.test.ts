import { sendRequest, startFaultySupplier } from '@opengrid/testing';
import { expect, it } from 'vitest';
import type { SystemEvent } from '../../ports/telemetry.ts';
import { endpointOf, giveUnits, KEY, openMarket, startWorld } from '../testing.ts';
import { type Report, UsageDrift } from './usage-drift.ts';

function setUp() {
  const events: SystemEvent[] = [];
  const settings = { answers: 20, fewestAnswers: 10, sharePercent: 20 };
  const drift = new UsageDrift(settings, { system: (event) => void events.push(event) });
  const note = (count: number, report: Report, endpointId = 'endpoint_1') => {
    for (let index = 0; index < count; index += 1) drift.note(endpointId, report);
  };
  const told = () => events.map(({ fields }) => [fields?.endpoint_id, fields?.share_percent]);
  return { note, told, events };
}

it('tells of an endpoint whose reports are often beyond the tolerance, once', () => {
  const { note, told, events } = setUp();
  note(17, 'within');
  note(3, 'beyond');
  expect(told()).toEqual([]);
  note(1, 'beyond');
  expect(events).toEqual([
    { event: 'supplier_usage_drift', fields: { endpoint_id: 'endpoint_1', share_percent: 20 } },
  ]);
  note(30, 'beyond');
  expect(told()).toHaveLength(1);
});

it('judges no endpoint by a few answers, and each by its own', () => {
  const { note, told } = setUp();
  note(9, 'beyond');
  note(30, 'within', 'endpoint_2');
  expect(told()).toEqual([]);
  note(1, 'within');
  expect(told()).toEqual([['endpoint_1', 90]]);
});

it('tells of an endpoint again only after it has clearly improved', () => {
  const { note, told } = setUp();
  note(16, 'within');
  note(4, 'beyond');
  expect(told()).toHaveLength(1);
  // Down to a tenth, which is half of the share, and up again.
  note(18, 'within');
  note(4, 'beyond');
  expect(told()).toHaveLength(1);
  note(19, 'within');
  note(4, 'beyond');
  expect(told()).toHaveLength(2);
});

it('is told of the answers that requests get', async () => {
  const supplier = await startFaultySupplier({ behaviour: { kind: 'answer', usage: 'wrong' } });
  const settings = { usageDrift: { answers: 4, fewestAnswers: 2, sharePercent: 50 } };
  const world = await startWorld({ endpoints: [endpointOf(supplier)], settings });
  await openMarket(world.sequencer);
  await giveUnits(world.sequencer, 1);
  const messages = [{ role: 'user', content: 'How is the market?' }];
  const ask = (stream: boolean) =>
    sendRequest({
      url: `${world.url}/v1/chat/completions`,
      key: KEY,
      body: { model: 'text-standard', messages, stream },
    });
  supplier.enqueue({ kind: 'answer' });
  await ask(false);
  expect(world.logged.systems).toEqual([]);
  await ask(true);
  const fields = { endpoint_id: world.endpoints[0]?.endpointId, share_percent: 50 };
  expect(world.logged.systems).toEqual([{ event: 'supplier_usage_drift', fields }]);
  await world.close();
  await supplier.close();
});
