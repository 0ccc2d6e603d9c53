import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { Instance } from './instance.ts';

/** An answer of the Trading API; `null` where the connection broke and nobody can say what happened. */
export type TradingAnswer = {
  readonly status: number;
  readonly isReplay: boolean;
  readonly json: {
    readonly data?: unknown;
    readonly error?: { readonly code?: string };
    readonly paging?: { readonly next_cursor: string | null };
  };
} | null;

/** An account in advanced mode with a signing key of its own. */
export class Trader {
  /** The program that it sends to. */
  instance: Instance;
  private readonly privateKey: KeyObject;
  private readonly fingerprint: string;
  private requests = 0;

  private constructor(instance: Instance, privateKey: KeyObject, fingerprint: string) {
    this.instance = instance;
    this.privateKey = privateKey;
    this.fingerprint = fingerprint;
  }

  static async open(instance: Instance, creditUsd: string): Promise<Trader> {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const bytes = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    const account = `trader-${randomBytes(6).toString('hex')}@example.org`;
    await instance.admin('POST', '/accounts', { email: account, mode: 'advanced' });
    await instance.admin('POST', `/accounts/${account}/credit`, { amount: creditUsd });
    const key = { account, label: 'test', public_key: bytes.toString('base64') };
    await instance.admin('POST', '/signing-keys', key);
    return new Trader(instance, privateKey, createHash('sha256').update(bytes).digest('base64').slice(0, 43));
  }

  /** Sends a signed request; every one is different from the last, so that none is taken for a copy. */
  call(method: string, target: string, body?: object): Promise<TradingAnswer> {
    return this.send({ method, target, body });
  }

  /** The same with headers of its own. */
  async send(request: {
    method: string;
    target: string;
    body?: object | undefined;
    headers?: Readonly<Record<string, string>>;
  }): Promise<TradingAnswer> {
    const { method, target, body, headers = {} } = request;
    this.requests += 1;
    const query = `${target.includes('?') ? '&' : '?'}page=${this.requests}`;
    const text = body === undefined ? '' : JSON.stringify(body);
    const timestamp = Math.floor(Date.now() / 1000);
    const [path] = target.split('?');
    const signature = sign(null, Buffer.from(`${timestamp}${method}${path}${text}`), this.privateKey);
    try {
      const response = await fetch(this.instance.url + target + (method === 'GET' ? query : ''), {
        method,
        headers: {
          'x-thegrid-timestamp': String(timestamp),
          'x-thegrid-fingerprint': this.fingerprint,
          'x-thegrid-signature': signature.toString('base64'),
          ...(text === '' ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(text === '' ? {} : { body: text }),
      });
      const answer = await response.text();
      const isReplay = response.headers.get('x-grid-idempotent-replay') === 'true';
      return { status: response.status, isReplay, json: answer === '' ? {} : JSON.parse(answer) };
    } catch {
      return null;
    }
  }

  /** Payload that authenticates a socket with its challenge. */
  signSocket(challenge: string): object {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const { fingerprint } = this;
    const text = `opengrid-ws-v2\n${timestamp}\n${fingerprint}\n${challenge}`;
    const signature = sign(null, Buffer.from(text), this.privateKey).toString('base64');
    return { timestamp, fingerprint, challenge, signature };
  }

  /** Every order of the account, as it stands. */
  async orders(): Promise<OrderSeen[]> {
    const seen: OrderSeen[] = [];
    let next: string | null = null;
    do {
      const cursor: string = next === null ? '' : `&next=${encodeURIComponent(next)}`;
      const answer: TradingAnswer = await this.call('GET', `/v1/orders?limit=500${cursor}`);
      if (answer?.status !== 200) throw new Error(`the list of orders: ${JSON.stringify(answer)}`);
      seen.push(...(answer.json.data as OrderSeen[]));
      next = answer.json.paging?.next_cursor ?? null;
    } while (next !== null);
    return seen;
  }
}

/** The parts of an order that tests look at. */
export interface OrderSeen {
  readonly id: string;
  readonly client_order_id: string;
  readonly side: string;
  readonly status: string;
  readonly quantity: number;
  readonly filled_quantity: number;
  readonly price: string;
}
