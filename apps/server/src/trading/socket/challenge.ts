import { randomBytes } from 'node:crypto';
import type { Challenge } from './authentication.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const LENGTH = 16;
const LIFETIME_MS = 60_000;

/** 80 random bits as 16 characters. */
export function newChallenge(nowMs: number): Challenge {
  let text = '';
  for (const byte of randomBytes(LENGTH)) text += ALPHABET[byte & 31];
  return { text, expiresAtMs: nowMs + LIFETIME_MS };
}
