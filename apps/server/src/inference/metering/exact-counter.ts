import { Worker } from 'node:worker_threads';
import type { Content } from '@opengrid/wire';
import { openContent } from '@opengrid/wire/content';
import type { CountQuestion, CountReply } from './count-protocol.ts';

/** Counts tokens with a real tokenizer. */
export interface ExactCounter {
  /** Tokens of a text; undefined when the count is not to be had in time. Then the estimate has to do. */
  count(text: Content<string>): Promise<number | undefined>;
  close(): Promise<void>;
}

type Settle = (tokens: number | undefined) => void;

/** Longer texts are not copied to the thread: over such lengths the estimate is as good. */
const LONGEST_TEXT = 1024 * 1024;

/** Runs the tokenizer in a thread of its own, started with the first question, so that it never holds up a stream. */
export class WorkerCounter implements ExactCounter {
  private readonly timeoutMs: number;
  private readonly waiting = new Map<number, Settle>();
  private worker: Worker | undefined;
  private isBroken = false;
  /** It has answered before, so slowness is the question's fault and not that of loading the vocabulary. */
  private isWarm = false;
  private lastId = 0;

  constructor(options: { timeoutMs: number }) {
    this.timeoutMs = options.timeoutMs;
  }

  count(text: Content<string>): Promise<number | undefined> {
    const opened = openContent(text);
    if (opened === '') return Promise.resolve(0);
    if (opened.length > LONGEST_TEXT) return Promise.resolve(undefined);
    const worker = this.start();
    if (worker === undefined) return Promise.resolve(undefined);
    this.lastId += 1;
    const question: CountQuestion = { id: this.lastId, text: opened };
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.giveUp(question.id), this.timeoutMs);
      this.waiting.set(question.id, (tokens) => {
        clearTimeout(timer);
        resolve(tokens);
      });
      worker.postMessage(question);
    });
  }

  async close(): Promise<void> {
    this.isBroken = true;
    await this.worker?.terminate();
  }

  private start(): Worker | undefined {
    if (this.isBroken || this.worker !== undefined) return this.worker;
    const worker = new Worker(builtFile(new URL('./count-worker.ts', import.meta.url)));
    worker.unref();
    worker.on('message', ({ id, tokens }: CountReply) => {
      this.isWarm = true;
      this.settle(id, tokens);
    });
    // Estimates are good enough to go on with; a broken thread must not break requests.
    worker.on('error', () => {
      this.isBroken = true;
      this.abandon(worker);
    });
    worker.on('exit', () => this.abandon(worker));
    this.worker = worker;
    return worker;
  }

  /** Some texts take the tokenizer for ever: the thread that chews on one is replaced by the next question. */
  private giveUp(id: number): void {
    this.settle(id, undefined);
    const worker = this.worker;
    if (!this.isWarm || worker === undefined) return;
    this.abandon(worker);
    void worker.terminate();
  }

  private abandon(worker: Worker): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    this.isWarm = false;
    for (const id of [...this.waiting.keys()]) this.settle(id, undefined);
  }

  private settle(id: number, tokens: number | undefined): void {
    this.waiting.get(id)?.(tokens);
    this.waiting.delete(id);
  }
}

/** Threads run the built file, also when the program itself runs from source. */
function builtFile(source: URL): URL {
  return new URL(source.href.replace('/src/', '/dist/').replace(/\.ts$/, '.js'));
}
