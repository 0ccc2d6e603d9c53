import { Agent } from 'node:http';
import { type RawRequest, type RawResponse, sendRequest, streamRequest } from './client.ts';
import { nowMs, pause } from './clock.ts';

/** A bounded load of chat requests. */
export type LoadOptions = {
  /** Origin of the exchange; a function is asked before every request, so that a restart may move it. */
  url: string | (() => string);
  key: string;
  /** The instrument. */
  model: string;
  /** Requests at a time. Default 8. */
  concurrency?: number;
  /** The load ends after this many requests (default 1,000) … */
  maxRequests?: number;
  /** … or after this time (default 10 s), whichever is first. Requests under way are finished. */
  maxDurationMs?: number;
  /** Default `mixed`: every second request is streamed. */
  form?: 'stream' | 'json' | 'mixed';
  /** Members of the body besides `model`, `stream` and `stream_options`; by default one short message. */
  body?: (index: number) => Record<string, unknown>;
  /** Default 30 s for each request. */
  requestTimeoutMs?: number;
};

/** What became of one request. */
export type LoadResult = {
  index: number;
  form: 'stream' | 'json';
  /** The `x-grid-request-id` header, `null` when no answer began. */
  requestId: string | null;
  /** 0 when no status line arrived. */
  status: number;
  /** A 200 that arrived whole: a JSON body with choices, or a stream with `[DONE]` and no error event. */
  isComplete: boolean;
  /** Node's error code, `timeout`, or `null`. */
  failure: string | null;
  /** `error.code` of an error body or of an error event. */
  errorCode: string | null;
  usage: { inputTokens: number; outputTokens: number; totalTokens: number } | null;
  startedAtMs: number;
  firstByteAtMs: number | null;
  endedAtMs: number;
};

/** A load under way. `results` grows as requests end. */
export type Load = {
  readonly results: readonly LoadResult[];
  /** Resolves with all results when the load is over. Never rejects. */
  readonly finished: Promise<readonly LoadResult[]>;
  /** Starts no more requests, and resolves when those under way have ended. */
  stop(): Promise<readonly LoadResult[]>;
};

// Keeps a load against a dead port from being a busy loop that ends its count at once.
const pauseAfterFailureMs = 20;

/** Starts a load over kept-alive connections, one a worker. */
export function startLoad(options: LoadOptions): Load {
  const concurrency = options.concurrency ?? 8;
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const results: LoadResult[] = [];
  const deadlineMs = nowMs() + (options.maxDurationMs ?? 10_000);
  const maxRequests = options.maxRequests ?? 1000;
  let nextIndex = 0;
  let isStopped = false;
  const work = async () => {
    while (!isStopped && nextIndex < maxRequests && nowMs() < deadlineMs) {
      const result = await sendChat(options, { agent, index: nextIndex++ });
      results.push(result);
      if (result.status === 0) await pause(pauseAfterFailureMs);
    }
  };
  const finished = Promise.all(Array.from({ length: concurrency }, work)).then(() => {
    agent.destroy();
    return results;
  });
  return {
    results,
    finished,
    stop: () => {
      isStopped = true;
      return finished;
    },
  };
}

async function sendChat(options: LoadOptions, turn: { agent: Agent; index: number }): Promise<LoadResult> {
  const { agent, index } = turn;
  const form = options.form === 'mixed' || options.form === undefined ? formOf(index) : options.form;
  const origin = typeof options.url === 'function' ? options.url() : options.url;
  const content = `Tell me a short story, number ${index}.`;
  const request: RawRequest = {
    url: `${origin}/v1/chat/completions`,
    key: options.key,
    agent,
    timeoutMs: options.requestTimeoutMs ?? 30_000,
    body: {
      model: options.model,
      ...(options.body?.(index) ?? { messages: [{ role: 'user', content }] }),
      ...(form === 'stream' ? { stream: true, stream_options: { include_usage: true } } : {}),
    },
  };
  return { index, form, ...(form === 'stream' ? await streamed(request) : await whole(request)) };
}

function formOf(index: number): 'stream' | 'json' {
  return index % 2 === 0 ? 'stream' : 'json';
}

type Outcome = Omit<LoadResult, 'index' | 'form'>;

async function whole(request: RawRequest): Promise<Outcome> {
  const response = await sendRequest(request);
  const answer = response.json as Answer | undefined;
  const isComplete = response.status === 200 && response.isComplete && Array.isArray(answer?.choices);
  return { ...common(response), isComplete, ...tokensAndError([answer]) };
}

async function streamed(request: RawRequest): Promise<Outcome> {
  const response = await streamRequest(request);
  const answers = (response.sse.events.length > 0 ? response.sse.chunks : [response.json]) as Answer[];
  const end = tokensAndError(answers);
  const isWhole = response.status === 200 && response.isComplete && response.sse.sawDone;
  return { ...common(response), isComplete: isWhole && end.errorCode === null, ...end };
}

function common(response: RawResponse) {
  const requestId = response.headers['x-grid-request-id'];
  return {
    requestId: typeof requestId === 'string' ? requestId : null,
    status: response.status,
    failure: response.failure,
    startedAtMs: response.startedAtMs,
    firstByteAtMs: response.firstByteAtMs,
    endedAtMs: response.endedAtMs,
  };
}

type Answer = {
  choices?: unknown;
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number } | null;
  error?: { code?: unknown };
} | null;

function tokensAndError(answers: readonly (Answer | undefined)[]): Pick<LoadResult, 'usage' | 'errorCode'> {
  const usage = answers.findLast((answer) => answer?.usage)?.usage;
  const error = answers.find((answer) => answer?.error)?.error;
  return {
    usage: usage
      ? {
          inputTokens: usage.prompt_tokens,
          outputTokens: usage.completion_tokens,
          totalTokens: usage.total_tokens,
        }
      : null,
    errorCode: error === undefined ? null : String(error.code ?? 'unknown'),
  };
}

/** How many requests ended with each status, for a message when a test fails. */
export function countByStatus(results: readonly LoadResult[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { status } of results) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts;
}
