import pino from 'pino';
import type { DeliveryEvent, RequestEvent, SystemEvent, Telemetry } from '../ports/telemetry.ts';
import { describeFault } from './faults.ts';
import { type GaugeSources, Metrics } from './metrics.ts';

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

export interface TelemetryOptions {
  readonly logLevel: LogLevel;
  /** Where lines go; standard error when left out, so that standard output stays free for people. */
  readonly destination?: { write(line: string): void };
  /** Name of this process in every line. */
  readonly node: string;
  /** Share of successful requests that are logged, 0 to 1. Everything else is always logged. */
  readonly successSampleRate?: number;
  /** Draws for sampling; uniform in [0, 1). */
  readonly random?: () => number;
}

/** The telemetry of the program: what the rooms use, and what `main` needs besides. */
export interface ProgramTelemetry extends Telemetry {
  /** The text for `GET /metrics`, and its content type. */
  metricsText(): Promise<string>;
  readonly metricsContentType: string;
  /** Where gauges are read from when metrics are asked for. */
  watch(sources: GaugeSources): void;
  /** One durable batch of the sequencer. */
  committed(commandCount: number): void;
  close(): void;
}

const PLAIN_VALUE = /^[\w.:/@+-]{0,100}$/;

/** Text that is no plain word does not belong in a log: it is replaced, so that a mistake cannot leak content. */
function plain(value: string): string {
  return PLAIN_VALUE.test(value) ? value : '[text]';
}

function requestLine(event: RequestEvent): Record<string, unknown> {
  return {
    event: 'request',
    request_id: plain(event.requestId),
    method: plain(event.method),
    route: event.route === '*' ? '*' : plain(event.route),
    status: event.httpStatus,
    code: event.errorCode,
    duration_ms: Math.round(event.durationMs * 10) / 10,
    bytes_in: event.bytesIn,
    bytes_out: event.bytesOut,
    account: event.accountNumber,
    key_id: event.keyId,
  };
}

function deliveryLine(event: DeliveryEvent): Record<string, unknown> {
  return {
    event: 'delivery',
    request_id: plain(event.requestId),
    endpoint_id: plain(event.endpointId),
    supplier_id: plain(event.supplierId),
    instrument: plain(event.instrument),
    outcome: event.outcome,
    upstream_status: event.upstreamStatus,
    ttft_ms: event.ttftMs,
    output_tokens: event.outputTokens,
    duration_ms: Math.round(event.durationMs * 10) / 10,
  };
}

function systemLine(event: SystemEvent): Record<string, unknown> {
  const line: Record<string, unknown> = { event: plain(event.event) };
  for (const [name, value] of Object.entries(event.fields ?? {})) {
    line[plain(name)] = typeof value === 'string' ? plain(value) : value;
  }
  return line;
}

/** Logs one line an event, and counts. There is no call that takes a free text. */
export function createTelemetry(options: TelemetryOptions): ProgramTelemetry {
  const metrics = new Metrics();
  const log = pino(
    {
      level: options.logLevel,
      base: { node: options.node },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? pino.destination({ fd: 2, sync: true }),
  );
  const { successSampleRate = 1, random = Math.random } = options;
  const isSampled = () => successSampleRate >= 1 || random() < successSampleRate;
  return {
    request(event) {
      metrics.request(event);
      // 503 is an expected answer of a busy market; at this level it would flood the log.
      if (event.httpStatus >= 500 && event.httpStatus !== 503) log.warn(requestLine(event));
      else if (event.httpStatus >= 300 || event.errorCode !== null) log.info(requestLine(event));
      else if (log.isLevelEnabled('info') && isSampled()) log.info(requestLine(event));
    },
    delivery(event) {
      metrics.delivery(event);
      const isFailure = event.outcome !== 'completed' && event.outcome !== 'client_gone';
      if (isFailure) log.warn(deliveryLine(event));
      else if (log.isLevelEnabled('debug')) log.debug(deliveryLine(event));
    },
    // All of them are out of the ordinary, and an operator at the default level has to learn of them.
    system(event) {
      metrics.system(event.event);
      log.warn(systemLine(event));
    },
    fault(where, error) {
      metrics.fault(where);
      const { errorClass, errorCode, causeClass, frames } = describeFault(error);
      const place = plain(where.replaceAll(' ', '_'));
      log.error({ event: 'fault', place, class: errorClass, code: errorCode, cause: causeClass, frames });
    },
    metricsText: () => metrics.text(),
    metricsContentType: metrics.contentType,
    watch: (sources) => metrics.watch(sources),
    committed: (commandCount) => metrics.committed(commandCount),
    close: () => metrics.close(),
  };
}
