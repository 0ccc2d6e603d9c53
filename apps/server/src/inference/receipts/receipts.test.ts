import { type FaultySupplier, sendRequest, startFaultySupplier, streamRequest } from '@opengrid/testing';
import { afterEach, expect, it } from 'vitest';
import { openSequencer } from '../../sequencer/testing.ts';
import type { Sequencer } from '../../sequencer/types.ts';
import { forEachStore, type OpenStore } from '../../store/testing.ts';
import {
  callerOf,
  credit,
  endpointOf,
  giveUnits,
  KEY,
  openMarket,
  restSell,
  STRANGER,
  STRANGER_KEY,
  SUBSTITUTE,
  startWorldWith,
  type World,
} from '../testing.ts';

interface Receipt {
  request_id: string;
  status: string;
  created_at: string;
  usage: { input_tokens: number; output_tokens: number; total_tokens: number };
  cost: {
    amount: string;
    status: string;
    breakdown?: Record<string, unknown>[];
    effective_price_per_token: string;
  };
  served_by: unknown;
}

interface Page {
  data: Receipt[];
  paging: { next_cursor: string | null; prev_cursor: string | null; has_more: boolean };
}

forEachStore('receipts', (open: OpenStore) => {
  let supplier: FaultySupplier;
  let world: World<Sequencer>;
  let nowMs: number;

  async function start(): Promise<void> {
    const { database } = await open();
    const sequencer = await openSequencer(database);
    supplier = await startFaultySupplier();
    nowMs = Date.UTC(2026, 0, 15, 12);
    world = await startWorldWith(sequencer, {
      database,
      endpoints: [endpointOf(supplier)],
      // Each request is a second after the one before.
      clock: () => {
        nowMs += 1000;
        return nowMs;
      },
    });
    await openMarket(sequencer);
    await giveUnits(sequencer, 2);
  }

  afterEach(async () => {
    await world.close();
    await world.sequencer.close();
    await supplier.close();
  });

  const ask = async (fields: Record<string, unknown> = {}, key = KEY) => {
    const messages = [{ role: 'user', content: 'How is the market?' }];
    const body = { model: 'text-standard', messages, ...fields };
    const answer = await sendRequest({ url: `${world.url}/v1/chat/completions`, key, body });
    return { ...answer, requestId: String(answer.headers['x-grid-request-id']) };
  };

  async function read<Body>(path: string, key = KEY): Promise<{ status: number; body: Body }> {
    const answer = await sendRequest({ url: `${world.url}/v1/usage${path}`, key });
    return { status: answer.status, body: answer.json as Body };
  }

  it('are there when the answer is, with every draw and the exact sum', async () => {
    await start();
    supplier.setBehaviour({ kind: 'answer', usage: { promptTokens: 12, completionTokens: 20 } });
    const { requestId } = await ask();
    const { status, body } = await read<Receipt>(`/${requestId}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      request_id: requestId,
      status: 'reconciled',
      requested_model: 'text-standard',
      serving_model: 'openai/gpt-oss-120b',
      endpoint: '/v1/chat/completions',
      api_key_id: 'key_01jz3v8m2k7f9q0x4w6t5s1r8q',
      usage: { input_tokens: 12, output_tokens: 20, total_tokens: 32, cached_input_tokens: 0 },
      usage_source: 'supplier',
      cost: {
        amount: '0.00008',
        currency: 'USD',
        status: 'reconciled',
        effective_price_per_token: '0.0000025',
      },
      instrument_id: 'instrument-3911579c-017a-5533-a6c4-dc93f9be1b72',
      served_by: {
        supplier_id: 'supplier_101',
        supplier: 'Supplier 101',
        substituted: false,
        qualification: 'waived',
      },
      spec_waived: true,
      stream: false,
      finish_reason: 'stop',
      error_code: null,
    });
    expect(body.cost.breakdown).toMatchObject([
      {
        unit_from: 1,
        unit_to: 1,
        supplier_id: 'supplier_101',
        acquisition_price_per_unit: '2.5000',
        acquisition_price_per_token: '0.0000025',
        tokens: 32,
        subtotal: '0.00008',
      },
    ]);
    expect(body.cost.breakdown?.[0]).toMatchObject({
      lot_id: expect.stringMatching(/^lot_/),
      trade_id: expect.stringMatching(/^trade_/),
    });
    expect((await read(`/${requestId}`, STRANGER_KEY)).status).toBe(404);
    expect(await read('/req_01jz3v8m2k7f9q0x4w6t5s1r8p')).toMatchObject({
      status: 404,
      body: { error: { code: 'receipt_not_found' } },
    });
  });

  it('are pending while the request runs, for their account only', async () => {
    await start();
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    supplier.setBehaviour({ kind: 'answer', holdFirstByteUntil: finished });
    const body = { model: 'text-standard', messages: [{ role: 'user', content: 'x' }], stream: true };
    const running = streamRequest({ url: `${world.url}/v1/chat/completions`, key: KEY, body });
    await supplier.waitForRequests(1);
    const summary = await read<{ totals: unknown }>('/summary');
    expect(summary.body.totals).toMatchObject({ request_count: 1, cost: { pending_requests: 1 } });
    finish();
    const requestId = String((await running).headers['x-grid-request-id']);
    expect((await read<Receipt>(`/${requestId}`)).body.status).toBe('reconciled');
  });

  it('of failures say so and cost nothing', async () => {
    await start();
    supplier.setBehaviour({ kind: 'error', status: 500 });
    const { requestId } = await ask();
    expect((await read(`/${requestId}`)).body).toMatchObject({
      status: 'error',
      error_code: 'upstream_error',
      serving_model: null,
      served_by: null,
      usage: { total_tokens: null },
      cost: { amount: null, status: 'cancelled', reconciled_at: null, breakdown: [] },
    });
  });

  it('name the substitute that served beside the supplier that owes', async () => {
    await start();
    const other = await startFaultySupplier();
    world.endpoints.push(endpointOf(other, { supplierAccount: SUBSTITUTE, isManaged: true }));
    supplier.setBehaviour({ kind: 'reset' });
    const { requestId } = await ask();
    const { body } = await read<Receipt>(`/${requestId}`);
    expect(body.served_by).toEqual({
      supplier_id: null,
      supplier: 'managed',
      substituted: true,
      qualification: 'waived',
    });
    expect(body.cost.breakdown).toMatchObject([{ supplier: 'Supplier 101' }]);
    await other.close();
  });

  it('come in pages that neither skip nor repeat', async () => {
    await start();
    const ids: string[] = [];
    for (let round = 0; round < 7; round += 1) ids.push((await ask()).requestId);
    const first = (await read<Page>('?limit=3')).body;
    expect(first.data.map(({ request_id }) => request_id)).toEqual([ids[6], ids[5], ids[4]]);
    expect(first.paging).toMatchObject({ has_more: true, prev_cursor: null });
    expect(first.data[0]?.cost.breakdown).toBeUndefined();
    // A newer receipt must not move the pages behind.
    await ask();
    const second = (await read<Page>(`?limit=3&next=${first.paging.next_cursor}`)).body;
    expect(second.data.map(({ request_id }) => request_id)).toEqual([ids[3], ids[2], ids[1]]);
    const third = (await read<Page>(`?limit=3&next=${second.paging.next_cursor}`)).body;
    expect(third.data.map(({ request_id }) => request_id)).toEqual([ids[0]]);
    expect(third.paging).toMatchObject({ has_more: false, next_cursor: null });
    const back = (await read<Page>(`?limit=3&prev=${third.paging.prev_cursor}`)).body;
    expect(back.data.map(({ request_id }) => request_id)).toEqual([ids[3], ids[2], ids[1]]);
    const ascending = (await read<Page>('?order_direction=asc&limit=2')).body;
    expect(ascending.data.map(({ request_id }) => request_id)).toEqual([ids[0], ids[1]]);
  });

  it('bind cursors to their filters and refuse changed ones', async () => {
    await start();
    await ask();
    await ask();
    const { next_cursor: cursor } = (await read<Page>('?limit=1')).body.paging;
    const refused = { status: 400, body: { error: { code: 'invalid_cursor' } } };
    expect(await read(`?limit=1&status=error&next=${cursor}`)).toMatchObject(refused);
    expect(await read(`?limit=1&next=${cursor}`, STRANGER_KEY)).toMatchObject(refused);
    expect(await read(`?limit=1&next=x${cursor}`)).toMatchObject(refused);
    expect(await read(`?limit=1&next=${cursor}`)).toMatchObject({ status: 200 });
    nowMs += 25 * 3_600_000;
    expect(await read(`?limit=1&next=${cursor}`)).toMatchObject(refused);
  });

  it('are filtered in all three spellings', async () => {
    await start();
    const good = await ask();
    supplier.setBehaviour({ kind: 'error', status: 500 });
    const bad = await ask();
    const idsOf = async (query: string) =>
      (await read<Page>(query)).body.data.map(({ request_id }) => request_id);
    expect(await idsOf('?status=error')).toEqual([bad.requestId]);
    expect(await idsOf('?cost_status=reconciled&model=TEXT-standard')).toEqual([good.requestId]);
    expect(await idsOf('?status=error,reconciled')).toHaveLength(2);
    expect(await idsOf('?filters[0][field]=status&filters[0][op]===&filters[0][value]=error')).toEqual([
      bad.requestId,
    ]);
    const flop = 'flop%5Bfilters%5D%5B0%5D%5Bfield%5D=status&flop%5Bfilters%5D%5B0%5D%5Bop%5D=!%3D';
    expect(await idsOf(`?${flop}&flop[filters][0][value]=error`)).toEqual([good.requestId]);
    expect(await idsOf('?filters[0][field]=limit&filters[0][value]=1')).toHaveLength(1);
    expect(await idsOf('?from=2026-01-16')).toEqual([]);
    expect(await idsOf(`?to=2026-01-16&api_key_id=${callerOf().keyId}`)).toHaveLength(2);
    expect(await idsOf("?api_key_id=x'%20or%201=1--")).toEqual([]);
    for (const query of [
      '?colour=red',
      '?limit=0',
      '?from=yesterday',
      '?order_by=cost',
      '?filters[0][field]=x',
    ]) {
      expect(await read(query)).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } });
    }
  });

  it('add up by day, model and key', async () => {
    await start();
    supplier.setBehaviour({ kind: 'answer', usage: { promptTokens: 10, completionTokens: 20 } });
    await ask();
    await ask();
    supplier.setBehaviour({ kind: 'error', status: 500 });
    await ask();
    const totals = {
      request_count: 3,
      input_tokens: 20,
      output_tokens: 40,
      total_tokens: 60,
      cost: {
        reconciled_amount: '0.00015',
        currency: 'USD',
        reconciled_requests: 2,
        pending_requests: 0,
        unpriced_requests: 0,
        cancelled_requests: 1,
        unpriced_tokens: 0,
      },
    };
    const plain = (await read<Record<string, unknown>>('/summary')).body;
    expect(plain).toMatchObject({ totals, group_by: null });
    expect(plain).not.toHaveProperty('buckets');
    for (const [groupBy, key] of [
      ['day', '2026-01-15'],
      ['model', 'text-standard'],
      ['api_key', 'key_01jz3v8m2k7f9q0x4w6t5s1r8q'],
    ]) {
      expect(await read(`/summary?group_by=${groupBy}`)).toMatchObject({
        body: { totals, group_by: groupBy, buckets: [{ key, ...totals }] },
      });
    }
    const empty = await read<{ totals: { cost: unknown } }>('/summary?from=2025-12-01&to=2025-12-31');
    expect(empty.body.totals).toMatchObject({ request_count: 0, cost: { reconciled_amount: null } });
    expect(await read('/summary?from=2025-12-01&to=2026-01-15')).toMatchObject({
      status: 422,
      body: { error: { code: 'window_too_large' } },
    });
  });

  it('need the scope to be read', async () => {
    await start();
    world.callers.set('blind', callerOf({ scopes: new Set(['inference']) }));
    expect(await read('', 'blind')).toMatchObject({
      status: 403,
      body: { error: { code: 'insufficient_scope' } },
    });
    world.callers.set('token', callerOf({ keyId: null, scopes: new Set(['account:read']) }));
    expect(await read('', 'token')).toMatchObject({ status: 200, body: { data: [] } });
  });

  it('tell which models served an instrument lately', async () => {
    await start();
    await ask();
    const models = async (query = '', key?: string) => {
      const url = `${world.url}/v1/models${query}`;
      const answer = await sendRequest({ url, ...(key === undefined ? {} : { key }) });
      return answer.json as { data: Record<string, unknown>[] };
    };
    const [entry] = (await models()).data;
    expect(entry).toMatchObject({
      id: 'text-standard',
      display_name: 'Text Standard',
      recently_served: ['openai/gpt-oss-120b'],
      qualification: 'waived',
      pricing: { ask: '2.5100', bid: '2.5000', last: null, input_per_token: '0.00000251' },
      funded: null,
    });
    expect((await models('', KEY)).data).toMatchObject([{ funded: true }]);
    expect((await models('?funded=true', STRANGER_KEY)).data).toEqual([]);
    // Money alone serves nobody: something must be offered under the ceiling.
    world.callers.set('easy', callerOf({ accountNumber: STRANGER, mode: 'easy' }));
    await credit(world.sequencer, 5_000_000, STRANGER);
    expect((await models('', 'easy')).data).toMatchObject([{ funded: false }]);
    await restSell(world.sequencer, { units: 1, priceTicks: 25_000 });
    expect((await models('', 'easy')).data).toMatchObject([{ funded: true }]);
  });
});
