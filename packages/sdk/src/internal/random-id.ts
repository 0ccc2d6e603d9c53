/** 32 random characters of `0-9a-f`. Not `randomUUID`, which browsers have on HTTPS and localhost only. */
export const randomId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
