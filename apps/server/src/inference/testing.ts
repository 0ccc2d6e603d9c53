/** Helpers of this room's tests: the real exchange behind an in-memory sequencer. The program does not import this file. */
import type { AddressInfo } from 'node:net';
import { type Command, Earmarks, Exchange, type MarketRules, type Settle } from '@opengrid/exchange';
import { type GridError, gridError } from '@opengrid/wire';
import fastify, { type FastifyInstance } from 'fastify';
import type { Instrument, InstrumentCatalogue } from '../ports/catalogue.ts';
import type { Authentication, Caller, KeyDirectory, PresentedCredential } from '../ports/identity.ts';
import type {
  Delivered,
  Endpoint,
  EndpointCapabilities,
  SupplierDirectory,
  SupplierSummary,
} from '../ports/supply.ts';
import type { DeliveryEvent, RequestEvent, SystemEvent, Telemetry } from '../ports/telemetry.ts';
import type { Attachment, Committed, CommittedBatch, ReceiptFacts, Sequencer } from '../sequencer/types.ts';
import type { Database } from '../store/database.ts';
import type { InferenceRoom } from './deps.ts';
import { registerInference } from './register.ts';
import { DEFAULT_INFERENCE_SETTINGS, type InferenceSettings } from './settings.ts';

export const SUPPLIER = 101;
export const SUBSTITUTE = 102;
export const BUYER = 202;
export const STRANGER = 203;
export const INSTRUMENT_NO = 1;
export const KEY = 'test-key-of-the-buyer';
export const STRANGER_KEY = 'test-key-of-a-stranger';

export const RULES: MarketRules = {
  takerBps: 50,
  makerBps: 0,
  minOrderUnits: 1,
  maxOrderUnits: 10_000,
  maxOpenOrders: 500,
  marketCollarBps: 1_000,
  limitCollarBps: 5_000,
  autoBuyCollarBps: 1_000,
  referencePriceTicks: 25_000,
};

/** Applies at once and resolves in the next turn of the event loop, as a commit would. */
export class MemorySequencer implements Sequencer {
  readonly exchange = new Exchange();
  readonly earmarks = new Earmarks();
  readonly commands: { readonly command: Command; readonly attachment: Attachment | undefined }[] = [];
  readonly status = { isLeading: true, isAccepting: true, epoch: 1, queueLength: 0, committedSeq: 0 };
  private readonly listeners: ((batch: CommittedBatch) => void)[] = [];
  /** When set, `submit` fails with what it returns, if anything. */
  breakdown: ((command: Command) => Error | undefined) | undefined;

  async submit(command: Command, attachment?: Attachment): ReturnType<Sequencer['submit']> {
    const error = this.breakdown?.(command);
    if (error !== undefined) throw error;
    const seq = this.exchange.lastSeq + 1;
    const atMs = Math.max(Date.now(), this.exchange.lastAtMs);
    const outcome = this.exchange.apply({ seq, atMs, command });
    if (!outcome.ok) return outcome;
    this.commands.push({ command, attachment });
    const committed: Committed = { ok: true, seq, atMs, outcome, accountEvents: [] };
    await new Promise((resolve) => setImmediate(resolve));
    for (const event of outcome.events) if (event.type === 'lot') this.earmarks.follow(event);
    for (const listener of this.listeners) listener({ batch: seq, entries: [committed], notices: [] });
    return committed;
  }

  onCommitted(listener: (batch: CommittedBatch) => void): void {
    this.listeners.push(listener);
  }

  lastUserSeq(): number {
    return 0;
  }

  async settled(): Promise<void> {}

  async close(): Promise<void> {}

  /** Settlements so far with their receipts. */
  get settlements(): readonly { readonly command: Settle; readonly receipt: ReceiptFacts }[] {
    return this.commands.flatMap(({ command, attachment }) =>
      command.kind === 'settle' && attachment?.receipt !== undefined
        ? [{ command, receipt: attachment.receipt }]
        : [],
    );
  }

  settledTokens(): number {
    const draws = this.settlements.flatMap(({ command }) => command.draws);
    return draws.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  /** Orders placed by the automatic purchases. */
  get purchases(): readonly Command[] {
    return this.commands.flatMap(({ command }) =>
      command.kind === 'place_order' && command.origin === 'auto_buy' ? [command] : [],
    );
  }
}

export const INSTRUMENT: Instrument = {
  instrumentNo: INSTRUMENT_NO,
  instrumentId: 'instrument-3911579c-017a-5533-a6c4-dc93f9be1b72',
  marketId: 'market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514',
  symbol: 'text-standard',
  name: 'Text Standard',
  family: 'text',
  tier: 'standard',
  stage: 'live',
  status: 'active',
  specVersion: 1,
  specification: {
    contextTokens: 128_000,
    maxInputTokens: 120_000,
    maxOutputTokens: 65_536,
    ttftMsMax: 1_320,
    tokensPerSecondMin: 100,
    uptimeMin: 0.99,
    errorRateMax: 0.01,
    qualityIndex: 'aa_intelligence',
    qualityFloor: 18,
    reasoningEfforts: ['low', 'medium', 'high'],
    defaultEffort: 'medium',
    hasReasoningToggle: false,
    acceptsImages: false,
    acceptsTemperature: true,
  },
  createdAtMs: 1_767_225_600_000,
  updatedAtMs: 1_767_225_600_000,
};

function catalogueOf(instruments: readonly Instrument[]): InstrumentCatalogue {
  return {
    find: (reference) =>
      instruments.find(({ symbol, instrumentId }) =>
        [symbol, instrumentId].includes(reference.toLowerCase()),
      ),
    byNumber: (instrumentNo) => instruments.find((instrument) => instrument.instrumentNo === instrumentNo),
    list: () => instruments,
  };
}

export const CAPABILITIES: EndpointCapabilities = {
  tools: true,
  jsonSchema: true,
  images: false,
  logprobs: false,
  n: true,
  seed: true,
  penalties: true,
  logitBias: false,
  temperature: true,
  efforts: [],
  reasoningText: true,
  developerRole: false,
  store: false,
  outputLimitField: 'max_tokens',
  passThroughParams: [],
};

/** An endpoint of a supplier double. */
export function endpointOf(
  supplier: { readonly baseUrl: string; readonly apiKey: string },
  changes: Partial<Endpoint> = {},
): Endpoint {
  const account = changes.supplierAccount ?? SUPPLIER;
  return {
    endpointId: `endpoint_${account}_${new URL(supplier.baseUrl).port}`,
    supplierId: `supplier_${account}`,
    supplierAccount: account,
    supplierName: `Supplier ${account}`,
    isManaged: false,
    baseUrl: supplier.baseUrl,
    wire: 'openai',
    authStyle: 'bearer',
    credential: supplier.apiKey,
    upstreamModel: 'double',
    servedModel: 'openai/gpt-oss-120b',
    region: 'de',
    capabilities: CAPABILITIES,
    maxConcurrency: 10_000,
    substitution: { isAccepted: true, priceTicks: null },
    qualification: 'waived',
    allowPrivate: true,
    ...changes,
  };
}

export function callerOf(changes: Partial<Caller> = {}): Caller {
  return {
    accountNumber: BUYER,
    userId: 'user_01jz3v8m2k7f9q0x4w6t5s1r8p',
    keyId: 'key_01jz3v8m2k7f9q0x4w6t5s1r8q',
    scopes: new Set(['inference', 'usage:read']),
    mode: 'advanced',
    autoBuy: { isEnabled: false, quantityUnits: 1, triggerTokens: 250_000, maxPriceTicks: null },
    defaultInstrument: null,
    allowedRegions: null,
    routingMode: null,
    monthlyTokenLimit: null,
    ...changes,
  };
}

/** Everything a test can look at or change while the room runs. */
export interface World<Engine extends Sequencer = MemorySequencer> {
  readonly url: string;
  readonly room: InferenceRoom;
  readonly app: FastifyInstance;
  readonly sequencer: Engine;
  readonly endpoints: Endpoint[];
  readonly callers: Map<string, Caller>;
  /** Keys that are refused, with why. */
  readonly refusals: Map<string, GridError>;
  readonly logged: {
    readonly requests: RequestEvent[];
    readonly deliveries: DeliveryEvent[];
    readonly systems: SystemEvent[];
    readonly faults: unknown[];
    readonly conduct: Delivered[];
  };
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly endpoints?: readonly Endpoint[];
  readonly settings?: Partial<InferenceSettings>;
  readonly caller?: Partial<Caller>;
  readonly instrument?: Partial<Instrument>;
  readonly database?: Database;
  readonly clock?: () => number;
}

/** Starts the room on a loopback port, over sockets like in production. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  return await startWorldWith(new MemorySequencer(), options);
}

/** The same with a sequencer of the test's own. */
export async function startWorldWith<Engine extends Sequencer>(
  sequencer: Engine,
  options: WorldOptions,
): Promise<World<Engine>> {
  const endpoints = [...(options.endpoints ?? [])];
  const callers = new Map([
    [KEY, callerOf(options.caller)],
    [STRANGER_KEY, callerOf({ accountNumber: STRANGER, keyId: 'key_01jz3v8m2k7f9q0x4w6t5s1r8r' })],
  ]);
  const refusals = new Map<string, GridError>();
  const logged: World['logged'] = { requests: [], deliveries: [], systems: [], faults: [], conduct: [] };
  const app = fastify({ logger: false, forceCloseConnections: true });
  const room = registerInference(app, {
    sequencer,
    keys: keysOf(callers, refusals),
    instruments: catalogueOf([{ ...INSTRUMENT, ...options.instrument }]),
    suppliers: directoryOf(endpoints),
    conduct: { note: (delivered) => void logged.conduct.push(delivered) },
    database: options.database ?? noDatabase(),
    telemetry: recorderOf(logged),
    market: {
      quote: () => ({
        askTicks: 25_100,
        bidTicks: 25_000,
        lastTicks: null,
        vwap24hTicks: null,
        vwap7dTicks: null,
      }),
    },
    settings: { ...DEFAULT_INFERENCE_SETTINGS, ...options.settings },
    reasoningKey: new Uint8Array(32).fill(7),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  const { port } = app.server.address() as AddressInfo;
  const close = () => room.drain(0).then(() => app.close());
  return {
    url: `http://127.0.0.1:${port}`,
    room,
    app,
    sequencer,
    endpoints,
    callers,
    refusals,
    logged,
    close,
  };
}

function keysOf(callers: Map<string, Caller>, refusals: Map<string, GridError>): KeyDirectory {
  const authenticate = ({ authorization, xApiKey }: PresentedCredential): Authentication => {
    const key = xApiKey ?? authorization?.replace(/^bearer /i, '');
    if (key === undefined) return { ok: false, error: gridError('missing_credentials') };
    const refusal = refusals.get(key);
    if (refusal !== undefined) return { ok: false, error: refusal };
    const caller = callers.get(key);
    return caller === undefined ? { ok: false, error: gridError('invalid_api_key') } : { ok: true, caller };
  };
  const standing = (keyId: string): Authentication => {
    const [key] = [...callers].find(([, caller]) => caller.keyId === keyId) ?? [];
    return authenticate({ xApiKey: key });
  };
  return { authenticate, standing };
}

function directoryOf(endpoints: readonly Endpoint[]): SupplierDirectory {
  const summary = (endpoint: Endpoint | undefined): SupplierSummary | undefined =>
    endpoint && {
      supplierId: endpoint.supplierId,
      accountNumber: endpoint.supplierAccount,
      displayName: endpoint.supplierName,
      status: 'approved',
      isManaged: endpoint.isManaged,
    };
  return {
    endpointsFor: (instrumentNo) => (instrumentNo === INSTRUMENT_NO ? endpoints : []),
    supplier: (supplierId) => summary(endpoints.find((endpoint) => endpoint.supplierId === supplierId)),
    supplierByAccount: (account) =>
      summary(endpoints.find((endpoint) => endpoint.supplierAccount === account)),
  };
}

function recorderOf(logged: World['logged']): Telemetry {
  return {
    request: (event) => void logged.requests.push(event),
    delivery: (event) => void logged.deliveries.push(event),
    system: (event) => void logged.systems.push(event),
    fault: (_where, error) => void logged.faults.push(error),
  };
}

/** For tests that read nothing from the database. */
function noDatabase(): Database {
  const refuse = () => Promise.reject(new Error('this test has no database'));
  return { engine: 'embedded', query: refuse, commit: refuse, transaction: refuse, close: async () => {} };
}

/** Opens the market and the accounts, and rests sell orders of the supplier. */
export async function openMarket(
  sequencer: Sequencer,
  asks: readonly { units: number; priceTicks: number }[] = [],
): Promise<void> {
  await sequencer.submit({ kind: 'open_market', instrument: INSTRUMENT_NO, rules: RULES });
  for (const account of [SUPPLIER, SUBSTITUTE, BUYER, STRANGER]) {
    await sequencer.submit({ kind: 'open_account', account });
  }
  for (const ask of asks) await restSell(sequencer, ask);
}

/** Issues units and rests them on the book. */
export async function restSell(
  sequencer: Sequencer,
  { units, priceTicks, account = SUPPLIER }: { units: number; priceTicks: number; account?: number },
): Promise<void> {
  const owner = { account, instrument: INSTRUMENT_NO, quantityUnits: units };
  await sequencer.submit({ kind: 'issue', ...owner });
  await sequencer.submit({ kind: 'transfer_issued', ...owner });
  await sequencer.submit({
    kind: 'place_order',
    ...owner,
    side: 'sell',
    type: 'limit',
    priceTicks,
    timeInForce: 'gtc',
  });
}

export async function credit(sequencer: Sequencer, amountMicros: number, account = BUYER): Promise<void> {
  await sequencer.submit({ kind: 'credit', account, origin: 'promotional', amountMicros });
}

/** Gives the buyer whole units to consume, bought from the supplier at 2.5000. */
export async function giveUnits(sequencer: Sequencer, units: number, account = BUYER): Promise<void> {
  await restSell(sequencer, { units, priceTicks: 25_000 });
  await credit(sequencer, units * 3_000_000, account);
  await sequencer.submit({
    kind: 'place_order',
    account,
    instrument: INSTRUMENT_NO,
    side: 'buy',
    type: 'market',
    quantityUnits: units,
    priceTicks: null,
    timeInForce: 'ioc',
    autotransfer: true,
  });
}

/** Leaves the buyer exactly this many free tokens. */
export async function leaveTokens(sequencer: Sequencer, tokens: number): Promise<void> {
  const { earmarks } = sequencer;
  const excess = earmarks.freeTokens(BUYER, INSTRUMENT_NO) - tokens;
  const hold = earmarks.reserve(BUYER, INSTRUMENT_NO, excess);
  if (hold === undefined) throw new Error('the buyer has fewer tokens than that');
  const draws = earmarks.close(hold, excess);
  const owner = { account: BUYER, instrument: INSTRUMENT_NO };
  await sequencer.submit({ kind: 'settle', ...owner, draws, servedBy: SUPPLIER });
  earmarks.spent(owner, draws);
}
