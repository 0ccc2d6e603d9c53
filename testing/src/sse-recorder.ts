import { StringDecoder } from 'node:string_decoder';

/** One event of a stream as it was received; `name` is `null` without an `event:` line. */
export type RecordedEvent = { name: string | null; data: string; json: unknown; atMs: number };

/**
 * Reads Server-Sent Events strictly enough to catch a relay that bends them: data lines are joined by a line
 * feed, comments are kept, CRLF and any cut are understood, an event that its blank line never ended is not
 * an event.
 */
export class SseRecorder {
  readonly events: RecordedEvent[] = [];
  readonly comments: string[] = [];
  /** Lines that are not of the form `data: {…}` with one space, which some clients insist on. */
  readonly oddLines: string[] = [];
  #decoder = new StringDecoder('utf8');
  #pending = '';
  #data: string[] = [];
  #name: string | null = null;
  #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes the next bytes of the body. */
  push(bytes: Buffer): void {
    this.#pending += this.#decoder.write(bytes);
    for (;;) {
      const at = this.#pending.indexOf('\n');
      if (at < 0) return;
      const line = this.#pending.slice(0, at);
      this.#pending = this.#pending.slice(at + 1);
      this.#line(line.endsWith('\r') ? line.slice(0, -1) : line);
    }
  }

  /** Whether `data: [DONE]` arrived as an event of its own. */
  get sawDone(): boolean {
    return this.events.some((event) => event.data === '[DONE]');
  }

  /** What came after the last complete event; not empty when a stream was cut inside one. */
  get unfinished(): string {
    return this.#data.join('\n') + this.#pending;
  }

  /** The parsed `chat.completion.chunk` objects. */
  get chunks(): unknown[] {
    return this.events.filter((event) => event.json !== undefined).map((event) => event.json);
  }

  /** The concatenated `choices[0].delta.content`. */
  get text(): string {
    return this.chunks.map((chunk) => deltaContent(chunk)).join('');
  }

  #line(line: string): void {
    if (line === '') this.#dispatch();
    else if (line.startsWith(':')) this.comments.push(line.slice(1).trim());
    else if (line.startsWith('data:')) {
      this.#data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
      if (!/^data: \S/.test(line)) this.oddLines.push(line);
    } else {
      if (line.startsWith('event:')) this.#name = line.slice(6).trim();
      this.oddLines.push(line);
    }
  }

  #dispatch(): void {
    if (this.#data.length > 0) {
      const data = this.#data.join('\n');
      this.events.push({ name: this.#name, data, json: parse(data), atMs: this.#now() });
    }
    this.#data = [];
    this.#name = null;
  }
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

function deltaContent(chunk: unknown): string {
  const choices = (chunk as { choices?: { delta?: { content?: unknown } }[] } | null)?.choices;
  const content = Array.isArray(choices) ? choices[0]?.delta?.content : undefined;
  return typeof content === 'string' ? content : '';
}
