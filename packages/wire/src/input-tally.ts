import { Buffer } from 'node:buffer';

/** Adds up what an input weighs while it is read. */
export class InputTally {
  textBytes = 0;
  imageCount = 0;

  /** Counts the UTF-8 bytes of a text. */
  text(text: string | undefined): void {
    if (text !== undefined) this.textBytes += Buffer.byteLength(text);
  }

  /** Counts a value by the bytes of its JSON. */
  json(value: unknown): void {
    this.textBytes += Buffer.byteLength(JSON.stringify(value));
  }

  /** Counts an image, whose bytes say nothing about its tokens. */
  image(): void {
    this.imageCount += 1;
  }
}
