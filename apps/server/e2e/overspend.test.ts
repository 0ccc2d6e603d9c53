// Two thousand requests at once against tokens for a hundred of them: nobody gets a token that is not there.
import {
  type FaultySupplier,
  type RawResponse,
  sendRequest,
  startFaultySupplier,
  waitFor,
} from '@opengrid/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Buyer, Instance } from './testing/instance.ts';
import { expectRefusal } from './testing/refusal.ts';

const REQUEST_COUNT = 2_000;
const UNIT_TOKENS = 1_000_000;
/** With its input, about a hundredth of a unit. */
const MAX_TOKENS = 9_990;
/** A request starts only with room for its input and this much output. */
const START_TOKENS = 256;
const LONGEST_INPUT_TOKENS = 50;
const WAIT_MS = 100_000;

let instance: Instance;
let double: FaultySupplier;
let buyer: Buyer;
let release: () => void = () => undefined;
let balanceTokens = 0;

function ask(content: string, maxTokens: number): Promise<RawResponse> {
  return sendRequest({
    url: `${instance.url}/v1/chat/completions`,
    key: buyer.key,
    body: { model: 'text-max', max_tokens: maxTokens, messages: [{ role: 'user', content }] },
    timeoutMs: WAIT_MS,
  });
}

async function totalTokens(): Promise<number> {
  const { json } = await instance.get('/v1/usage/summary', buyer.key);
  return (json as { totals: { total_tokens: number } }).totals.total_tokens;
}

beforeAll(async () => {
  double = await startFaultySupplier();
  const env = { INFERENCE_CONCURRENCY: '0', INFERENCE_RPM: '0', FIRST_BYTE_TIMEOUT_MS: '120000' };
  instance = await Instance.start({ env });
  await instance.addSupplier(double, { name: 'Greedy', instrument: 'text-max', price: '6', units: 3 });
  buyer = await instance.openBuyer();
  // In easy mode the first request buys a unit; afterwards nothing is bought any more.
  expect((await ask('one unit, please', 10)).status).toBe(200);
  await instance.admin('POST', `/accounts/${buyer.email}/mode`, { mode: 'advanced' });
  balanceTokens = UNIT_TOKENS - (await totalTokens());
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  // It writes more than it may, and claims more than it wrote.
  double.setBehaviour({
    kind: 'answer',
    holdFirstByteUntil: held,
    text: 'market '.repeat(MAX_TOKENS + 3_000),
    usage: { promptTokens: 5_000, completionTokens: 2 * MAX_TOKENS },
  });
});

afterAll(async () => {
  await instance.remove();
  await double.close();
});

describe('two thousand requests at once', () => {
  it('hold and spend no token more than the account has', async () => {
    const first = double.requests.length;
    const refused: RawResponse[] = [];
    const answers = Array.from({ length: REQUEST_COUNT }, async (_, index) => {
      const answer = await ask(`number ${index}`, MAX_TOKENS);
      if (answer.status !== 200) refused.push(answer);
      return answer;
    });
    const admitted = () => double.requests.slice(first);
    await waitFor(
      'every request to be refused, or to wait at the supplier',
      () => refused.length + admitted().length >= REQUEST_COUNT,
      WAIT_MS,
    );

    // While all of them wait, what they may cost together is held.
    const limits = admitted().map(({ body }) => (body as { max_tokens: number }).max_tokens);
    const heldTokens = limits.reduce((sum, limit) => sum + limit, 0);
    expect(heldTokens + limits.length).toBeLessThanOrEqual(balanceTokens);
    // Nor was anybody refused for whom there was room.
    const mostHeld = heldTokens + limits.length * LONGEST_INPUT_TOKENS;
    expect(mostHeld).toBeGreaterThan(balanceTokens - START_TOKENS - LONGEST_INPUT_TOKENS);
    expect(limits.length).toBeGreaterThan(90);

    release();
    const ended = await Promise.all(answers);
    expect(ended.filter(({ status }) => status === 200)).toHaveLength(limits.length);
    expect(refused).toHaveLength(REQUEST_COUNT - limits.length);
    for (const answer of refused) expectRefusal(answer, 402, 'insufficient_balance');
  });

  it('leave an account that is spent, and a ledger that is right', async () => {
    const spent = await totalTokens();
    expect(spent).toBeLessThanOrEqual(UNIT_TOKENS);
    expect(spent).toBeGreaterThan(0.95 * UNIT_TOKENS);
    expectRefusal(await ask('one more', MAX_TOKENS), 402, 'insufficient_balance');
    // 25 less one unit at 6 and its fee: nothing more was bought.
    expect(await instance.balanceUsd(buyer.email)).toBe('18.970000');
    const verdict = await instance.verifyLedger();
    expect(verdict.checks.filter(({ ok }) => !ok)).toEqual([]);
  });
});
