/**
 * The wire between the `pg` driver and PGlite: a stream that looks like a socket to the driver and passes the
 * bytes to the worker thread. So one driver, with one way to send values, read rows and report errors, serves
 * both engines; PGlite's own adapter for `pg` needs PGlite on the driver's thread.
 */
import { Duplex } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { type WorkerReply, type WorkerRequest, workerFile } from './worker-protocol.ts';

/** A database that does not close by then is ended as by a crash, which it survives. */
const SHUT_DOWN_LIMIT_MS = 10_000;

interface Chunk {
  readonly chunk: Buffer;
}

type Done = (error?: Error | null) => void;

export class WorkerStream extends Duplex {
  #worker: Worker;
  #ready: Promise<void>;
  #exited: Promise<void>;

  constructor(folder: string) {
    super();
    this.#worker = new Worker(workerFile(), { workerData: { folder }, execArgv: [] });
    this.#ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (reply: WorkerReply) => {
        if (reply.kind === 'ready') resolve();
        else this.#receive(reply, reject);
      });
      this.#worker.once('exit', () => reject(new Error('its thread ended')));
    });
    this.#ready.catch(() => {});
    // The driver listens only while it is connected; before that, `ready` tells what went wrong.
    this.on('error', () => {});
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => resolve());
    });
    this.#worker.once('error', (error) => this.destroy(error));
    this.#worker.once('exit', () => this.destroy());
  }

  /** Resolves when the database has been opened, or created. Rejects with the reason when it could not be. */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Closes the database in good order and ends the thread. */
  async shutDown(): Promise<void> {
    this.#send({ kind: 'close' });
    const timer = setTimeout(() => this.destroy(), SHUT_DOWN_LIMIT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  /** Resolves when the thread has ended, and with it every access to the files. */
  exited(): Promise<void> {
    return this.#exited;
  }

  /** Part of what the driver expects of a socket. */
  connect(): this {
    queueMicrotask(() => this.emit('connect'));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    this.#worker.ref();
    return this;
  }

  unref(): this {
    this.#worker.unref();
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.#send({ kind: 'bytes', bytes: Uint8Array.from(chunk) });
    done();
  }

  /** The driver corks the messages of one statement together: they cross as one. */
  override _writev(chunks: readonly Chunk[], done: Done): void {
    const joined = Buffer.concat(chunks.map(({ chunk }) => chunk));
    this._write(joined, 'buffer', done);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#worker.terminate().then(
      () => done(error),
      () => done(error),
    );
  }

  #receive(reply: WorkerReply, rejectReady: (error: Error) => void): void {
    if (reply.kind === 'bytes') {
      this.push(Buffer.from(reply.bytes.buffer, reply.bytes.byteOffset, reply.bytes.byteLength));
    } else if (reply.kind === 'failed') {
      const error = new Error(reply.reason);
      rejectReady(error);
      this.destroy(error);
    }
  }

  #send(request: WorkerRequest): void {
    if (request.kind === 'bytes') this.#worker.postMessage(request, [request.bytes.buffer as ArrayBuffer]);
    else this.#worker.postMessage(request);
  }
}
