// Clients that leave: the supplier is let go at once, what was delivered is billed once, and an undelivered answer is not.
import {
  type FaultySupplier,
  openRequest,
  type StreamResponse,
  startFaultySupplier,
  streamRequest,
  waitFor,
} from '@opengrid/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Buyer, Instance, type Receipt } from './testing/instance.ts';
import { expectRefusal } from './testing/refusal.ts';

const ROUNDS = process.env.OPENGRID_NIGHTLY ? 200 : 20;
const UNBILLED_LIMIT = 5;
/** One more than is tolerated. */
const HANG_UPS = UNBILLED_LIMIT + 1;
/** The promise is 100 ms; a machine that runs other tests beside this one gets more. */
const CLOSED_WITHIN_MS = 900;

let instance: Instance;
let double: FaultySupplier;
let buyer: Buyer;

beforeAll(async () => {
  double = await startFaultySupplier({
    behaviour: { kind: 'answer', ending: 'never', chunkIntervalMs: 5 },
  });
  const env = { INFERENCE_RPM: '0', UNBILLED_HANGUP_RPM: String(UNBILLED_LIMIT) };
  instance = await Instance.start({ env, args: ['--no-builtin-supplier'] });
  const offer = { name: 'Endless', instrument: 'text-standard', price: '0.25', units: 100 };
  await instance.addSupplier(double, offer);
});

afterAll(async () => {
  await instance.remove();
  await double.close();
});

function request(stream: boolean) {
  const messages = [{ role: 'user', content: 'The sea was' }];
  return {
    url: `${instance.url}/v1/chat/completions`,
    key: buyer.key,
    body: { model: 'text-standard', messages, stream },
  };
}

/** The receipt, once the request is settled. */
async function settledReceipt(requestId: unknown): Promise<Receipt> {
  return waitFor('the settlement', async () => {
    const receipt = await instance.receipt(requestId, buyer.key);
    return receipt.status === 'pending' ? undefined : receipt;
  });
}

async function receiptsOf(): Promise<readonly Receipt[]> {
  const { json } = await instance.get('/v1/usage?limit=100', buyer.key);
  return (json as { data: Receipt[] }).data;
}

/** What arrived is billed, and no more than the supplier wrote. */
function expectDeliveredBilled(receipt: Receipt, answer: StreamResponse, writeCount: number): void {
  expect(receipt).toMatchObject({
    status: 'reconciled',
    finish_reason: 'client_disconnect',
    error_code: null,
  });
  expect(receipt.cost.status).toBe('reconciled');
  const words = answer.sse.text.split(' ').filter((word) => word !== '').length;
  expect(words).toBeGreaterThan(0);
  expect(receipt.usage.output_tokens).toBeGreaterThanOrEqual(words);
  expect(receipt.usage.output_tokens).toBeLessThanOrEqual(2 * writeCount);
  const drawn = receipt.cost.breakdown.reduce((sum, { tokens }) => sum + tokens, 0);
  expect(drawn).toBe(receipt.usage.total_tokens);
}

describe('a client that leaves a stream after its first content', () => {
  it(`frees the supplier and pays once for what it got, ${ROUNDS} times of ${ROUNDS}`, async (context) => {
    buyer = await instance.openBuyer();
    const closedAfterMs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const how = round % 2 === 0 ? 'close' : 'reset';
      const answer = await streamRequest({ ...request(true), hangUp: { afterEvents: 2, how } });
      const upstream = double.requests[round]!;
      expect(await upstream.outcome).toBe('peer-closed');
      closedAfterMs.push((upstream.closedByPeerAtMs ?? 0) - (answer.hungUpAtMs ?? 0));
      const receipt = await settledReceipt(answer.headers['x-grid-request-id']);
      expectDeliveredBilled(receipt, answer, upstream.writeCount);
    }
    closedAfterMs.sort((a, b) => a - b);
    await context.annotate(`supplier closed after ${closedAfterMs.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    expect(closedAfterMs.at(-1)).toBeLessThan(CLOSED_WITHIN_MS);
    expect(double.requests).toHaveLength(ROUNDS);
    // Idle ones may be kept for the next request, but none for each that was left.
    expect(double.openConnections()).toBeLessThan(4);

    const receipts = await receiptsOf();
    expect(new Set(receipts.map(({ request_id: id }) => id)).size).toBe(Math.min(ROUNDS, 100));
    const { json } = await instance.get('/v1/usage/summary', buyer.key);
    expect(json).toMatchObject({ totals: { request_count: ROUNDS, cost: { reconciled_requests: ROUNDS } } });
  });
});

describe('a client that leaves before a whole answer', () => {
  it('frees the supplier and pays nothing; one that does it too often has to wait', async () => {
    buyer = await instance.openBuyer();
    double.setBehaviour({ kind: 'hang' });
    for (let round = 0; round < HANG_UPS; round += 1) {
      const before = double.requests.length;
      const { call, hangUp } = openRequest(request(round % 2 === 0));
      await double.waitForRequests(before + 1);
      hangUp(round % 2 === 0 ? 'close' : 'reset');
      expect(await double.requests[before]!.outcome).toBe('peer-closed');
      await waitFor('the end of the call', () => call.destroyed);
    }
    const receipts = await waitFor('the settlements', async () => {
      const found = await receiptsOf();
      return found.length === HANG_UPS ? found : undefined;
    });
    for (const { request_id: id } of receipts) {
      const receipt = await instance.receipt(id, buyer.key);
      expect(receipt).toMatchObject({
        status: 'reconciled',
        finish_reason: 'client_disconnect',
        cost: { status: 'cancelled', amount: null, breakdown: [] },
      });
    }
    const answer = await streamRequest(request(true));
    expectRefusal(answer, 429, 'rate_limited');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(double.openConnections()).toBeLessThan(4);
  });

  it('leaves a ledger that is right', async () => {
    const verdict = await instance.verifyLedger();
    expect(verdict.checks.filter(({ ok }) => !ok)).toEqual([]);
  });
});
