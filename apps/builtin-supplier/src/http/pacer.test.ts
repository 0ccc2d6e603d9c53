import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pacer } from './pacer.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const never = new AbortController().signal;

/** Sends `tokens` one by one, every timer `lateMs` too late, and returns when the last was sent. */
async function run(pacer: Pacer, tokens: number, lateMs: number): Promise<number> {
  const startMs = performance.now();
  for (let sent = 0; sent < tokens; ) {
    if (pacer.mustPause()) {
      const pause = pacer.pause(never);
      await vi.advanceTimersToNextTimerAsync();
      await pause;
      vi.advanceTimersByTime(lateMs);
    } else {
      pacer.advance(1);
      sent++;
    }
  }
  return performance.now() - startMs;
}

describe('the pace of a stream', () => {
  it('lets the first token pass at once', () => {
    expect(new Pacer(1).mustPause()).toBe(false);
  });

  it('keeps to the tokens a second, without adding up late timers', async () => {
    expect(await run(new Pacer(100), 1_001, 0)).toBeCloseTo(10_000, -1.5);
    expect(await run(new Pacer(100), 1_001, 7)).toBeCloseTo(10_000, -1.5);
  });

  it('stops waiting when the client leaves', async () => {
    const leaving = new AbortController();
    const pacer = new Pacer(0.001);
    pacer.advance(1);
    const pause = pacer.pause(leaving.signal);
    leaving.abort();
    await pause;
    expect(vi.getTimerCount()).toBe(0);
    await pacer.pause(leaving.signal);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('takes turns when there is no pace', () => {
    const pacer = new Pacer(0);
    for (let sent = 0; sent < 63; sent++) pacer.advance(1);
    expect(pacer.mustPause()).toBe(false);
    pacer.advance(1);
    expect(pacer.mustPause()).toBe(true);
  });
});
