import type { JsonObject } from '@opengrid/wire';
import type { InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { AccountStreamName } from './feed/account-feed.ts';
import type { MarketTarget } from './feed/market-feed.ts';
import { isObject } from './frames.ts';

/** One stream of a request, with what the acknowledgement says of it. */
export interface WantedStream {
  readonly name: string;
  /** As the client spelled it. */
  readonly market?: string;
  readonly depth?: number;
  readonly target:
    | { readonly kind: 'account'; readonly name: AccountStreamName }
    | { readonly kind: 'market'; readonly market: MarketTarget }
    | { readonly kind: 'failed'; readonly reason: 'unknown_stream' | 'unknown_market' };
}

export interface StreamRequest {
  readonly requestId: string;
  readonly streams: readonly WantedStream[];
}

const ACCOUNT_STREAMS: ReadonlySet<string> = new Set(['user.orders', 'user.trades', 'user.balances']);
const MARKET_STREAMS: ReadonlySet<string> = new Set([
  'market.trades',
  'market.ticker',
  'market.book',
  'market.status',
]);
const DEPTHS: ReadonlySet<unknown> = new Set([0, 10, 25, 100]);
const DEFAULT_DEPTH = 25;
const MAX_STREAMS = 200;
const MAX_TEXT = 128;

/** Reads the payload of `subscribe` and `unsubscribe`; undefined when a member is missing or of the wrong type. */
export function parseStreamRequest(
  payload: JsonObject,
  instruments: InstrumentCatalogue,
): StreamRequest | undefined {
  const { request_id: requestId, streams } = payload;
  if (typeof requestId !== 'string' || requestId.length > MAX_TEXT) return undefined;
  if (!Array.isArray(streams) || streams.length === 0 || streams.length > MAX_STREAMS) return undefined;
  const wanted = streams.map((entry: unknown) => parseStream(entry, instruments));
  return wanted.every((one) => one !== undefined) ? { requestId, streams: wanted } : undefined;
}

function parseStream(entry: unknown, instruments: InstrumentCatalogue): WantedStream | undefined {
  if (!isObject(entry)) return undefined;
  const { name, market, depth } = entry;
  if (typeof name !== 'string' || name.length > MAX_TEXT) return undefined;
  if (market !== undefined && (typeof market !== 'string' || market.length > MAX_TEXT)) return undefined;
  if (depth !== undefined && !(name === 'market.book' && DEPTHS.has(depth))) return undefined;
  const said = {
    name,
    ...(market === undefined ? {} : { market }),
    ...(depth === undefined ? {} : { depth: depth as number }),
  };
  if (ACCOUNT_STREAMS.has(name))
    return { ...said, target: { kind: 'account', name: name as AccountStreamName } };
  if (!MARKET_STREAMS.has(name)) return { ...said, target: { kind: 'failed', reason: 'unknown_stream' } };
  const instrument = instruments.find(market ?? '');
  if (instrument === undefined) return { ...said, target: { kind: 'failed', reason: 'unknown_market' } };
  const { instrumentNo } = instrument;
  const target = {
    name: name as MarketTarget['name'],
    instrumentNo,
    depth: (depth as number | undefined) ?? DEFAULT_DEPTH,
  };
  return { ...said, target: { kind: 'market', market: target } };
}
