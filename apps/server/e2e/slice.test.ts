// The whole program, from an empty store to a settled request, on both stores: everything a first user meets.
import { type FaultySupplier, sendRequest, startFaultySupplier } from '@opengrid/testing';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, Instance, type Receipt } from './testing/instance.ts';

const messages = [{ role: 'user' as const, content: 'The sea was' }];
const DEMO_BUYER = 'buyer@example.com';

/** Ten digits behind the point, as the receipts promise. */
function toE10(decimal: string): bigint {
  const [whole = '0', fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(10, '0'));
}

/** The cost is exactly what its draws say, and every draw names its trade and its units. */
function expectExactCost(receipt: Receipt): void {
  const { breakdown, amount } = receipt.cost;
  expect(breakdown.length).toBeGreaterThan(0);
  let sum = 0n;
  let tokens = 0;
  for (const draw of breakdown) {
    expect(draw.trade_id).toMatch(/^trade_[0-9a-z]{26}$/);
    expect(draw.lot_id).toMatch(/^lot_[0-9a-z]{26}$/);
    expect(draw.unit_from).toBeGreaterThan(0);
    expect(draw.unit_to).toBeGreaterThanOrEqual(draw.unit_from);
    const priceTicks = toE10(draw.acquisition_price_per_unit) / 1_000_000n;
    expect(toE10(draw.subtotal)).toBe(priceTicks * BigInt(draw.tokens));
    sum += toE10(draw.subtotal);
    tokens += draw.tokens;
  }
  expect(toE10(amount ?? '0')).toBe(sum);
  expect(tokens).toBe(receipt.usage.total_tokens);
  expect(receipt.usage.total_tokens).toBe(receipt.usage.input_tokens + receipt.usage.output_tokens);
}

describe.each(ENGINES)('the program on the %s store', (engine) => {
  let instance: Instance;
  let double: FaultySupplier;
  let client: OpenAI;

  beforeAll(async () => {
    double = await startFaultySupplier();
    instance = await Instance.start({ engine, args: ['--builtin-tokens-per-second', '0'] });
    client = new OpenAI({ baseURL: `${instance.program.url}/v1`, apiKey: instance.key, maxRetries: 0 });
  });

  afterAll(async () => {
    await instance.remove();
    await double.close();
  });

  it('answers the official SDK, buying the tokens for it, and shows the receipt at once', async () => {
    const { data, response } = await client.chat.completions
      .create({ model: 'text-prime', max_tokens: 40, messages })
      .withResponse();
    const receipt = await instance.receipt(response.headers.get('x-grid-request-id'));
    expect(data.choices[0]?.message.content).toMatch(/\w+ \w+/);
    expect(response.headers.get('x-grid-units-bought')).toBe('1');
    expect(receipt).toMatchObject({ status: 'reconciled', stream: false, error_code: null });
    expect(receipt.cost.status).toBe('reconciled');
    expect(receipt.served_by?.supplier).toBe('OpenGrid built-in n-gram model');
    expect(receipt.serving_model).toBe(data.model);
    expect(receipt.usage).toMatchObject({
      input_tokens: data.usage?.prompt_tokens,
      output_tokens: data.usage?.completion_tokens,
      total_tokens: data.usage?.total_tokens,
    });
    expectExactCost(receipt);
  });

  it('answers it in a stream, and the receipt is there when the stream is done', async () => {
    const { data: stream, response } = await client.chat.completions
      .create({
        model: 'text-prime',
        max_tokens: 40,
        messages,
        stream: true,
        stream_options: { include_usage: true },
      })
      .withResponse();
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const receipt = await instance.receipt(response.headers.get('x-grid-request-id'));
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    expect(text).toMatch(/\w+ \w+/);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(receipt).toMatchObject({ status: 'reconciled', stream: true });
    expect(receipt.usage.total_tokens).toBe(chunks.at(-1)?.usage?.total_tokens);
    // The unit that the first request bought pays for this one, too.
    expect(response.headers.get('x-grid-units-bought')).toBeNull();
    expectExactCost(receipt);
  });

  it('has bought one unit, at the price on the book and its fee, and nothing else', async () => {
    const { json } = await instance.get('/v1/markets/text-prime/trades');
    const trades = (json as { data: { price: string; quantity: number; trade_id: string }[] }).data;
    expect(trades).toMatchObject([{ price: '0.9500', quantity: 1 }]);
    // 25 less 0.95 and 50 basis points of it.
    expect(await instance.balanceUsd(DEMO_BUYER)).toBe('24.045250');
    const { json: list } = await instance.get('/v1/usage', instance.key);
    const [newest] = (list as { data: Receipt[] }).data;
    const receipt = await instance.receipt(newest?.request_id);
    expect(receipt.cost.breakdown[0]?.trade_id).toBe(trades[0]?.trade_id);
  });

  it('lists models, receipts and sums, and tells how it is', async () => {
    const models = await client.models.list();
    const prime = models.data.find(({ id }) => id === 'text-prime');
    expect(prime).toMatchObject({ object: 'model', owned_by: 'opengrid', qualification: 'waived' });
    expect(prime).toMatchObject({ recently_served: ['opengrid/embedded-ngram'], funded: true });
    const { json: list } = await instance.get('/v1/usage', instance.key);
    const { data: receipts } = list as { data: Receipt[] };
    expect(receipts.map(({ stream }) => stream)).toEqual([true, false]);
    const { json: sums } = await instance.get('/v1/usage/summary?group_by=model', instance.key);
    const tokens = receipts.reduce((sum, { usage }) => sum + usage.total_tokens, 0);
    expect(sums).toMatchObject({
      totals: { request_count: 2, total_tokens: tokens },
      buckets: [{ key: 'text-prime', request_count: 2, total_tokens: tokens }],
    });
    const health = await instance.get('/health');
    expect([health.status, health.json]).toMatchObject([200, { data: { status: 'ok' } }]);
    const metrics = await instance.get('/metrics');
    expect(metrics.headers['content-type']).toContain('text/plain');
    expect(metrics.text).toMatch(/^opengrid_\w+\{.*route="\/v1\/chat\/completions".*\} \d+/m);
  });

  it('buys from a cheaper supplier that was added meanwhile, who then serves', async () => {
    const offer = { name: 'Cheap Inference', instrument: 'text-standard', price: '0.2000', units: 5 };
    const added = await instance.addSupplier(double, offer);
    expect(added).toMatchObject({ display_name: 'Cheap Inference', status: 'approved' });
    expect(JSON.stringify(added)).not.toContain(double.apiKey);
    const { data, response } = await client.chat.completions
      .create({ model: 'text-standard', messages })
      .withResponse();
    const receipt = await instance.receipt(response.headers.get('x-grid-request-id'));
    expect(double.requests).toHaveLength(1);
    expect(data.model).toBe('double');
    expect(receipt.served_by).toMatchObject({ supplier: 'Cheap Inference', substituted: false });
    expect(receipt.cost.breakdown).toMatchObject([
      // Units of an instrument are numbered across its issuers; the built-in supplier has issued 560.
      { supplier: 'Cheap Inference', acquisition_price_per_unit: '0.2000', unit_from: 561, unit_to: 561 },
    ]);
    expectExactCost(receipt);
    // 24.045250 less 0.20 and its fee of 0.001.
    expect(await instance.balanceUsd(DEMO_BUYER)).toBe('23.844250');
  });

  it('verifies its ledger while it runs', async () => {
    const verdict = await instance.verifyLedger();
    expect(verdict.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(verdict.ok).toBe(true);
    expect(verdict.checks.length).toBeGreaterThan(10);
  });

  it('has everything again after a restart, and does not print the key again', async () => {
    const before = await instance.get('/v1/usage', instance.key);
    const outputBefore = instance.output;
    expect(await instance.program.stop()).toEqual({ code: 0, signal: null });
    const stopped = await instance.verifyStore();
    expect(stopped.ok).toBe(true);
    const program = await instance.launch();
    expect(program.key).toBeNull();
    expect(outputBefore.split(instance.key)).toHaveLength(2);
    expect(program.output()).not.toContain(instance.key);
    const after = await instance.get('/v1/usage', instance.key);
    expect(after.json).toEqual(before.json);
    expect(await instance.balanceUsd(DEMO_BUYER)).toBe('23.844250');
    const answer = await sendRequest({
      url: `${instance.url}/v1/chat/completions`,
      key: instance.key,
      body: { model: 'text-standard', messages },
    });
    expect(answer.status).toBe(200);
    expect(double.requests).toHaveLength(2);
    const verdict = await instance.verifyLedger();
    expect(verdict.ok).toBe(true);
    expect(verdict.commandSeq).toBeGreaterThan(stopped.commandSeq);
  });
});
