import type { FastifyRequest } from 'fastify';
import type { Caller } from '../../ports/identity.ts';

/** What is known of one HTTP request of this surface, for its headers and its line in the log. */
export interface GridContext {
  /** `req_<ulid>`, also the receipt id of an inference request. */
  requestId: string;
  /** Whose shapes the client of this route reads. */
  readonly shape: 'openai' | 'anthropic';
  readonly receivedAtMs: number;
  readonly startedAt: number;
  /** Sent with whatever answer the request gets. */
  readonly headers: Record<string, string>;
  caller: Caller | null;
  errorCode: string | null;
  bytesIn: number;
  bytesOut: number;
}

const CONTEXT = Symbol('grid context');

export function attachContext(request: FastifyRequest, context: GridContext): void {
  (request as { [CONTEXT]?: GridContext })[CONTEXT] = context;
}

/** Whether the request came as far as this surface. One that the application refused before has no context. */
export function hasContext(request: FastifyRequest): boolean {
  return (request as { [CONTEXT]?: GridContext })[CONTEXT] !== undefined;
}

/** The context of a request of this surface. Throws for any other. */
export function contextOf(request: FastifyRequest): GridContext {
  const context = (request as { [CONTEXT]?: GridContext })[CONTEXT];
  if (context === undefined) throw new Error('the request did not pass the first hook of this surface');
  return context;
}

/** Both hops of one request carry one id, which is that of its receipt. */
export function adoptRequestId(context: GridContext, requestId: string): void {
  context.requestId = requestId;
  context.headers['x-grid-request-id'] = requestId;
  context.headers['x-request-id'] = requestId;
  if (context.shape === 'anthropic') context.headers['request-id'] = requestId;
}
