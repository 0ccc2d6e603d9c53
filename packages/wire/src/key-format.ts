const PREFIX = 'sk-or-v1-';
const RANDOM_HEX_LENGTH = 56;
const BODY_LENGTH = PREFIX.length + RANDOM_HEX_LENGTH;
const KEY = /^sk-or-v1-[0-9a-f]{64}$/;

/** How many characters of a key may be stored and shown: the prefix and 8 random digits. */
export const KEY_PREFIX_LENGTH = 17;

function crcTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
    }
    table[byte] = remainder;
  }
  return table;
}

const CRC_TABLE = crcTable();

/** CRC-32 (IEEE) of the characters of an ASCII text, as 8 lower-case hex digits. */
export function crc32Hex(ascii: string): string {
  let crc = 0xffffffff;
  for (let index = 0; index < ascii.length; index += 1) {
    crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ ascii.charCodeAt(index)) & 0xff] ?? 0);
  }
  return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0');
}

/**
 * Makes a consumption key.
 *
 * @param randomHex 28 bytes from a secure source as 56 lower-case hex characters.
 * @throws RangeError when it is not that.
 */
export function formatConsumptionKey(randomHex: string): string {
  if (!/^[0-9a-f]{56}$/.test(randomHex)) throw new RangeError('a key takes 28 bytes as lower-case hex');
  const body = PREFIX + randomHex;
  return body + crc32Hex(body);
}

/**
 * Whether a text has the pattern and the checksum of a consumption key. A typing mistake is refused here
 * without touching storage. All characters of the checksum are compared, whichever differ.
 */
export function isWellFormedConsumptionKey(text: string): boolean {
  if (!KEY.test(text)) return false;
  const expected = crc32Hex(text.slice(0, BODY_LENGTH));
  let difference = 0;
  for (let index = 0; index < expected.length; index += 1) {
    difference |= expected.charCodeAt(index) ^ text.charCodeAt(BODY_LENGTH + index);
  }
  return difference === 0;
}

/** The part of a key that may be kept and shown: its first 17 characters. */
export function keyPrefixOf(key: string): string {
  return key.slice(0, KEY_PREFIX_LENGTH);
}
