/** Virtual time for the simulation of the sequencer. Nothing of the program imports this folder. */
import { AsyncLocalStorage } from 'node:async_hooks';

/** Numbers from 0 to below 1 that follow from the seed (mulberry32). */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.between(0, choices.length - 1)]!;
  }
}

type Work = () => void;

/** What a timer or an answer belongs to: it never comes to a process that is dead, and waits for one that is frozen. */
export class SimulatedProcess {
  private state: 'running' | 'frozen' | 'dead' = 'running';
  private held: Work[] = [];
  private readonly whenDead: Promise<void>;
  private tellDead!: Work;
  /** How far its clock is from the others'. */
  skewMs = 0;

  constructor() {
    this.whenDead = new Promise((resolve) => {
      this.tellDead = resolve;
    });
  }

  get isDead(): boolean {
    return this.state === 'dead';
  }

  get isRunning(): boolean {
    return this.state === 'running';
  }

  /** Runs `work` as this process; whatever it sets in motion belongs to the process, too. */
  run(work: Work): void {
    if (this.state === 'running') owner.run(this, work);
    else if (this.state === 'frozen') this.held.push(work);
  }

  /** Resolves to undefined when the process dies before `promise` settles. */
  until<T>(promise: Promise<T>): Promise<T | undefined> {
    return Promise.race([promise, this.whenDead as Promise<undefined>]);
  }

  freeze(): void {
    if (this.state === 'running') this.state = 'frozen';
  }

  thaw(): void {
    if (this.state !== 'frozen') return;
    this.state = 'running';
    for (const work of this.held.splice(0)) this.run(work);
  }

  die(): void {
    this.state = 'dead';
    this.held = [];
    this.tellDead();
  }
}

const owner = new AsyncLocalStorage<SimulatedProcess>();

interface Due {
  readonly atMs: number;
  readonly work: Work;
}

const START_MS = 1_800_000_000_000;

/** Runs what is due in the order of virtual time; what is due at once runs in the order in which it was asked for. */
export class Schedule {
  nowMs = START_MS;
  private due: Due[] = [];
  private readonly outside = new Set<Promise<unknown>>();

  at(delayMs: number, work: Work): Due {
    const due = { atMs: this.nowMs + Math.max(0, delayMs), work };
    const index = this.due.findLastIndex((other) => other.atMs <= due.atMs);
    this.due.splice(index + 1, 0, due);
    return due;
  }

  cancel(due: unknown): void {
    this.due = this.due.filter((other) => other !== due);
  }

  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.at(delayMs, resolve));
  }

  /** Time stands still until `promise`, which is about the real world, has settled. */
  hold<T>(promise: Promise<T>): Promise<T> {
    const settled: Promise<void> = promise.then(
      () => void this.outside.delete(settled),
      () => void this.outside.delete(settled),
    );
    this.outside.add(settled);
    return promise;
  }

  /** Runs until `isOver`. Throws where nothing is left to happen, or when it takes too much virtual time. */
  async runUntil(isOver: () => boolean, limitMs: number): Promise<void> {
    const deadlineMs = this.nowMs + limitMs;
    const putBack = this.takeTimers();
    try {
      await settle();
      while (!isOver()) {
        const next = this.due.shift();
        if (next === undefined) throw new Error('simulation: nothing is left to happen');
        if (next.atMs > deadlineMs) throw new Error(`simulation: not over after ${limitMs} ms`);
        this.nowMs = next.atMs;
        next.work();
        await settle();
        while (this.outside.size > 0) {
          await Promise.all(this.outside);
          await settle();
        }
      }
    } finally {
      putBack();
    }
  }

  /** Runs until `work` has ended, and returns what it led to. */
  async complete<T>(work: Promise<T>, limitMs: number): Promise<T> {
    let isOver = false;
    const end = (): void => {
      isOver = true;
    };
    work.then(end, end);
    await this.runUntil(() => isOver, limitMs);
    return work;
  }

  /** Timers that a simulated process sets run in virtual time; those of everybody else stay what they are. */
  private takeTimers(): Work {
    const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
    const set = (work: Work, delayMs = 0): unknown => {
      const process = owner.getStore();
      if (process === undefined) return real.setTimeout(work, delayMs);
      return Object.assign(
        this.at(delayMs, () => process.run(work)),
        { unref: () => {} },
      );
    };
    const clear = (timer: unknown): void => {
      this.cancel(timer);
      real.clearTimeout(timer as NodeJS.Timeout);
    };
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
    return () => Object.assign(globalThis, real);
  }
}

const { setImmediate: soon } = globalThis;

/** Lets every continuation of what has just happened run. */
function settle(): Promise<void> {
  return new Promise((resolve) => soon(resolve));
}
