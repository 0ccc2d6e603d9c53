import type { OpenGrid, Receipt } from '@opengrid/sdk';
import { QueryClient, queryOptions } from '@tanstack/react-query';
import { publicGrid } from './grid.ts';
import { pollEvery } from './polling.ts';

/** The cache of everything read. Polls stop while the page is hidden, and a lost poll waits for the next one. */
export const queryClient = new QueryClient({
  // The server is often on this very machine, which may well have no network.
  defaultOptions: { queries: { retry: false, networkMode: 'always', refetchOnWindowFocus: true } },
});

/** Levels of the book on each side. */
export const bookDepth = 10;

/** Trades on the tape: as many as stand beside a full book. */
export const tapeLength = 21;

/** Receipts in the list. */
export const receiptCount = 20;

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: ({ signal }) => publicGrid.models.list(undefined, { signal }),
  refetchInterval: pollEvery(2_000),
});

export const instrumentsQuery = queryOptions({
  queryKey: ['instruments'],
  queryFn: async ({ signal }) => (await publicGrid.instruments.list({ limit: 100 }, { signal })).data,
  refetchInterval: pollEvery(5_000),
});

export const marketQuery = (symbol: string) =>
  queryOptions({
    queryKey: ['market', symbol],
    queryFn: ({ signal }) => publicGrid.markets.retrieve(symbol, { signal }),
    refetchInterval: pollEvery(10_000),
  });

export const tickerQuery = (symbol: string) =>
  queryOptions({
    queryKey: ['ticker', symbol],
    queryFn: ({ signal }) => publicGrid.markets.ticker(symbol, { signal }),
    refetchInterval: pollEvery(2_000),
  });

export const bookQuery = (symbol: string) =>
  queryOptions({
    queryKey: ['book', symbol],
    queryFn: ({ signal }) => publicGrid.markets.orderbook(symbol, { depth: bookDepth }, { signal }),
    refetchInterval: pollEvery(1_000),
  });

export const tradesQuery = (symbol: string) =>
  queryOptions({
    queryKey: ['trades', symbol],
    queryFn: async ({ signal }) =>
      (await publicGrid.markets.trades(symbol, { limit: tapeLength }, { signal })).data,
    refetchInterval: pollEvery(1_000),
  });

/** A pasted key: the client that holds it and a number that names it in the cache, so that the key itself is in no name. */
export type KeySession = { id: number; grid: OpenGrid };

export const receiptsQuery = (session: KeySession) =>
  queryOptions({
    queryKey: ['receipts', session.id],
    queryFn: async ({ signal }) => (await session.grid.usage.list({ limit: receiptCount }, { signal })).data,
    refetchInterval: pollEvery(2_000),
    // What one key may see must be gone when the key is.
    gcTime: 0,
  });

export const receiptQuery = (session: KeySession, requestId: string) =>
  queryOptions({
    queryKey: ['receipt', session.id, requestId],
    queryFn: ({ signal }): Promise<Receipt> =>
      session.grid.usage.retrieve(requestId, { signal, maxRetries: 2 }),
    refetchInterval: ({ state }) => (state.data?.status === 'pending' ? 1_000 : false),
    gcTime: 0,
  });
