import { describe, expect, it } from 'vitest';
import { OpenGrid } from '../client.ts';
import { serve } from '../testing/scripted-server.ts';
import { TruncatedListError } from './error.ts';

const page = (ids: number[], next: string | null) => ({
  body: {
    data: ids.map((id) => ({ id })),
    paging: { next_cursor: next, prev_cursor: null, has_more: next !== null },
  },
});

const idsOf = async (list: AsyncIterable<{ id: unknown }>): Promise<unknown[]> => {
  const ids: unknown[] = [];
  for await (const item of list) ids.push(item.id);
  return ids;
};

describe('cursor lists', () => {
  it('gives the first page when awaited', async () => {
    const server = await serve(page([1, 2], 'c1'));
    const first = await new OpenGrid({ baseUrl: server.origin }).markets.list({ limit: 2 });
    expect(first.data).toEqual([{ id: 1 }, { id: 2 }]);
    expect(first.hasNextPage()).toBe(true);
    expect(server.requests.map((request) => request.url)).toEqual(['/v1/markets?limit=2']);
  });

  it('iterates over every page with the same filters and the cursor sent', async () => {
    const server = await serve(page([1, 2], 'c/1'), page([3], 'c2'), page([4], null));
    const grid = new OpenGrid({ baseUrl: server.origin, apiKey: 'sk-or-v1-test' });
    expect(await idsOf(grid.usage.list({ limit: 2, model: 'text-prime', prev: 'p0' }) as never)).toEqual([
      1, 2, 3, 4,
    ]);
    expect(server.requests.map((request) => request.url)).toEqual([
      '/v1/usage?limit=2&model=text-prime&prev=p0',
      '/v1/usage?limit=2&model=text-prime&next=c%2F1',
      '/v1/usage?limit=2&model=text-prime&next=c2',
    ]);
  });

  it('asks for no further page when the caller leaves the loop', async () => {
    const server = await serve(page([1, 2], 'c1'), page([3], null));
    for await (const item of new OpenGrid({ baseUrl: server.origin }).instruments.list()) {
      if (item.id !== null) break;
    }
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    [undefined, [1, 2, 3], 2],
    [3, [1, 2, 3], 2],
    [2, [1, 2], 1],
    [0, [], 1],
  ])('gives the first %s items as an array', async (limit, ids, requestCount) => {
    const server = await serve(page([1, 2], 'c1'), page([3], null));
    const items = await new OpenGrid({ baseUrl: server.origin }).markets.list().toArray(limit);
    expect(items.map(({ id }) => id)).toEqual(ids);
    expect(server.requests).toHaveLength(requestCount);
  });

  it('ends quietly after the last page', async () => {
    const server = await serve(page([1], null));
    const only = await new OpenGrid({ baseUrl: server.origin }).markets.trades('text-prime');
    expect(await only.nextPage()).toBeNull();
  });

  it.each([
    ['no cursor', { data: [], paging: { next_cursor: null, prev_cursor: null, has_more: true } }],
    [
      'the same cursor',
      { data: [{ id: 2 }], paging: { next_cursor: 'c1', prev_cursor: null, has_more: true } },
    ],
    ['an empty page', { data: [], paging: { next_cursor: 'c2', prev_cursor: null, has_more: true } }],
  ])('reports a truncated list: %s', async (_name, body) => {
    const server = await serve(page([1], 'c1'), { body });
    const list = new OpenGrid({ baseUrl: server.origin }).markets.list();
    await expect(idsOf(list)).rejects.toBeInstanceOf(TruncatedListError);
  });

  it('rejects like an ordinary promise', async () => {
    const server = await serve({
      status: 404,
      body: { errors: { code: 'market_not_found', message: 'No.' } },
    });
    const list = new OpenGrid({ baseUrl: server.origin }).markets.trades('nothing');
    await expect(list.then((first) => first.data)).rejects.toMatchObject({ code: 'market_not_found' });
  });
});
