/** One finished request of any surface. Only these fields can be logged; none can hold content. */
export interface RequestEvent {
  readonly requestId: string;
  readonly method: string;
  /** Route template, such as `/v1/usage/:requestId`; never the path as sent. */
  readonly route: string;
  readonly httpStatus: number;
  readonly errorCode: string | null;
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly accountNumber: number | null;
  readonly keyId: string | null;
}

/** One attempt to have a supplier answer. */
export interface DeliveryEvent {
  readonly requestId: string;
  readonly endpointId: string;
  readonly supplierId: string;
  readonly instrument: string;
  readonly outcome: 'completed' | 'client_gone' | 'supplier_error' | 'timeout' | 'gateway_error';
  readonly upstreamStatus: number | null;
  readonly ttftMs: number | null;
  readonly outputTokens: number | null;
  readonly durationMs: number;
}

/** Something out of the ordinary in the program itself: a failed commit, a refused settlement. Numbers and words only. */
export interface SystemEvent {
  readonly event: string;
  readonly fields?: Readonly<Record<string, number | string | boolean>>;
}

/** The only way to log, count or trace. */
export interface Telemetry {
  request(event: RequestEvent): void;
  delivery(event: DeliveryEvent): void;
  system(event: SystemEvent): void;
  /** An unexpected exception: its class name and the stack frames of our own files, never its message. */
  fault(where: string, error: unknown): void;
}
