/** Helpers of the Trading surface's tests. Nothing of the program imports this file. */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Command } from '@opengrid/exchange';
import type { FastifyInstance } from 'fastify';
import { IdempotencyKeys } from '../http/idempotency/idempotency-keys.ts';
import type { Account, NewAccount } from '../platform/accounts.ts';
import { loadCatalogue } from '../platform/catalogue.ts';
import { ensureMarkets } from '../platform/markets.ts';
import { SigningKeys } from '../platform/signing-keys.ts';
import { openPlatform, type Platform } from '../platform/testing.ts';
import type { Instrument } from '../ports/catalogue.ts';
import type { SupplierDirectory } from '../ports/supply.ts';
import { accepted, silentTelemetry } from '../sequencer/testing.ts';
import type { Database } from '../store/database.ts';
import { SignatureReplays } from '../trading/auth/replays.ts';
import { MarketView } from '../trading/market-view.ts';
import { registerTrading, type TradingDeps } from '../trading/routes.ts';
import { DEFAULT_TRADING_SETTINGS, type TradingSettings } from '../trading/settings.ts';
import { createHttpApp } from './http-app.ts';
import { registerReference } from './openapi/reference.ts';
import { type Watch, watchAnswers } from './openapi/testing.ts';

export interface Call {
  readonly body?: unknown;
  /** Sent as it is instead of the body. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Path that is signed, when it is not the one that is sent. */
  readonly signedPath?: string;
  /** Seconds added to the timestamp: without, identical requests have one signature. */
  readonly timestamp?: number;
}

/** One object of an answer. */
export interface AnswerData {
  readonly id: string;
  readonly [name: string]: unknown;
}

/** The members that tests look into; which are there depends on the answer. */
export interface AnswerBody {
  readonly data: AnswerData;
  readonly paging: { next_cursor: string | null; prev_cursor: string | null; has_more: boolean };
  readonly already_cancelled?: boolean;
  readonly transfer_id?: string;
  readonly errors: {
    readonly code: string;
    readonly detail: string;
    readonly message: string;
    readonly server_time: string;
    readonly context: Readonly<Record<string, unknown>>;
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AnswerBody;
  /** `data` of a list. */
  readonly rows: readonly AnswerData[];
}

/** Somebody with a signing key. */
export class Trader {
  readonly account: Account;
  readonly keyId: string;
  private readonly origin: string;
  private readonly key: KeyObject;
  private readonly fingerprint: string;

  constructor(options: {
    account: Account;
    keyId: string;
    origin: string;
    key: KeyObject;
    fingerprint: string;
  }) {
    this.account = options.account;
    this.keyId = options.keyId;
    this.origin = options.origin;
    this.key = options.key;
    this.fingerprint = options.fingerprint;
  }

  /** Headers of scheme 1. */
  sign(method: string, path: string, body: string, timestamp = Math.floor(Date.now() / 1000)) {
    const target = path.split('?')[0]!;
    const signature = sign(null, Buffer.from(`${timestamp}${method}${target}${body}`), this.key);
    return {
      'x-thegrid-timestamp': String(timestamp),
      'x-thegrid-fingerprint': this.fingerprint,
      'x-thegrid-signature': signature.toString('base64'),
    };
  }

  /** Payload of `authenticate`: method 2 with a challenge, else method 1. */
  signSocket(challenge?: string, timestamp = String(Math.floor(Date.now() / 1000))) {
    const { fingerprint } = this;
    const text =
      challenge === undefined
        ? `${timestamp}${fingerprint}`
        : `opengrid-ws-v2\n${timestamp}\n${fingerprint}\n${challenge}`;
    const signature = sign(null, Buffer.from(text), this.key).toString('base64');
    return { timestamp, fingerprint, signature, ...(challenge === undefined ? {} : { challenge }) };
  }

  async call(method: string, path: string, call: Call = {}): Promise<Answer> {
    const text = call.raw ?? (call.body === undefined ? '' : JSON.stringify(call.body));
    const signed = this.sign(method, call.signedPath ?? path, text, call.timestamp);
    const type = text === '' ? {} : { 'content-type': 'application/json' };
    return send(this.origin, { method, path, text, headers: { ...type, ...signed, ...call.headers } });
  }

  get(path: string): Promise<Answer> {
    return this.call('GET', path);
  }

  /** Places an order; each has another client order id, so that each is another order. */
  place(order: Readonly<Record<string, unknown>>): Promise<Answer> {
    const client_order_id = randomBytes(8).toString('hex');
    return this.call('POST', '/v1/orders', { body: { client_order_id, ...order } });
  }
}

/** Timestamps that do not come twice in twenty calls, whatever the clock does meanwhile. */
export function secondsBack(): () => number {
  let last = Number.POSITIVE_INFINITY;
  return () => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    last = last > nowSeconds || last < nowSeconds - 20 ? nowSeconds : last;
    last -= 1;
    return last;
  };
}

export async function send(
  origin: string,
  request: { method: string; path: string; text?: string; headers?: Readonly<Record<string, string>> },
): Promise<Answer> {
  const { method, path, text = '', headers = {} } = request;
  const sent = text === '' ? {} : { body: text };
  const response = await fetch(`${origin}${path}`, { method, headers: { ...headers }, ...sent });
  const answered = await response.text();
  const parsed: unknown = answered === '' ? undefined : JSON.parse(answered);
  const body = parsed as AnswerBody;
  const rows: unknown = body?.data;
  return {
    status: response.status,
    headers: response.headers,
    body,
    rows: Array.isArray(rows) ? (rows as AnswerData[]) : [],
  };
}

/** What rooms beside the Trading surface may be made of. */
export type FloorCore = Omit<TradingDeps, 'telemetry' | 'version' | 'publicRate' | 'clock'>;

export interface TradingFloor extends Platform {
  readonly app: FastifyInstance;
  readonly origin: string;
  readonly signingKeys: SigningKeys;
  readonly replays: SignatureReplays;
  readonly idempotency: IdempotencyKeys;
  readonly instrument: Instrument;
  /** An account in advanced mode with a key, USD, and units to sell. */
  trader(options?: Partial<NewAccount> & { usdMicros?: number; units?: number }): Promise<Trader>;
  /** Every answer so far, held to the document. */
  readonly watch: Watch;
  command(command: Command): Promise<void>;
  /** @throws Error when an answer was not as the document says. */
  close(): Promise<void>;
}

interface FloorOptions {
  readonly settings?: Partial<TradingSettings>;
  readonly suppliers?: SupplierDirectory;
  readonly replayClock?: () => number;
  /** When the first commands happen; the present when left out. */
  readonly startMs?: number;
  /** Mounts more rooms beside the Trading surface. */
  readonly rooms?: (app: FastifyInstance, core: FloorCore) => void;
}

/** The Trading surface on a store, listening on loopback. Limits are off unless given. */
export async function openFloor(database: Database, options: FloorOptions = {}): Promise<TradingFloor> {
  const platform = await openPlatform(database);
  platform.clock.nowMs = options.startMs ?? Date.now();
  const core = await openFloorCore(platform, options);
  const { sequencer, signingKeys, replays, idempotency } = core;
  const app = createHttpApp(silentTelemetry);
  registerReference(app, { version: 'test' });
  const watch = watchAnswers(app);
  options.rooms?.(app, core);
  registerTrading(app, { ...core, telemetry: silentTelemetry, version: 'test', publicRate: 0 });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const command = async (one: Command): Promise<void> => {
    await accepted(sequencer, one);
  };
  const instrument = core.instruments.find('text-standard')!;
  const trader = traderMaker(platform, { signingKeys, origin, instrument, command });
  const close = async (): Promise<void> => {
    await app.close();
    await sequencer.close();
    if (watch.faults.size > 0) throw new Error(`not as described:\n${[...watch.faults].join('\n')}`);
  };
  const parts = { app, watch, origin, signingKeys, replays, idempotency, instrument };
  return { ...platform, ...parts, trader, command, close };
}

async function openFloorCore(
  { database, sequencer, accounts, keys }: Platform,
  options: FloorOptions,
): Promise<FloorCore & { signingKeys: SigningKeys }> {
  const instruments = await loadCatalogue(database);
  await ensureMarkets(sequencer, instruments);
  const signingKeys = await SigningKeys.load({ database, accounts });
  const settings = { ...DEFAULT_TRADING_SETTINGS, ...UNLIMITED, ...options.settings };
  const replays = await SignatureReplays.open({
    database,
    policy: settings.signatureReplay,
    isLeading: () => sequencer.status.isLeading,
    ...(options.replayClock === undefined ? {} : { clock: options.replayClock }),
  });
  const view = await MarketView.open({ sequencer, database, instruments });
  const idempotency = new IdempotencyKeys({
    database,
    telemetry: silentTelemetry,
    secret: Buffer.alloc(32, 9),
    writer: () => sequencer.status,
  });
  const suppliers = options.suppliers ?? NO_SUPPLIERS;
  const rooms = { instruments, accounts, keys, signingKeys, suppliers };
  return { database, sequencer, ...rooms, replays, settings, view, idempotency };
}

function traderMaker(
  { accounts }: Platform,
  floor: Pick<TradingFloor, 'signingKeys' | 'origin' | 'instrument' | 'command'>,
): TradingFloor['trader'] {
  const { signingKeys, origin, instrument, command } = floor;
  let people = 0;
  return async ({ usdMicros = 0, units = 0, ...input } = {}) => {
    people += 1;
    const email = `trader${people}@example.com`;
    const made = await accounts.create({ email, mode: 'advanced', isEmailVerified: true, ...input });
    if (!made.ok) throw new Error(made.error.code);
    const account = made.value.accountNumber;
    const { instrumentNo } = instrument;
    if (usdMicros > 0)
      await command({ kind: 'credit', account, origin: 'promotional', amountMicros: usdMicros });
    if (units > 0) {
      const quantity = { account, instrument: instrumentNo, quantityUnits: units };
      await command({ kind: 'issue', ...quantity });
      await command({ kind: 'transfer_issued', ...quantity });
    }
    return newTrader({ account: made.value, signingKeys, origin });
  };
}

const UNLIMITED = { orderRate: 0, orderRpm: 0, cancelRate: 0, signedReadRate: 0 };

const NO_SUPPLIERS: SupplierDirectory = {
  endpointsFor: () => [],
  supplier: () => undefined,
  supplierByAccount: () => undefined,
};

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

async function newTrader(options: {
  account: Account;
  signingKeys: SigningKeys;
  origin: string;
}): Promise<Trader> {
  const { account, signingKeys, origin } = options;
  const der = Buffer.concat([PKCS8_PREFIX, randomBytes(32)]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const publicKey = Buffer.from(x, 'base64url').toString('base64');
  const made = await signingKeys.create(account.accountNumber, { label: 'test', publicKey });
  if (!made.ok) throw new Error(made.error.code);
  return new Trader({ account, keyId: made.value.keyId, origin, key, fingerprint: made.value.fingerprint });
}
