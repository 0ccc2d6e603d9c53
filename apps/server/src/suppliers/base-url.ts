import { type GridError, gridError } from '@opengrid/wire';

const MIN_PORT = 1024;
const MAX_LENGTH = 300;

export type BaseUrl =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly error: GridError };

function refused(message: string): BaseUrl {
  return {
    ok: false,
    error: gridError('validation_failed', {
      param: 'base_url',
      message: `base_url ${message}.`,
      fields: { base_url: [message] },
    }),
  };
}

/**
 * Checks the address of an endpoint and returns it without a trailing slash. Suppliers on private or loopback addresses,
 * and plain http, are allowed only where the operator said so; what a host name resolves to is checked again at every
 * connection.
 */
export function parseBaseUrl(text: string, { allowPrivate }: { allowPrivate: boolean }): BaseUrl {
  if (text.length > MAX_LENGTH || !URL.canParse(text)) return refused('is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:'))
    return refused('must use https');
  if (url.username !== '' || url.password !== '') return refused('must not carry a user name or a password');
  if (url.search !== '' || url.hash !== '') return refused('must not have a query or a fragment');
  const port = url.port === '' ? undefined : Number(url.port);
  const isPortRight = port === undefined || port === 443 || (allowPrivate && port === 80) || port >= MIN_PORT;
  if (!isPortRight) return refused('must use port 443 or one from 1024 to 65535');
  return { ok: true, value: `${url.origin}${url.pathname.replace(/\/+$/, '')}` };
}
