import type { IncomingHttpHeaders } from 'node:http';
import type { Content } from '@opengrid/wire';
import { openContent } from '@opengrid/wire/content';
import type { Dispatcher } from 'undici';
import { randomHex } from '../../ids.ts';
import type { Endpoint } from '../../ports/supply.ts';
import type { AnthropicHeaders } from '../call.ts';
import { type Decoder, decoderFor } from './content-coding.ts';

/** Why an attempt gave no (complete) answer. The supplier's own words are never among it. */
export interface AttemptFailure {
  readonly kind: 'unreachable' | 'refused' | 'invalid_request' | 'timeout' | 'broken' | 'garbage';
  readonly upstreamStatus: number | null;
  /** How long the supplier asked to be left alone, where it did. */
  readonly retryAfterMs?: number;
}

export interface AttemptDeadlines {
  readonly connectMs: number;
  /** From the start of the attempt to the first byte of the answer. */
  readonly firstByteMs: number;
  readonly idleMs: number;
}

/** Who reads the answer. After `onEnd` or `onFailure`, and after `abandon`, nothing more is told. */
export interface AttemptReader {
  onBytes(bytes: Buffer): void;
  onEnd(): void;
  onFailure(failure: AttemptFailure): void;
}

export interface AttemptTarget {
  readonly dispatcher: Dispatcher;
  readonly path: string;
  readonly endpoint: Endpoint;
  readonly body: Content<string>;
  readonly accept: string;
  /** What the client asked of an Anthropic wire; sent to endpoints that speak it. */
  readonly anthropic: AnthropicHeaders;
}

/** The version that suppliers of the Anthropic wire know, where the client names none. */
const ANTHROPIC_VERSION = '2023-06-01';

/** How long a finished answer may take to close its HTTP message, so that the connection can be used again. */
const LINGER_MS = 2_000;
const INVALID_REQUEST_STATUSES: ReadonlySet<number> = new Set([400, 413, 422]);

class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

/** One request to one endpoint: deadlines, pausing, and the end of it told exactly once. */
export class UpstreamAttempt implements Dispatcher.DispatchHandler {
  private readonly reader: AttemptReader;
  private readonly deadlines: AttemptDeadlines;
  private controller: Dispatcher.DispatchController | undefined;
  private timer: NodeJS.Timeout | undefined;
  private upstreamStatus: number | null = null;
  private retryAfterMs: number | undefined;
  private decoder: Decoder | undefined;
  private isOver = false;
  private isReading = false;
  private isPaused = false;
  /** When the request was written to a connection, in milliseconds of the monotonic clock. */
  dispatchedAt: number | undefined;

  constructor(reader: AttemptReader, deadlines: AttemptDeadlines) {
    this.reader = reader;
    this.deadlines = deadlines;
  }

  get status(): number | null {
    return this.upstreamStatus;
  }

  start(target: AttemptTarget): void {
    this.arm(Math.min(this.deadlines.connectMs, this.deadlines.firstByteMs), 'unreachable');
    target.dispatcher.dispatch(
      {
        method: 'POST',
        path: target.path,
        headers: upstreamHeaders(target),
        body: openContent(target.body),
      },
      this,
    );
  }

  pause(): void {
    if (this.isOver || this.isPaused) return;
    this.isPaused = true;
    this.controller?.pause();
    this.decoder?.pause();
    // Time in which the exchange does not read is not the supplier's.
    clearTimeout(this.timer);
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    if (this.isOver) return;
    this.arm(this.deadlines.idleMs, 'timeout');
    this.decoder?.resume();
    this.controller?.resume();
  }

  /** Ends the attempt at once; the reader hears nothing of it. */
  abandon(): void {
    if (!this.close()) return;
    this.controller?.abort(new Abandoned('the answer is not wanted any more'));
  }

  /** The reader has its whole answer. The HTTP message may end by itself, so that the connection stays. */
  finish(): void {
    if (!this.close()) return;
    const controller = this.controller;
    this.timer = setTimeout(() => controller?.abort(new Abandoned('the answer had no end')), LINGER_MS);
    this.timer.unref();
    if (this.isPaused) controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.isOver) {
      controller.abort(new Abandoned('the answer is not wanted any more'));
      return;
    }
    const spentMs = this.dispatchedAt === undefined ? 0 : performance.now() - this.dispatchedAt;
    this.dispatchedAt = performance.now();
    this.arm(Math.max(0, this.deadlines.firstByteMs - spentMs), 'timeout');
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (this.isOver || statusCode < 200) return;
    this.upstreamStatus = statusCode;
    if (statusCode === 200) this.openDecoder(headers['content-encoding']);
    else {
      this.retryAfterMs = retryAfterMsOf(headers['retry-after']);
      this.fail(INVALID_REQUEST_STATUSES.has(statusCode) ? 'invalid_request' : 'refused');
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.isOver) return;
    if (!this.isReading) {
      this.isReading = true;
      this.arm(this.deadlines.idleMs, 'timeout');
    } else if (!this.isPaused) this.timer?.refresh();
    if (this.decoder === undefined) this.reader.onBytes(chunk);
    else this.decoder.write(chunk);
  }

  onResponseEnd(): void {
    if (this.isOver) clearTimeout(this.timer);
    else if (this.decoder === undefined) this.end();
    else this.decoder.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, _error: Error): void {
    clearTimeout(this.timer);
    if (this.isOver) return;
    this.fail(this.dispatchedAt === undefined ? 'unreachable' : 'broken');
  }

  /** The reader cannot use what it was given. */
  reject(): void {
    this.fail('garbage');
  }

  private fail(kind: AttemptFailure['kind']): void {
    if (!this.close()) return;
    this.controller?.abort(new Abandoned(kind));
    const { upstreamStatus, retryAfterMs } = this;
    this.reader.onFailure({ kind, upstreamStatus, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }

  private openDecoder(coding: string | string[] | undefined): void {
    const decoder = decoderFor(coding, {
      onBytes: (bytes) => {
        if (!this.isOver) this.reader.onBytes(bytes);
      },
      onEnd: () => this.end(),
      onError: () => this.fail('garbage'),
    });
    if (decoder === 'unknown') this.fail('garbage');
    else this.decoder = decoder;
  }

  private end(): void {
    if (this.close()) this.reader.onEnd();
  }

  private close(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    clearTimeout(this.timer);
    this.decoder?.close();
    return true;
  }

  private arm(afterMs: number, kind: 'unreachable' | 'timeout'): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fail(kind), afterMs);
  }
}

/** All that a supplier is told beside the body. The request id is fresh, so that it links to nothing. */
function upstreamHeaders(target: AttemptTarget): Record<string, string> {
  const { credential, authStyle } = target.endpoint;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: target.accept,
    'accept-encoding': 'identity',
    'user-agent': 'opengrid',
    'x-request-id': randomHex(16),
  };
  if (target.endpoint.wire === 'anthropic') Object.assign(headers, anthropicHeaders(target));
  if (credential !== null) {
    if (authStyle === 'bearer') headers.authorization = `Bearer ${credential}`;
    else headers['x-api-key'] = credential;
  }
  return headers;
}

/** Seconds, as suppliers send them; a date is not worth reading for a wait this short. */
function retryAfterMsOf(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined;
}

/** Of the flags that the client sent, only those that the operator lists for the endpoint are passed on. */
function anthropicHeaders({ endpoint, anthropic }: AttemptTarget): Record<string, string> {
  const allowed = anthropic.betas.filter((flag) => endpoint.capabilities.betaFlags?.includes(flag) === true);
  return {
    'anthropic-version': anthropic.version ?? ANTHROPIC_VERSION,
    ...(allowed.length === 0 ? {} : { 'anthropic-beta': allowed.join(',') }),
  };
}
