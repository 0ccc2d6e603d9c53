import { createHash, type Hash } from 'node:crypto';

const CAPACITY = 1 << 16;
/** No line is longer: six numbers of sixteen digits and what stands between them. */
const LONGEST_LINE = 128;
const [COMMA, NEWLINE, ZERO] = [44, 10, 48];

/**
 * SHA-256 of lines of numbers, as text: numbers with commas between them, lines with newlines between them. Digits are
 * written straight into bytes, because the text of a whole report would be the most of the work.
 */
export class LineHash {
  private readonly hash: Hash = createHash('sha256');
  private readonly bytes = new Uint8Array(CAPACITY);
  private length = 0;
  private isFirst = true;

  /** Adds a line of non-negative integers. */
  line(numbers: readonly number[]): void {
    if (this.length > CAPACITY - LONGEST_LINE) this.flush();
    if (!this.isFirst) this.append(NEWLINE);
    this.isFirst = false;
    for (let index = 0; index < numbers.length; index += 1) {
      if (index > 0) this.append(COMMA);
      this.digits(numbers[index]!);
    }
  }

  digest(): string {
    this.flush();
    return this.hash.digest('hex');
  }

  private append(byte: number): void {
    this.bytes[this.length] = byte;
    this.length += 1;
  }

  private digits(value: number): void {
    if (value >= 10) this.digits(Math.floor(value / 10));
    this.append(ZERO + (value % 10));
  }

  private flush(): void {
    this.hash.update(this.bytes.subarray(0, this.length));
    this.length = 0;
  }
}
