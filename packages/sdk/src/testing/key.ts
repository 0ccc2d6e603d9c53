import { createPrivateKey, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Signer, signerFromKey } from '../signing/signer.ts';
import type { Received } from './scripted-server.ts';

/** Seed of the key that tests sign with: the bytes 0 to 31. */
export const testSeed = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';

const publicKey: KeyObject = createPublicKey(
  createPrivateKey({
    key: Buffer.concat([
      Buffer.from('302e020100300506032b657004220420', 'hex'),
      Buffer.from(testSeed, 'base64'),
    ]),
    format: 'der',
    type: 'pkcs8',
  }),
);

export const testSigner = (): Promise<Signer> => signerFromKey(testSeed);

/** Whether a signature in base64 is the test key's over the text. */
export const isSigned = (text: string, signature: unknown): boolean =>
  verify(null, Buffer.from(text), publicKey, Buffer.from(String(signature), 'base64'));

/** Whether a request carries a signature of scheme 1 over exactly what arrived. */
export const hasSignature = ({ method, url, headers, body }: Received): boolean => {
  const timestamp = String(headers['x-thegrid-timestamp']);
  const text = `${timestamp}${method}${url.split('?')[0]}${body}`;
  return isSigned(text, headers['x-thegrid-signature']);
};
