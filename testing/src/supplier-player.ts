import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { constants, createGzip, type Gzip } from 'node:zlib';
import { pause } from './clock.ts';
import type { CapturedRequest, Hold, Step } from './supplier-behaviour.ts';

/** What the player needs besides its steps. */
export type Stage = {
  request: CapturedRequest;
  response: ServerResponse;
  socket: Socket;
  /** Fires when the peer leaves or the double closes. */
  signal: AbortSignal;
  /** Resolves when the hold opens; the player also stops waiting when the signal fires. */
  opened: (hold: Hold) => Promise<unknown>;
  /** Called before the double breaks its own answer off. */
  cutting: () => void;
};

/**
 * Does the steps one after the other. Writes that no wait separates leave the process in one system call,
 * which is what makes an unpaced stream cheap.
 */
export async function play(steps: Iterable<Step>, stage: Stage): Promise<void> {
  const { response, signal, socket } = stage;
  let gzip: Gzip | undefined;
  socket.cork();
  for (const step of steps) {
    if (signal.aborted) break;
    if (step.do === 'head') {
      response.writeHead(step.status, step.headers);
      if (step.headers['content-encoding'] === 'gzip') gzip = compressInto(response);
    } else if (step.do === 'write') {
      await write(step.bytes, stage, gzip);
      if (response.writableNeedDrain) await drained(stage);
    } else if (step.do === 'finish') {
      if (step.how === 'end' && gzip !== undefined) await finishGzip(gzip);
      await finish(step.how, stage);
    } else {
      uncork(stage);
      if (step.do === 'wait') await pauseOrTurn(step.durationMs, signal);
      else await Promise.race([stage.opened(step.until), aborted(signal)]);
      socket.cork();
    }
  }
  while (socket.writableCorked > 0) socket.uncork();
}

/** A pause of no length still gives the socket a turn of the loop, so that the write becomes a packet. */
async function pauseOrTurn(durationMs: number, signal: AbortSignal): Promise<void> {
  if (durationMs > 0) await pause(durationMs, signal);
  else await new Promise((resolve) => setImmediate(resolve));
}

/** A head that was written but not sent goes out too: whoever waits after the head wants it to be seen. */
function uncork({ response, socket }: Stage): void {
  if (response.headersSent && !response.writableEnded) response.flushHeaders();
  while (socket.writableCorked > 0) socket.uncork();
}

async function write(bytes: Buffer, { request, response, socket }: Stage, gzip?: Gzip): Promise<void> {
  request.writeCount += 1;
  if (!response.headersSent) socket.write(bytes);
  else if (gzip === undefined) response.write(bytes);
  else {
    gzip.write(bytes);
    await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve));
  }
}

function compressInto(response: ServerResponse): Gzip {
  const gzip = createGzip();
  gzip.on('data', (compressed: Buffer) => response.write(compressed));
  return gzip;
}

async function finishGzip(gzip: Gzip): Promise<void> {
  const ended = once(gzip, 'end');
  gzip.end();
  await ended;
}

async function drained(stage: Stage): Promise<void> {
  uncork(stage);
  await once(stage.response, 'drain', { signal: stage.signal }).catch(() => undefined);
  stage.socket.cork();
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function finish(how: 'end' | 'reset' | 'half-close' | 'stall', stage: Stage): Promise<void> {
  const { response, socket, signal } = stage;
  if (how === 'end') {
    response.end();
    return;
  }
  uncork(stage);
  if (how === 'stall') {
    await aborted(signal);
    return;
  }
  stage.cutting();
  // A reset throws away what the kernel has not sent yet, so what was written gets a moment to leave first.
  if (how === 'reset') {
    await pause(response.headersSent ? 20 : 0, signal);
    socket.resetAndDestroy();
  } else socket.end();
}
