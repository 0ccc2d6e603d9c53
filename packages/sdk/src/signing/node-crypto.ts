/** The part of `node:crypto` that signing uses, so that this package's types need none of Node's. */
type CryptoModule = {
  createPrivateKey(input: { key: Uint8Array; format: 'der'; type: 'pkcs8' }): object;
  sign(algorithm: null, data: Uint8Array, key: object): Uint8Array;
};

type Runtime = { getBuiltinModule?: (name: string) => unknown };

/**
 * Node's own signing, which takes about 60 % of WebCrypto's processor time for a request, because it does not leave the
 * thread. It is asked for at run time rather than imported, so that a browser bundle holds no trace of it.
 */
export const nodeCrypto = ():
  | { signerOf: (pkcs8: Uint8Array) => (message: Uint8Array) => Uint8Array }
  | undefined => {
  const runtime = (globalThis as { process?: Runtime }).process;
  const module = runtime?.getBuiltinModule?.('node:crypto') as CryptoModule | undefined;
  if (module === undefined) return undefined;
  const signerOf = (pkcs8: Uint8Array) => {
    const key = module.createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
    return (message: Uint8Array): Uint8Array => new Uint8Array(module.sign(null, message, key));
  };
  return { signerOf };
};
