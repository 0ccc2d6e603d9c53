// The peer: the least a relay in Node can do. No key check beyond presence, no metering, no receipt; undici.dispatch to
// one supplier, bytes passed through.
import { createServer } from 'node:http';
import { Pool } from 'undici';

const upstream = new URL(process.argv[2]);
const pool = new Pool(upstream.origin, { connections: 256, pipelining: 1 });

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    pool.dispatch(
      {
        path: `${upstream.pathname}/chat/completions`,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer bench' },
        body: Buffer.concat(parts),
      },
      {
        onRequestStart() {},
        onResponseStart(_controller, statusCode, headers) {
          response.writeHead(statusCode, { 'content-type': headers['content-type'] });
        },
        onResponseData(_controller, chunk) {
          response.write(chunk);
        },
        onResponseEnd() {
          response.end();
        },
        onResponseError() {
          response.destroy();
        },
      },
    );
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`RELAY_READY {"url":"http://127.0.0.1:${server.address().port}"}\n`);
});
process.on('SIGTERM', () => process.exit(0));
