// A writer is frozen with orders on their way, another takes over, the first wakes up: what either of them acknowledged
// is there exactly once, and nothing that the frozen one had begun comes after the other one's start.
import { randomInt } from 'node:crypto';
import { pause, sharedPostgres, waitFor } from '@opengrid/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Instance } from './testing/instance.ts';
import { differences, startOrderLoad } from './testing/order-load.ts';
import { Trader } from './testing/trader.ts';

const EXIT_FENCED = 75;
const FREEZES = process.env.OPENGRID_NIGHTLY ? 10 : 2;
const seed = Number(process.env.OPENGRID_SEED ?? randomInt(2 ** 31));
const instances: Instance[] = [];
let trader: Trader;

async function launch(databaseUrl: string): Promise<Instance> {
  const env = {
    OPENGRID_SECRET: 'one secret for all of the programs',
    ORDER_RATE: '0',
    ORDER_RPM: '0',
    CANCEL_RATE: '0',
    SIGNED_READ_RATE: '0',
  };
  const instance = await Instance.start({ databaseUrl, env });
  instances.push(instance);
  return instance;
}

beforeAll(async () => {
  const first = await launch(await (await sharedPostgres()).newDatabase());
  trader = await Trader.open(first, '2000.00');
  const order = { market_id: 'text-prime', side: 'buy', type: 'market', quantity: 50 };
  expect((await trader.call('POST', '/v1/orders', order))?.status).toBe(201);
});

afterAll(async () => {
  for (const instance of instances) await instance.remove();
});

it(`a writer frozen under orders loses its place and no order, ${FREEZES} times (seed ${seed})`, async () => {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const sent = [];
  for (let freeze = 0; freeze < FREEZES; freeze += 1) {
    const frozen = instances.at(-1)!;
    const load = startOrderLoad([trader], random);
    await waitFor('forty orders', () => load.sent.length > 40, 30_000);
    await pause(random() * 300);
    process.kill(frozen.program.pid, 'SIGSTOP');
    const next = await launch(frozen.databaseUrl!);
    const before = await next.verifyLedger();
    process.kill(frozen.program.pid, 'SIGCONT');
    expect(await frozen.program.exited).toEqual({ code: EXIT_FENCED, signal: null });
    await load.stop();
    sent.push(...load.sent);
    trader.instance = next;
    const after = await next.verifyLedger();
    expect(after).toMatchObject({ ok: true, commandSeq: before.commandSeq, stateHash: before.stateHash });
    const orders = await trader.orders();
    const ofLoads = orders.filter(({ client_order_id: name }) => name?.startsWith('load-'));
    expect(differences(sent, ofLoads), `seed ${seed}`).toEqual([]);
    // The freeze met orders on their way, and the one that took over takes orders.
    expect(load.sent.filter(({ isPlaced }) => isPlaced === 'yes').length).toBeGreaterThan(10);
    for (const order of load.sent.filter(({ isPlaced }) => isPlaced === 'unknown')) {
      const answer = await trader.call('POST', '/v1/orders', order.body);
      order.isPlaced = answer?.status === 200 || answer?.status === 201 ? 'yes' : 'no';
      order.id = (answer?.json.data as { id?: string } | undefined)?.id;
    }
  }
}, 300_000);
