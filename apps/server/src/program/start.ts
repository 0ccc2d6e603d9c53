import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { type BuiltinSupplier, MODEL_ID, startBuiltinSupplier } from '@opengrid/builtin-supplier';
import type { FastifyInstance } from 'fastify';
import { IdempotencyKeys } from '../http/idempotency/idempotency-keys.ts';
import { DEFAULT_INFERENCE_SETTINGS, type InferenceRoom, registerInference } from '../inference/index.ts';
import { Accounts } from '../platform/accounts.ts';
import { loadCatalogue, seedInstruments } from '../platform/catalogue.ts';
import { ConsumptionKeys } from '../platform/keys.ts';
import { ensureMarkets } from '../platform/markets.ts';
import { loadSecrets } from '../platform/secrets.ts';
import { SigningKeys } from '../platform/signing-keys.ts';
import type { InstrumentCatalogue } from '../ports/catalogue.ts';
import { startSequencer } from '../sequencer/sequencer.ts';
import type { Sequencer } from '../sequencer/types.ts';
import type { Database } from '../store/database.ts';
import { openDatabase } from '../store/open.ts';
import { SupplierRegistry } from '../suppliers/registry.ts';
import { assertCredentialsOpen } from '../suppliers/rows.ts';
import { Strikes } from '../suppliers/strikes.ts';
import { Vault } from '../suppliers/vault.ts';
import { createTelemetry, type ProgramTelemetry } from '../telemetry/telemetry.ts';
import { SignatureReplays } from '../trading/auth/replays.ts';
import { OpenInterest } from '../trading/instruments/open-interest.ts';
import { MarketView } from '../trading/market-view.ts';
import { registerTrading } from '../trading/routes.ts';
import { cancelOrphans } from '../trading/socket/orphans.ts';
import { bindActs } from './acts.ts';
import { assertAddressFree } from './address.ts';
import { type AdminActs, startAdminSocket } from './admin-socket.ts';
import type { Config } from './config.ts';
import { BUYER_EMAIL, DEMO_INSTRUMENTS, makeDemoKey, seedDemo } from './demo.ts';
import { closeHttpApp, createHttpApp } from './http-app.ts';
import { marketQuotes } from './market-quotes.ts';
import { registerReference } from './openapi/reference.ts';
import { registerPage } from './page.ts';

export const VERSION = '0.1.0';
const KEY_FLUSH_MS = 60_000;
const OPEN_INTEREST_MS = 600_000;

/** A running program. */
export interface Program {
  readonly url: string;
  /** The demo buyer's key, when it was made by this start. */
  readonly key: string | undefined;
  readonly model: string;
  /** Address of the demo buyer's account, when there is one. */
  readonly buyer: string | undefined;
  readonly telemetry: ProgramTelemetry;
  /** Takes no new requests, lets running ones finish, settles everything, and closes the store. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly config: Config;
  readonly onProgress: (message: string) => void;
  /** The writer's lease is lost or the state is broken: nothing more may be written. */
  readonly onLost: (reason: 'fenced' | 'broken') => void;
}

/** Opens everything from the store outwards and starts to listen. What was opened is closed again when a step fails. */
export async function startProgram(options: StartOptions): Promise<Program> {
  const closers: (() => Promise<void>)[] = [];
  try {
    return await open(options, closers);
  } catch (error) {
    for (const close of closers.reverse()) await close().catch(() => {});
    throw error;
  }
}

interface Core {
  readonly telemetry: ProgramTelemetry;
  readonly database: Database;
  readonly sequencer: Sequencer;
  readonly instruments: InstrumentCatalogue;
  readonly accounts: Accounts;
  readonly keys: ConsumptionKeys;
  readonly signingKeys: SigningKeys;
  readonly suppliers: SupplierRegistry;
  readonly idempotency: IdempotencyKeys;
  readonly strikes: Strikes;
  readonly reasoningKey: Buffer;
}

async function open(options: StartOptions, closers: (() => Promise<void>)[]): Promise<Program> {
  const { config, onProgress } = options;
  const launching = launchBuiltin(config, onProgress);
  // A failure is met where it is awaited; until then it must not count as unhandled.
  launching.catch(() => {});
  closers.push(async () => (await launching.catch(() => undefined))?.close());
  const core = await openCore(options, closers);
  const builtin = await launching;
  await core.suppliers.setBuiltin(builtin);
  if (builtin !== undefined) watchBuiltin(builtin, core);
  const view = await MarketView.open(core);
  await cancelOrphans(core);
  const replays = await openReplays(core, { config, closers });
  const openInterest = openInterestOf(core, closers);
  const app = createHttpApp(core.telemetry);
  closers.push(() => closeHttpApp(app));
  const room = mount(app, core, { config, view, replays, openInterest });
  const acts = bindActs({ ...core, status: () => statusOf(core, room) });
  if (config.isDemo) await seed(core, { acts, builtin, onProgress });
  const url = await app.listen({ port: config.port, host: config.host });
  const admin = await startAdminSocket({ ...core, dataFolder: config.dataFolder, acts });
  closers.push(() => admin.close());
  const key = config.isDemo ? await makeDemoKey(acts) : undefined;
  const stop = async (): Promise<void> => {
    await room.drain(config.drainTimeoutMs);
    for (const close of closers.splice(0).reverse()) await close();
  };
  const buyer = core.accounts.find(BUYER_EMAIL)?.email;
  return { url: reachable(url), key, model: DEMO_INSTRUMENTS[1], buyer, telemetry: core.telemetry, stop };
}

async function openCore(options: StartOptions, closers: (() => Promise<void>)[]): Promise<Core> {
  const { config, onProgress, onLost } = options;
  const { databaseUrl, dataFolder, secret } = config;
  const telemetry = createTelemetry({ logLevel: config.logLevel, node: `${hostname()}-${process.pid}` });
  const database = await openDatabase({ databaseUrl, dataFolder, onProgress });
  closers.push(() => database.close());
  const secrets = await loadSecrets({ dataFolder, secret });
  const vault = new Vault(secrets.vaultKey);
  // The lease comes last: taking it ends the process that has it, so nothing known to fail may come after it.
  await assertAddressFree(config);
  await assertCredentialsOpen(database, vault);
  const nowMs = Date.now();
  await seedInstruments(database, nowMs);
  const instruments = await loadCatalogue(database, nowMs);
  const sequencer = await startSequencer({
    database,
    telemetry,
    onLost,
    onProgress: (done, total) => onProgress(`replaying the journal: ${done} of ${total}`),
  });
  closers.push(() => sequencer.close());
  sequencer.onCommitted(({ entries }) => telemetry.committed(entries.length));
  await ensureMarkets(sequencer, instruments);
  const emailVerification = config.isEmailVerificationOn ? 'on' : 'off';
  const accounts = await Accounts.load({ database, sequencer, emailVerification });
  const keys = await ConsumptionKeys.load({ database, accounts, pepper: secrets.keyPepper });
  const signingKeys = await SigningKeys.load({ database, accounts });
  const flush = async (): Promise<void> => {
    await keys.flushLastUsed();
    await signingKeys.flushLastUsed();
  };
  const flushing = setInterval(() => void flush().catch(() => {}), KEY_FLUSH_MS);
  closers.push(async () => {
    clearInterval(flushing);
    await flush();
  });
  const suppliers = await SupplierRegistry.open({
    database,
    sequencer,
    vault,
    openAccount: async ({ email, name }) => {
      const opened = await accounts.create({ email, name, mode: 'advanced', isEmailVerified: true });
      if (!opened.ok) throw new Error('the account of a new supplier could not be opened');
      return opened.value;
    },
  });
  const idempotency = openIdempotency(
    { database, telemetry, sequencer },
    { secret: secrets.idempotencyKey, closers },
  );
  const { reasoningKey } = secrets;
  const rooms = { telemetry, database, sequencer, instruments, accounts, keys, signingKeys, suppliers };
  const strikes = new Strikes({ database, telemetry });
  closers.push(() => strikes.settled());
  return { ...rooms, idempotency, strikes, reasoningKey };
}

/** What is bought and not consumed, kept every ten minutes and at the end. */
function openInterestOf(core: Core, closers: (() => Promise<void>)[]): OpenInterest {
  const openInterest = new OpenInterest(core);
  const record = (): Promise<void> =>
    openInterest.record().catch((error: unknown) => core.telemetry.fault('open interest', error));
  const recording = setInterval(() => void record(), OPEN_INTEREST_MS);
  closers.push(async () => {
    clearInterval(recording);
    await record();
  });
  return openInterest;
}

/** Kept answers, forgotten when their time is over. */
function openIdempotency(
  { database, telemetry, sequencer }: Pick<Core, 'database' | 'telemetry' | 'sequencer'>,
  { secret, closers }: { secret: Buffer; closers: (() => Promise<void>)[] },
): IdempotencyKeys {
  const writer = (): Sequencer['status'] => sequencer.status;
  const keys = new IdempotencyKeys({ database, telemetry, secret, writer });
  const purge = (): void => {
    keys.purge().catch((error: unknown) => telemetry.fault('idempotency keys', error));
  };
  const purging = setInterval(purge, KEY_FLUSH_MS);
  closers.push(async () => clearInterval(purging));
  return keys;
}

/** Signatures of recent commands, forgotten once a minute. */
async function openReplays(
  { database, sequencer, telemetry }: Core,
  { config, closers }: { config: Config; closers: (() => Promise<void>)[] },
): Promise<SignatureReplays> {
  const policy = config.trading.signatureReplay;
  const isLeading = (): boolean => sequencer.status.isLeading;
  const replays = await SignatureReplays.open({ database, policy, isLeading });
  const purge = (): void => {
    replays.purge().catch((error: unknown) => telemetry.fault('signature replays', error));
  };
  const purging = setInterval(purge, KEY_FLUSH_MS);
  closers.push(async () => clearInterval(purging));
  return replays;
}

/** The model loads in its own thread while the store opens. */
async function launchBuiltin(
  config: Config,
  onProgress: (message: string) => void,
): Promise<BuiltinSupplier | undefined> {
  if (!config.isBuiltinSupplierOn) return undefined;
  onProgress('loading the built-in language model');
  const apiKey = randomBytes(24).toString('base64url');
  return startBuiltinSupplier({ apiKey, tokensPerSecond: config.builtinTokensPerSecond });
}

/** A built-in supplier whose thread failed is taken out of service; the market goes on without it. */
function watchBuiltin(builtin: BuiltinSupplier, { suppliers, telemetry }: Core): void {
  const leave = async (): Promise<void> => {
    if ((await builtin.ended) !== 'failed') return;
    telemetry.system({ event: 'builtin_supplier_failed' });
    await suppliers.setBuiltin(undefined);
  };
  leave().catch((error: unknown) => telemetry.fault('built-in supplier', error));
}

function mount(
  app: FastifyInstance,
  core: Core,
  {
    config,
    view,
    replays,
    openInterest,
  }: { config: Config; view: MarketView; replays: SignatureReplays; openInterest: OpenInterest },
): InferenceRoom {
  const settings = {
    ...DEFAULT_INFERENCE_SETTINGS,
    bodyLimitBytes: config.inferenceBodyLimitBytes,
    requestsPerMinute: config.inferenceRpm,
    requestsInFlight: config.inferenceConcurrency,
    unbilledHangUpsPerMinute: config.unbilledHangupRpm,
    firstByteMs: config.firstByteTimeoutMs,
    idleMs: config.idleTimeoutMs,
    totalMs: config.totalTimeoutMs,
    routingMode: config.routingMode,
    gatewayBaseUrl: config.gatewayBaseUrl,
  };
  const trading = { ...core, view, replays, openInterest, settings: config.trading };
  registerReference(app, { version: VERSION });
  const sockets = registerTrading(app, {
    ...trading,
    version: VERSION,
    publicRate: config.trading.publicRate,
  });
  const room = registerInference(app, {
    ...core,
    conduct: core.strikes,
    market: marketQuotes(view),
    settings,
  });
  registerPage(app);
  const { telemetry, sequencer } = core;
  telemetry.watch({ inFlight: () => room.inFlight, sequencer: () => sequencer.status });
  telemetry.watch({ sockets: () => sockets.count });
  app.get('/metrics', { config: { route: '/metrics' } }, async (_request, reply) =>
    reply.type(telemetry.metricsContentType).send(await telemetry.metricsText()),
  );
  return room;
}

async function seed(
  core: Core,
  {
    acts,
    builtin,
    onProgress,
  }: {
    acts: AdminActs;
    builtin: BuiltinSupplier | undefined;
    onProgress: (message: string) => void;
  },
): Promise<void> {
  const running =
    builtin === undefined ? undefined : { baseUrl: builtin.baseUrl, apiKey: builtin.apiKey, model: MODEL_ID };
  await seedDemo({ ...core, acts, builtin: running, onProgress });
}

function statusOf(core: Core, room: InferenceRoom): Record<string, unknown> {
  const { sequencer, database } = core;
  return {
    version: VERSION,
    node: process.version,
    store: database.engine,
    is_leading: sequencer.status.isLeading,
    epoch: sequencer.status.epoch,
    last_command: sequencer.exchange.lastSeq,
    requests_in_flight: room.inFlight,
    uptime_seconds: Math.round(process.uptime()),
  };
}

/** An address a person can open: a wildcard address is not one. */
function reachable(url: string): string {
  return url
    .replace('//0.0.0.0:', '//127.0.0.1:')
    .replace('//[::]:', '//[::1]:')
    .replace('//127.0.0.1:', '//localhost:');
}
