import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { collectRoutes } from '../../http/mounted.ts';
import { openApiDocument } from './document.ts';

/** Everything comes from our own origin. The reader writes style elements, so styles may be inline; scripts may not. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>OpenGrid API</title><link rel="icon" href="/favicon.svg"></head>
<body><div id="reference"></div><noscript>The document is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/reference/scalar.js"></script><script src="/reference/start.js"></script></body></html>
`;

/** No fonts, no proxy, no analytics and no assistant of the reader's makers: nothing leaves this origin. */
const START = `Scalar.createApiReference('#reference', {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  showDeveloperTools: 'never',
  hideClientButton: true,
  documentDownloadType: 'json',
});
`;

function readerScript(): string {
  const main = createRequire(import.meta.url).resolve('@scalar/fastify-api-reference');
  return readFileSync(join(dirname(main), 'js', 'standalone.js'), 'utf8');
}

function hardened(reply: FastifyReply): FastifyReply {
  return reply
    .header('content-security-policy', CONTENT_SECURITY_POLICY)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cross-origin-opener-policy', 'same-origin')
    .header('x-frame-options', 'DENY')
    .header('cache-control', 'public, max-age=3600');
}

/**
 * Serves the document at `/openapi.json` and, to read, at `/reference`. It tells what is mounted after this call, so it
 * comes before the rooms. Document and reader are made when they are first asked for.
 */
export function registerReference(app: FastifyInstance, { version }: { version: string }): void {
  const routes = collectRoutes(app);
  let document: string | undefined;
  app.get('/openapi.json', { config: { route: '/openapi.json' } }, (_request, reply) => {
    document ??= JSON.stringify(openApiDocument(routes(), version));
    return reply.type('application/json; charset=utf-8').header('cache-control', 'max-age=60').send(document);
  });
  app.get('/reference', { config: { route: '/reference' } }, (_request, reply) =>
    hardened(reply).type('text/html; charset=utf-8').send(PAGE),
  );
  let reader: string | undefined;
  app.get('/reference/scalar.js', { config: { route: '/reference/scalar.js' } }, (_request, reply) => {
    reader ??= readerScript();
    return hardened(reply).type('text/javascript; charset=utf-8').send(reader);
  });
  app.get('/reference/start.js', { config: { route: '/reference/start.js' } }, (_request, reply) =>
    hardened(reply).type('text/javascript; charset=utf-8').send(START),
  );
}
