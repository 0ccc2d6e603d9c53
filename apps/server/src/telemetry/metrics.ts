import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DeliveryEvent, RequestEvent } from '../ports/telemetry.ts';
import { BoundedLabel } from './bounded-label.ts';
import { METRIC } from './metric-names.ts';

/** State of other rooms that is read when metrics are asked for. */
export interface GaugeSources {
  readonly inFlight?: () => number;
  readonly sockets?: () => number;
  readonly sequencer?: () => {
    readonly isLeading: boolean;
    readonly epoch: number;
    readonly queueLength: number;
  };
}

const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const FIRST_TOKEN_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 5, 10, 20, 60];
const TOKEN_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.2, 0.5, 1];
const NANOSECONDS = 1e9;

/** Counters, gauges and histograms of one process. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly sources: GaugeSources[] = [];
  private readonly loopDelay: IntervalHistogram;
  private readonly routes = new BoundedLabel(200);
  private readonly methods = new BoundedLabel(12);
  private readonly codes = new BoundedLabel(120);
  private readonly instruments = new BoundedLabel(200);
  private readonly suppliers = new BoundedLabel(500);
  private readonly places = new BoundedLabel(100);
  private readonly events = new BoundedLabel(100);

  private readonly requestDuration;
  private readonly requestErrors;
  private readonly bytesIn;
  private readonly bytesOut;
  private readonly deliveryDuration;
  private readonly timeToFirstToken;
  private readonly timePerOutputToken;
  private readonly outputTokens;
  private readonly faults;
  private readonly systemEvents;
  private readonly commits;
  private readonly commands;

  constructor() {
    this.requestDuration = this.histogram(METRIC.requestDuration, 'Duration of requests.', {
      labels: ['method', 'route', 'status_class'],
      buckets: REQUEST_BUCKETS,
    });
    this.requestErrors = this.counter(METRIC.requestErrors, 'Requests that ended in an error, by code.', [
      'route',
      'code',
    ]);
    this.bytesIn = this.counter(METRIC.requestBytesIn, 'Bytes of request bodies.', ['route']);
    this.bytesOut = this.counter(METRIC.requestBytesOut, 'Bytes of response bodies.', ['route']);
    const delivery = ['instrument', 'supplier'];
    this.deliveryDuration = this.histogram(METRIC.deliveryDuration, 'Duration of deliveries, by outcome.', {
      labels: [...delivery, 'outcome'],
      buckets: REQUEST_BUCKETS,
    });
    this.timeToFirstToken = this.histogram(METRIC.timeToFirstToken, 'Dispatch to first content.', {
      labels: delivery,
      buckets: FIRST_TOKEN_BUCKETS,
    });
    this.timePerOutputToken = this.histogram(METRIC.timePerOutputToken, 'Time per token after the first.', {
      labels: delivery,
      buckets: TOKEN_BUCKETS,
    });
    this.outputTokens = this.counter(METRIC.outputTokens, 'Output tokens delivered.', delivery);
    this.faults = this.counter(METRIC.faults, 'Unexpected exceptions, by place.', ['place']);
    this.systemEvents = this.counter(METRIC.systemEvents, 'Events out of the ordinary, by name.', ['event']);
    this.commits = this.counter(METRIC.sequencerCommits, 'Durable batches of the sequencer.', []);
    this.commands = this.counter(METRIC.sequencerCommands, 'Durable commands of the sequencer.', []);
    this.loopDelay = monitorEventLoopDelay({ resolution: 20 });
    this.loopDelay.enable();
    this.addProcessGauges();
    this.addSourceGauges();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** The exposition text. Reading it starts a new period of event-loop lag. */
  async text(): Promise<string> {
    const text = await this.registry.metrics();
    this.loopDelay.reset();
    return text;
  }

  watch(sources: GaugeSources): void {
    this.sources.push(sources);
  }

  request(event: RequestEvent): void {
    const route = this.routes.of(event.route);
    const statusClass = `${Math.floor(event.httpStatus / 100)}xx`;
    const method = this.methods.of(event.method);
    this.requestDuration.observe({ method, route, status_class: statusClass }, event.durationMs / 1000);
    this.bytesIn.inc({ route }, event.bytesIn);
    this.bytesOut.inc({ route }, event.bytesOut);
    if (event.errorCode !== null) this.requestErrors.inc({ route, code: this.codes.of(event.errorCode) });
  }

  delivery(event: DeliveryEvent): void {
    const instrument = this.instruments.of(event.instrument);
    const supplier = this.suppliers.of(event.supplierId);
    const { ttftMs, outputTokens, durationMs, outcome } = event;
    this.deliveryDuration.observe({ instrument, supplier, outcome }, durationMs / 1000);
    if (ttftMs !== null) this.timeToFirstToken.observe({ instrument, supplier }, ttftMs / 1000);
    if (outputTokens === null) return;
    this.outputTokens.inc({ instrument, supplier }, outputTokens);
    if (ttftMs === null || outputTokens < 2) return;
    const perTokenMs = Math.max(0, durationMs - ttftMs) / (outputTokens - 1);
    this.timePerOutputToken.observe({ instrument, supplier }, perTokenMs / 1000);
  }

  fault(place: string): void {
    this.faults.inc({ place: this.places.of(place.replaceAll(' ', '_')) });
  }

  system(event: string): void {
    this.systemEvents.inc({ event: this.events.of(event) });
  }

  committed(commandCount: number): void {
    this.commits.inc();
    this.commands.inc(commandCount);
  }

  close(): void {
    this.loopDelay.disable();
    this.registry.clear();
  }

  private histogram<Label extends string>(
    name: string,
    help: string,
    shape: { labels: Label[]; buckets: number[] },
  ): Histogram<Label> {
    const { labels: labelNames, buckets } = shape;
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] });
  }

  private counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  /** A gauge that is read when metrics are asked for; `undefined` leaves it out. */
  private gauge(name: string, help: string, read: () => number | undefined): void {
    const registers = [this.registry];
    const gauge = new Gauge({
      name,
      help,
      registers,
      collect: () => {
        const value = read();
        if (value !== undefined) gauge.set(value);
      },
    });
  }

  private addProcessGauges(): void {
    const lag = new Gauge({
      name: METRIC.eventLoopLag,
      help: 'Event-loop lag since the last scrape, by quantile.',
      labelNames: ['quantile'],
      registers: [this.registry],
      collect: () => {
        for (const percent of [50, 99, 100]) {
          const nanoseconds = percent === 100 ? this.loopDelay.max : this.loopDelay.percentile(percent);
          lag.set({ quantile: String(percent / 100) }, nanoseconds / NANOSECONDS);
        }
      },
    });
    this.gauge(METRIC.processMemory, 'Resident memory.', () => process.memoryUsage.rss());
    this.gauge(METRIC.startTime, 'Start of the process, Unix seconds.', () => performance.timeOrigin / 1000);
    this.gauge(METRIC.processCpu, 'CPU time used.', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
  }

  private addSourceGauges(): void {
    const sequencer = () => this.sources.find((source) => source.sequencer)?.sequencer?.();
    this.gauge(METRIC.requestsInFlight, 'Inference requests that were admitted and have not ended.', () =>
      this.sources.find((source) => source.inFlight)?.inFlight?.(),
    );
    this.gauge(METRIC.sockets, 'Open sockets of the Trading surface.', () =>
      this.sources.find((source) => source.sockets)?.sockets?.(),
    );
    this.gauge(METRIC.sequencerQueue, 'Commands that wait for a commit.', () => sequencer()?.queueLength);
    this.gauge(METRIC.sequencerEpoch, 'Epoch of the writer.', () => sequencer()?.epoch);
    this.gauge(METRIC.sequencerIsLeading, '1 while this process is the writer.', () => {
      const status = sequencer();
      return status === undefined ? undefined : Number(status.isLeading);
    });
  }
}
