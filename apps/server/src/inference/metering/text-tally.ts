import { Buffer } from 'node:buffer';
import { Content, DEFAULT_BYTES_PER_TOKEN } from '@opengrid/wire';

/**
 * Counts the output of one answer while it passes: cheaply by bytes, and keeping the pieces (as long as the request lives)
 * so that the tokenizer can count them where money depends on it.
 */
export class TextTally {
  private readonly pieces: string[] = [];
  private bytes = 0;
  /** Tokens and bytes of the last exact count; what came later is estimated on top. */
  private counted = { tokens: 0, bytes: 0 };

  /** How much is kept. */
  get byteLength(): number {
    return this.bytes;
  }

  /** Estimated tokens of everything added. */
  get tokens(): number {
    return this.estimate(this.bytes);
  }

  /** What {@link tokens} would be with this text. */
  tokensWith(text: string): number {
    return this.estimate(this.bytes + Buffer.byteLength(text));
  }

  add(text: string): void {
    if (text === '') return;
    this.pieces.push(text);
    this.bytes += Buffer.byteLength(text);
  }

  /** Corrects the estimate: all that has been added so far is this many tokens. */
  calibrate(tokens: number): void {
    this.counted = { tokens, bytes: this.bytes };
  }

  get text(): Content<string> {
    return Content.of(this.pieces.join(''));
  }

  private estimate(bytes: number): number {
    return this.counted.tokens + Math.ceil((bytes - this.counted.bytes) / DEFAULT_BYTES_PER_TOKEN);
  }
}
