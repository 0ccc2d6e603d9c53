import { describe, expect, it } from 'vitest';
import { Broadcast } from './broadcast.ts';
import { Outlet } from './outlet.ts';

const MEBIBYTE = 1_048_576;

function outlet() {
  const sent: string[] = [];
  const sink = { bufferedAmount: 0, send: (frame: unknown) => void sent.push(String(frame)) };
  const clock = { nowMs: 0 };
  const out = new Outlet(sink as never, '1.0.0', () => clock.nowMs);
  return { sent, sink, clock, out };
}

describe('what leaves a socket', () => {
  it('keeps what must arrive in its order while the consumer lags, and sends it when there is room', () => {
    const { out, sink, sent } = outlet();
    out.send('1');
    sink.bufferedAmount = MEBIBYTE + 1;
    out.send('2');
    out.send('3');
    expect(sent).toEqual(['1']);
    expect(out.isLagging).toBe(true);
    sink.bufferedAmount = 0;
    // Something waits still, so that nothing may overtake it.
    out.send('4');
    out.drain();
    expect(sent).toEqual(['1', '2', '3', '4']);
    expect(out.isLagging).toBe(false);
  });

  it('lags only above one mebibyte', () => {
    const { out, sink } = outlet();
    sink.bufferedAmount = MEBIBYTE;
    expect(out.isLagging).toBe(false);
    sink.bufferedAmount += 1;
    expect(out.isLagging).toBe(true);
  });

  it('is stuck when something waits for ten seconds, and when too much of it waits', () => {
    const { out, sink, clock } = outlet();
    sink.bufferedAmount = MEBIBYTE + 1;
    expect(out.isStuck).toBe(false);
    out.send('x');
    clock.nowMs = 9_999;
    expect(out.isStuck).toBe(false);
    clock.nowMs = 10_000;
    expect(out.isStuck).toBe(true);
    clock.nowMs = 0;
    expect(out.isStuck).toBe(false);
    for (let count = 0; count < 9; count += 1) out.send('x'.repeat(MEBIBYTE));
    expect(out.isStuck).toBe(true);
  });

  it('sends shared messages as they are', () => {
    const { out, sent } = outlet();
    out.sendShared(new Broadcast('e', (market) => `"${market}"`), 'm');
    expect(sent).toEqual(['{"topic":"ws:trading","event":"e","payload":"m","ref":""}']);
  });
});
