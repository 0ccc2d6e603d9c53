const CAPACITY = 1 << 16;
/** No line is longer: six numbers of sixteen digits and what stands between them. */
const LONGEST_LINE = 128;
const [COMMA, NEWLINE, ZERO] = [44, 10, 48];

/** What computes the hash; the caller brings it, because this package depends on nothing. */
interface ByteHash {
  update(bytes: Uint8Array): unknown;
  digest(encoding: 'hex'): string;
}

/**
 * A hash of lines of numbers, as text: numbers with commas between them, lines with newlines between them. Digits are
 * written straight into bytes, because the text of a whole report would be the most of the work.
 */
export class LineHash {
  private readonly hash: ByteHash;
  private readonly bytes = new Uint8Array(CAPACITY);
  private length = 0;
  private isFirst = true;

  constructor(hash: ByteHash) {
    this.hash = hash;
  }

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
    if (value >= 2 ** 31) {
      this.digits(Math.floor(value / 1e9));
      this.padded(value % 1e9, 9);
      return;
    }
    let width = 1;
    for (let limit = 10; limit <= value; limit *= 10) width += 1;
    this.padded(value, width);
  }

  /** Writes digits from the last to the first, in 32-bit arithmetic. */
  private padded(value: number, width: number): void {
    let left = value | 0;
    for (let at = this.length + width - 1; at >= this.length; at -= 1) {
      const rest = (left / 10) | 0;
      this.bytes[at] = ZERO + left - rest * 10;
      left = rest;
    }
    this.length += width;
  }

  private flush(): void {
    this.hash.update(this.bytes.subarray(0, this.length));
    this.length = 0;
  }
}
