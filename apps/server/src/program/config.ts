import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import type { InstanceRoutingMode } from '../inference/index.ts';
import { DEFAULT_TRADING_SETTINGS, type TradingSettings } from '../trading/settings.ts';

/** Everything the program can be told from outside, after flags and environment were merged and checked. */
export interface Config {
  readonly port: number;
  readonly host: string;
  readonly dataFolder: string;
  readonly databaseUrl: string | undefined;
  readonly isDemo: boolean;
  readonly isBuiltinSupplierOn: boolean;
  readonly builtinTokensPerSecond: number;
  readonly isEmailVerificationOn: boolean;
  readonly logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug';
  readonly secret: string | undefined;
  /** Requests a minute and key; 0 = no limit. */
  readonly inferenceRpm: number;
  /** Requests in flight and account; 0 = no limit. */
  readonly inferenceConcurrency: number;
  readonly unbilledHangupRpm: number;
  readonly inferenceBodyLimitBytes: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly routingMode: InstanceRoutingMode;
  /** Origin of second hops; null: where the first came to. */
  readonly gatewayBaseUrl: string | null;
  readonly trading: TradingSettings;
}

export type Invocation =
  | { readonly command: 'start'; readonly config: Config }
  | { readonly command: 'ledger-verify'; readonly config: Config; readonly isJson: boolean };

const EXIT_USAGE = 2;

/** A setting that cannot be used. The message names the setting and what it takes, never a secret value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly hint = 'Run `npm start -- --help` for every flag and its environment variable.';
}

const SWITCH = z
  .enum(['on', 'off', 'true', 'false', '1', '0'])
  .transform((word) => /^(on|true|1)$/.test(word));

function whole(text: string, range: { name: string; min: number; max: number }): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= range.min && value <= range.max) return value;
  throw new InvalidArgumentError(`${range.name} takes a whole number from ${range.min} to ${range.max}.`);
}

function wholeOption(name: string, range: { min: number; max: number }): (text: string) => number {
  return (text) => whole(text, { name, ...range });
}

function environmentSwitch(name: string, fallback: 'on' | 'off'): boolean {
  const parsed = SWITCH.safeParse((process.env[name] ?? fallback).toLowerCase());
  if (!parsed.success) throw new ConfigError(`${name} takes on or off.`);
  return parsed.data;
}

function environmentNumber(name: string, fallback: number, max = Number.MAX_SAFE_INTEGER): number {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  if (/^\d{1,15}$/.test(text) && Number(text) <= max) return Number(text);
  throw new ConfigError(`${name} takes a whole number from 0 to ${max}.`);
}

function environmentWord<T extends string>(name: string, words: readonly [T, ...T[]]): T {
  const text = process.env[name];
  if (text === undefined || text === '') return words[0];
  const word = words.find((candidate) => candidate === text.toLowerCase());
  if (word !== undefined) return word;
  throw new ConfigError(`${name} takes ${words.join(', ')}.`);
}

/** Hosts that existing clients take for development names and rewrite. */
const REWRITTEN_HOSTS: ReadonlySet<string> = new Set(['app', 'synapse', 'litellm']);

function gatewayBaseUrl(): string | null {
  const text = process.env.GATEWAY_BASE_URL ?? '';
  if (text === '') return null;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin =
    url !== undefined && /^https?:$/.test(url.protocol) && url.origin === text.replace(/\/$/, '');
  if (!isOrigin)
    throw new ConfigError('GATEWAY_BASE_URL takes an origin, such as https://gateway.example.com.');
  if (REWRITTEN_HOSTS.has(url.hostname))
    throw new ConfigError(
      'GATEWAY_BASE_URL must not be on a host named app, synapse or litellm: clients rewrite them.',
    );
  return url.origin;
}

function socketSettings(): Pick<
  TradingSettings,
  'socketConnections' | 'socketSubscriptions' | 'socketMessageRate' | 'socketsPerAddress'
> {
  const { socketConnections, socketSubscriptions, socketMessageRate, socketsPerAddress } =
    DEFAULT_TRADING_SETTINGS;
  return {
    socketConnections: environmentNumber('WS_CONNECTIONS', socketConnections),
    socketSubscriptions: environmentNumber('WS_SUBSCRIPTIONS', socketSubscriptions),
    socketMessageRate: environmentNumber('WS_MESSAGE_RATE', socketMessageRate),
    socketsPerAddress: environmentNumber('WS_ADDRESS_CONNECTIONS', socketsPerAddress),
  };
}

function tradingSettings(): TradingSettings {
  const { orderRate, orderBurst, orderRpm, cancelRate, signedReadRate, publicRate } =
    DEFAULT_TRADING_SETTINGS;
  const signatureReplay = environmentWord('SIGNATURE_REPLAY', ['coalesce', 'reject', 'off']);
  if (signatureReplay === 'off' && process.env.NODE_ENV === 'production')
    throw new ConfigError('SIGNATURE_REPLAY=off is for load tests and refused in production.');
  const status = environmentWord('ORDER_ALREADY_CANCELLED', ['200', '409', '500']);
  const header = (process.env.ORIGINAL_TARGET_HEADER ?? '').toLowerCase();
  if (!/^[a-z0-9-]{0,64}$/.test(header))
    throw new ConfigError('ORIGINAL_TARGET_HEADER takes the name of a header.');
  return {
    orderRate: environmentNumber('ORDER_RATE', orderRate),
    orderBurst: environmentNumber('ORDER_BURST', orderBurst),
    orderRpm: environmentNumber('ORDER_RPM', orderRpm),
    cancelRate: environmentNumber('CANCEL_RATE', cancelRate),
    signedReadRate: environmentNumber('SIGNED_READ_RATE', signedReadRate),
    publicRate: environmentNumber('PUBLIC_RATE', publicRate),
    ...socketSettings(),
    signatureReplay,
    isTransferBackOn: environmentWord('CONSUMPTION_TO_TRADING', ['enabled', 'disabled']) === 'enabled',
    alreadyCancelledStatus: Number(status) as TradingSettings['alreadyCancelledStatus'],
    originalTargetHeader: header === '' ? null : header,
  };
}

interface Flags {
  readonly port: number;
  readonly host: string;
  readonly data: string;
  readonly databaseUrl?: string;
  readonly demo: boolean;
  readonly builtinSupplier: boolean;
  readonly builtinTokensPerSecond: number;
  readonly logLevel: Config['logLevel'];
}

const ENVIRONMENT_HELP = `
Environment only:
  OPENGRID_SECRET               secret that keys and credentials are protected with
                                (default: <data>/secret, made at first start, mode 0600)
  EMAIL_VERIFICATION            on | off (default on): off marks addresses as verified at once
  INFERENCE_RPM                 requests a minute and key (default 600, 0 = no limit)
  INFERENCE_CONCURRENCY         requests in flight and account (default 64, 0 = no limit)
  UNBILLED_HANGUP_RPM           unbilled hang-ups a minute and account (default 20, 0 = no limit)
  INFERENCE_BODY_LIMIT_BYTES    largest inference body (default 33554432)
  FIRST_BYTE_TIMEOUT_MS         supplier's first byte (default 60000)
  IDLE_TIMEOUT_MS               silence between bytes of a supplier (default 120000)
  TOTAL_TIMEOUT_MS              whole request (default 600000)
  DRAIN_TIMEOUT_MS              running requests at SIGTERM (default 30000)
  ROUTING_MODE                  direct | redirect | auto (default direct): whether answers are relayed, or clients sent
                                on to the gateway; auto sends on what older clients stream
  GATEWAY_BASE_URL              origin that clients are sent on to (default: the one they came to)
  ORDER_RATE, ORDER_BURST       orders a second, account and market (default 10), and at once (default 20)
  ORDER_RPM                     orders a minute, account and market (default 600, 0 = no limit)
  CANCEL_RATE                   cancels a second and account (default 50, 0 = no limit)
  WS_CONNECTIONS                sockets of an account (default 10, 0 = no limit)
  WS_SUBSCRIPTIONS              streams of a socket (default 50, 0 = no limit)
  WS_MESSAGE_RATE               messages a second from a socket (default 100, 0 = no limit)
  WS_ADDRESS_CONNECTIONS        sockets of an address that are not authenticated (default 100, 0 = no limit)
  SIGNED_READ_RATE              reads a second and account (default 50, 0 = no limit)
  PUBLIC_RATE                   public reads a second and client address (default 20, 0 = no limit)
  SIGNATURE_REPLAY              coalesce | reject | off (default coalesce): identical signed requests
  ORDER_ALREADY_CANCELLED       200 | 409 | 500 (default 200): cancelling a cancelled order
  CONSUMPTION_TO_TRADING        enabled | disabled (default enabled): units back from consumption to trading
  ORIGINAL_TARGET_HEADER        header in which a proxy that rewrites paths hands over the original target

Embedded store: one process, survives crashes, not power cuts (it does not fsync). For more, give a PostgreSQL server
with --database-url.`;

function startCommand(): Command {
  return new Command('opengrid-server')
    .description('The open, self-hostable spot exchange for LLM inference.')
    .version('0.1.0')
    .addOption(
      new Option('--port <port>', 'port to listen on, 0 = any free one')
        .env('PORT')
        .default(4000)
        .argParser(wholeOption('--port', { min: 0, max: 65_535 })),
    )
    .addOption(new Option('--host <host>', 'address to listen on').env('HOST').default('127.0.0.1'))
    .addOption(
      new Option('--data <folder>', 'data folder: embedded store, secret, admin socket')
        .env('OPENGRID_DATA')
        .default('./data'),
    )
    .addOption(
      new Option('--database-url <url>', 'PostgreSQL server instead of the embedded store').env(
        'DATABASE_URL',
      ),
    )
    .addOption(new Option('--no-demo', 'do not seed the demo market on the first start'))
    .addOption(new Option('--no-builtin-supplier', 'switch the built-in n-gram supplier off'))
    .addOption(
      new Option('--builtin-tokens-per-second <rate>', 'speed of the built-in supplier, 0 = unpaced')
        .env('BUILTIN_TOKENS_PER_SECOND')
        .default(200)
        .argParser(wholeOption('--builtin-tokens-per-second', { min: 0, max: 1_000_000 })),
    )
    .addOption(
      new Option('--log-level <level>', 'what to log')
        .env('LOG_LEVEL')
        .choices(['silent', 'error', 'warn', 'info', 'debug'])
        .default('warn'),
    )
    .addHelpText('after', ENVIRONMENT_HELP)
    .allowExcessArguments(false);
}

function toConfig(flags: Flags): Config {
  const { env } = process;
  return {
    port: flags.port,
    host: flags.host,
    dataFolder: resolve(flags.data),
    databaseUrl: flags.databaseUrl === '' ? undefined : flags.databaseUrl,
    isDemo: flags.demo && environmentSwitch('OPENGRID_DEMO', 'on'),
    isBuiltinSupplierOn: flags.builtinSupplier && environmentSwitch('BUILTIN_SUPPLIER', 'on'),
    builtinTokensPerSecond: flags.builtinTokensPerSecond,
    isEmailVerificationOn: environmentSwitch('EMAIL_VERIFICATION', 'on'),
    logLevel: flags.logLevel,
    secret: env.OPENGRID_SECRET === '' ? undefined : env.OPENGRID_SECRET,
    inferenceRpm: environmentNumber('INFERENCE_RPM', 600),
    inferenceConcurrency: environmentNumber('INFERENCE_CONCURRENCY', 64),
    unbilledHangupRpm: environmentNumber('UNBILLED_HANGUP_RPM', 20),
    inferenceBodyLimitBytes: environmentNumber('INFERENCE_BODY_LIMIT_BYTES', 33_554_432, 268_435_456),
    firstByteTimeoutMs: environmentNumber('FIRST_BYTE_TIMEOUT_MS', 60_000),
    idleTimeoutMs: environmentNumber('IDLE_TIMEOUT_MS', 120_000),
    totalTimeoutMs: environmentNumber('TOTAL_TIMEOUT_MS', 600_000),
    drainTimeoutMs: environmentNumber('DRAIN_TIMEOUT_MS', 30_000),
    routingMode: environmentWord('ROUTING_MODE', ['direct', 'redirect', 'auto']),
    gatewayBaseUrl: gatewayBaseUrl(),
    trading: tradingSettings(),
  };
}

/** Reads the command line and the environment. `--help` and `--version` print and end the process. */
export function readInvocation(argv: readonly string[]): Invocation {
  const [first, ...rest] = argv;
  const isVerify = first === 'ledger-verify';
  const command = startCommand();
  // Wrong usage is told apart from a start that fails: a supervisor that tries again would only repeat it.
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE));
  if (isVerify) command.addOption(new Option('--json', 'print the report as JSON'));
  command.parse(isVerify ? rest : [...argv], { from: 'user' });
  const flags = command.opts<Flags & { json?: boolean }>();
  const config = toConfig(flags);
  return isVerify
    ? { command: 'ledger-verify', config, isJson: flags.json ?? false }
    : { command: 'start', config };
}
