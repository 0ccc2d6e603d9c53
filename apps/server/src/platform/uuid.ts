import { createHash } from 'node:crypto';

/** The URL namespace of RFC 9562. */
const URL_NAMESPACE = Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex');

/** UUID version 5 (SHA-1) of a text in the URL namespace: the same text gives the same uuid everywhere. */
export function uuidOfUrl(text: string): string {
  const hash = createHash('sha1').update(URL_NAMESPACE).update(text, 'utf8').digest().subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** `instrument-<uuid>` of a symbol. */
export function instrumentIdOf(symbol: string): string {
  return `instrument-${uuidOfUrl(`opengrid:instrument:${symbol}`)}`;
}

/** `market-<uuid>` of a symbol. */
export function marketIdOf(symbol: string): string {
  return `market-${uuidOfUrl(`opengrid:market:${symbol}`)}`;
}
