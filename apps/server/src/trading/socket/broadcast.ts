import { encodePush, type FrameVersion } from './frames.ts';

/** A message for many sockets, serialised once per frame version and spelling of the market. */
export class Broadcast {
  private readonly event: string;
  private readonly payloadFor: (spelling: string) => string;
  private readonly frames = new Map<string, Buffer>();

  /** @param payloadFor gives the payload as JSON text, with the market as a subscriber spelled it. */
  constructor(event: string, payloadFor: (spelling: string) => string) {
    this.event = event;
    this.payloadFor = payloadFor;
  }

  frameFor(version: FrameVersion, spelling = ''): Buffer {
    const key = `${version} ${spelling}`;
    let frame = this.frames.get(key);
    if (frame === undefined) {
      frame = Buffer.from(encodePush(version, this.event, this.payloadFor(spelling)));
      this.frames.set(key, frame);
    }
    return frame;
  }
}
