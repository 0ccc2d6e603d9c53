import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** Where the built page lies, from `src` and from `dist` alike. */
const PAGE_FOLDER = fileURLToPath(new URL('../../../dashboard/dist/', import.meta.url));

/** No inline script, no other origin, no framing. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const BEING_BUILT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="2"><title>OpenGrid</title></head>
<body><h1>OpenGrid</h1><p>The page is being built and appears here in a few seconds. The API is ready.</p></body></html>
`;

function setPageHeaders(reply: FastifyReply): FastifyReply {
  return reply
    .header('content-security-policy', CONTENT_SECURITY_POLICY)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cross-origin-opener-policy', 'same-origin')
    .header('x-frame-options', 'DENY');
}

/** Serves the dashboard at `/`. While it is still being built, a page that says so and looks again. */
export function registerPage(app: FastifyInstance, folder = PAGE_FOLDER): void {
  void app.register(fastifyStatic, { root: folder, serve: false });
  app.get('/', { config: { route: '/' } }, (_request, reply) => {
    setPageHeaders(reply).header('cache-control', 'no-cache');
    if (existsSync(join(folder, 'index.html'))) return reply.sendFile('index.html', { cacheControl: false });
    return reply.type('text/html; charset=utf-8').send(BEING_BUILT);
  });
  app.get('/assets/*', { config: { route: '/assets/*' } }, (request, reply) => {
    const { '*': path } = request.params as { '*': string };
    setPageHeaders(reply).header('cache-control', 'public, max-age=31536000, immutable');
    return reply.sendFile(path, join(folder, 'assets'), { cacheControl: false });
  });
  for (const file of ['favicon.svg', 'theme.js']) {
    app.get(`/${file}`, { config: { route: `/${file}` } }, (_request, reply) =>
      setPageHeaders(reply)
        .header('cache-control', 'public, max-age=3600')
        .sendFile(file, { cacheControl: false }),
    );
  }
}
