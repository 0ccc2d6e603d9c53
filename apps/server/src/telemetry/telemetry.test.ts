import { afterEach, describe, expect, it } from 'vitest';
import type { DeliveryEvent, RequestEvent } from '../ports/telemetry.ts';
import { describeFault } from './faults.ts';
import { createTelemetry, type ProgramTelemetry, type TelemetryOptions } from './telemetry.ts';

const REQUEST: RequestEvent = {
  requestId: 'req_01jz3v8m2k7f9q0x4w6t5s1r8p',
  method: 'POST',
  route: '/v1/chat/completions',
  httpStatus: 200,
  errorCode: null,
  durationMs: 12.34,
  bytesIn: 100,
  bytesOut: 200,
  accountNumber: 77,
  keyId: null,
};

const DELIVERY: DeliveryEvent = {
  requestId: REQUEST.requestId,
  endpointId: 'endpoint_1',
  supplierId: 'supplier_1',
  instrument: 'text-prime',
  outcome: 'completed',
  upstreamStatus: 200,
  ttftMs: 400,
  outputTokens: 11,
  durationMs: 1400,
};

const CONTENT = 'the prompt\n    at secret (/tmp/prompt.txt:1:1)';

const opened: ProgramTelemetry[] = [];
afterEach(() => {
  for (const telemetry of opened.splice(0)) telemetry.close();
});

function setUp(options: Partial<TelemetryOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const telemetry = createTelemetry({ logLevel: 'info', destination, node: 'node-1', ...options });
  opened.push(telemetry);
  return { telemetry, lines, entries: () => lines.map((line) => JSON.parse(line)) };
}

describe('the log', () => {
  it('has one line a request, with the declared fields only', () => {
    const { telemetry, entries } = setUp();
    const extended = { ...REQUEST, prompt: CONTENT };
    telemetry.request(extended);
    expect(entries()).toHaveLength(1);
    expect(Object.keys(entries()[0]).sort()).toEqual(
      [
        'account',
        'bytes_in',
        'bytes_out',
        'code',
        'duration_ms',
        'event',
        'key_id',
        'level',
        'method',
        'node',
        'request_id',
        'route',
        'status',
        'time',
      ].sort(),
    );
    expect(entries()[0]).toMatchObject({ level: 'info', node: 'node-1', status: 200, duration_ms: 12.3 });
  });

  it('samples successes and nothing else', () => {
    const { telemetry, entries } = setUp({ successSampleRate: 0.5, random: () => 0.7 });
    telemetry.request(REQUEST);
    telemetry.request({ ...REQUEST, httpStatus: 402, errorCode: 'insufficient_credits' });
    telemetry.request({ ...REQUEST, httpStatus: 502, errorCode: 'upstream_error' });
    expect(entries().map((entry) => [entry.status, entry.level])).toEqual([
      [402, 'info'],
      [502, 'warn'],
    ]);
  });

  it('tells system events at the default level, and replaces text in them that is no plain word', () => {
    const { telemetry, entries, lines } = setUp({ logLevel: 'warn' });
    telemetry.system({ event: 'started', fields: { port: 4000, engine: 'embedded', oops: CONTENT } });
    expect(entries()[0]).toMatchObject({ event: 'started', port: 4000, engine: 'embedded', oops: '[text]' });
    expect(lines.join()).not.toContain('prompt');
  });

  it('keeps class, code and our own frames of a fault, never its message', () => {
    const { telemetry, entries, lines } = setUp();
    const error = Object.assign(new TypeError(CONTENT, { cause: new RangeError(CONTENT) }), {
      code: 'ECONNRESET',
    });
    telemetry.fault('sequencer apply', error);
    const [entry] = entries();
    expect(entry).toMatchObject({
      event: 'fault',
      place: 'sequencer_apply',
      class: 'TypeError',
      code: 'ECONNRESET',
      cause: 'RangeError',
    });
    expect(entry.frames[0]).toMatch(/\(apps\/server\/src\/telemetry\/telemetry\.test\.ts:\d+:\d+\)$/);
    expect(entry.frames.join()).not.toContain('node_modules');
    expect(lines.join()).not.toContain('prompt');
  });
});

describe('faults that try to carry content', () => {
  it('drops the stack when the message was changed after the throw', () => {
    const error = new Error(
      `secret (${import.meta.dirname}/x.ts:1:1)\n    at secret (${import.meta.dirname}/x.ts:1:1)`,
    );
    expect(error.stack).toContain('secret');
    error.message = 'something else';
    expect(describeFault(error).frames).toEqual([]);
  });

  it('finds our files below a folder with a space in its name, whichever way the stack spells it', () => {
    const error = new Error('secret');
    error.stack = [
      'Error: secret',
      '    at url (file:///a%20grid/apps/server/dist/x.js:1:2)',
      '    at async path (/a grid/apps/server/dist/y.js:3:4)',
      '    at file:///a%20grid/node_modules/z/z.js:5:6',
      '    at file:///a%20grid/apps/se%20cret:7:8',
      '    at elsewhere (file:///a%20grids/apps/x.js:9:10)',
    ].join('\n');
    expect(describeFault(error, new URL('file:///a%20grid/')).frames).toEqual([
      'url (apps/server/dist/x.js:1:2)',
      'path (apps/server/dist/y.js:3:4)',
    ]);
  });

  it('does not read a frame out of a message', () => {
    const error = new Error(`a\n    at secret (${import.meta.dirname}/x.ts:1:1)`);
    expect(describeFault(error).frames.join()).not.toContain('secret');
    expect(describeFault(error).frames.length).toBeGreaterThan(0);
  });

  it('reduces thrown values that are no errors to their type', () => {
    expect(describeFault(CONTENT)).toEqual({
      errorClass: 'string',
      errorCode: null,
      causeClass: null,
      frames: [],
    });
    expect(describeFault({ code: 'SECRET' }).errorClass).toBe('Object');
    expect(describeFault(Object.assign(new Error('x'), { code: CONTENT })).errorCode).toBeNull();
  });
});

describe('metrics', () => {
  it('count requests by route template, status class and code', async () => {
    const { telemetry } = setUp();
    telemetry.request(REQUEST);
    telemetry.request({ ...REQUEST, httpStatus: 402, errorCode: 'insufficient_credits' });
    const text = await telemetry.metricsText();
    expect(text).toContain(
      'http_server_request_duration_seconds_count{method="POST",route="/v1/chat/completions",status_class="4xx"} 1',
    );
    expect(text).toContain(
      'opengrid_request_errors_total{route="/v1/chat/completions",code="insufficient_credits"} 1',
    );
  });

  it('measure deliveries by instrument and supplier', async () => {
    const { telemetry } = setUp();
    telemetry.delivery(DELIVERY);
    const labels = 'instrument="text-prime",supplier="supplier_1"';
    const text = await telemetry.metricsText();
    expect(text).toContain(`gen_ai_server_time_to_first_token_seconds_sum{${labels}} 0.4`);
    expect(text).toContain(`gen_ai_server_output_tokens_total{${labels}} 11`);
    expect(text).toContain(`gen_ai_server_time_per_output_token_seconds_sum{${labels}} 0.1`);
  });

  it('count events out of the ordinary by name', async () => {
    const { telemetry } = setUp();
    telemetry.system({ event: 'supplier_usage_drift', fields: { share_percent: 20 } });
    expect(await telemetry.metricsText()).toContain(
      'opengrid_system_events_total{event="supplier_usage_drift"} 1',
    );
  });

  it('fold labels beyond their bound, and labels that are no plain word', async () => {
    const { telemetry } = setUp();
    for (let index = 0; index < 205; index += 1) telemetry.request({ ...REQUEST, route: `/r${index}` });
    telemetry.request({ ...REQUEST, route: CONTENT });
    const text = await telemetry.metricsText();
    expect(text).toContain('opengrid_request_bytes_in_total{route="other"} 600');
    expect(text).not.toContain('prompt');
  });

  it('read gauges from their sources when asked', async () => {
    const { telemetry } = setUp();
    expect(await telemetry.metricsText()).toContain('opengrid_event_loop_lag_seconds{quantile="0.99"}');
    telemetry.watch({ sockets: () => 6 });
    telemetry.watch({ inFlight: () => 3, sequencer: () => ({ isLeading: true, epoch: 4, queueLength: 5 }) });
    telemetry.committed(7);
    const text = await telemetry.metricsText();
    expect(text).toContain('opengrid_inference_requests_in_flight 3');
    expect(text).toContain('opengrid_sockets 6');
    expect(text).toContain('opengrid_sequencer_queue_length 5');
    expect(text).toContain('opengrid_sequencer_is_leading 1');
    expect(text).toContain('opengrid_sequencer_commands_total 7');
  });
});
