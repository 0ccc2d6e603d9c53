import { isIP } from 'node:net';
import { type Dispatcher, Pool } from 'undici';
import type { Endpoint } from '../../ports/supply.ts';
import { isPrivateAddress, publicLookup } from './private-addresses.ts';

const PATHS: Readonly<Record<Endpoint['wire'], string>> = {
  openai: '/chat/completions',
  'openai-responses': '/responses',
  anthropic: '/messages',
};

/** Connections to suppliers: one pool for each origin, kept alive between requests. Redirects are never followed. */
export class UpstreamPools {
  private readonly pools = new Map<string, Pool>();
  private readonly connectTimeoutMs: number;

  constructor(options: { connectTimeoutMs: number }) {
    this.connectTimeoutMs = options.connectTimeoutMs;
  }

  /** The pool and path of an endpoint; undefined when its address is private and must not be. */
  target(endpoint: Endpoint): { readonly dispatcher: Dispatcher; readonly path: string } | undefined {
    const url = new URL(endpoint.baseUrl);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (!endpoint.allowPrivate && isIP(host) !== 0 && isPrivateAddress(host)) return undefined;
    const path = `${url.pathname.replace(/\/$/, '')}${PATHS[endpoint.wire]}`;
    return { dispatcher: this.pool(url.origin, endpoint.allowPrivate), path };
  }

  /** Lets running requests end, then closes every connection. */
  async close(): Promise<void> {
    const pools = [...this.pools.values()];
    this.pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  private pool(origin: string, allowPrivate: boolean): Pool {
    const key = `${allowPrivate} ${origin}`;
    let pool = this.pools.get(key);
    if (pool === undefined) {
      const timeout = this.connectTimeoutMs;
      const connect = allowPrivate ? { timeout } : { timeout, lookup: publicLookup };
      // The deadlines of a request are kept by the request itself, which also knows when it paused the supplier.
      pool = new Pool(origin, {
        pipelining: 1,
        allowH2: false,
        connect,
        headersTimeout: 0,
        bodyTimeout: 0,
        keepAliveTimeout: 30_000,
      });
      this.pools.set(key, pool);
    }
    return pool;
  }
}
