// A stand-in for the server while the page is developed: the read endpoints of the contract over invented, moving data.
//   node scripts/mock-api.mjs [--port 4000] [--dist dist] [--empty]
// It prints its address and a key that it accepts. With --dist it serves a build of the page under the strict policy.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createMarket, receiptsOf } from './mock-market.mjs';

const { values: flags } = parseArgs({
  options: {
    port: { type: 'string', default: '4000' },
    dist: { type: 'string' },
    empty: { type: 'boolean' },
  },
});

const apiKey = process.env.MOCK_KEY ?? `sk-or-v1-${randomBytes(32).toString('hex')}`;
const market = createMarket({ isEmpty: flags.empty === true });
const receipts = flags.empty === true ? [] : receiptsOf(market);
setInterval(() => market.tick(Date.now()), 700).unref();

const requestId = () => `req_${randomBytes(16).toString('hex').slice(0, 26)}`;
const single = (data) => ({ status: 200, body: { data } });
const list = (data) => ({
  status: 200,
  body: { data, paging: { next_cursor: null, prev_cursor: null, has_more: false } },
});
const refuse = (status, code, message) => ({
  status,
  body: {
    error: { message, type: 'invalid_request_error', param: null, code },
    errors: { detail: code, message, code },
  },
});

const withKey = (request, answer) => {
  if (request.headers.authorization === `Bearer ${apiKey}`) return answer();
  return refuse(401, 'invalid_api_key', 'The key is unknown.');
};

const withBook = (symbol, answer) => {
  const book = market.books.get(symbol.toLowerCase());
  return book ? answer(book) : refuse(404, 'market_not_found', 'No market with that id.');
};

const receiptOf = (id) => {
  const receipt = receipts.find((candidate) => candidate.request_id === id);
  return receipt
    ? { status: 200, body: receipt }
    : refuse(404, 'receipt_not_found', 'No receipt with that id.');
};

const withoutDraws = ({ cost: { breakdown: _, ...cost }, ...receipt }) => ({ ...receipt, cost });

const routes = [
  [
    /^\/v1\/health$/,
    () => single({ status: 'ok', service: 'trading', version: '0.1.0', time: new Date().toISOString() }),
  ],
  [/^\/v1\/models$/, () => ({ status: 200, body: { object: 'list', data: market.models() } })],
  [/^\/v1\/instruments$/, () => list(market.instruments())],
  [
    /^\/v1\/markets\/([^/]+)$/,
    (_request, _url, [symbol]) => withBook(symbol, (book) => single(book.market())),
  ],
  [
    /^\/v1\/markets\/([^/]+)\/ticker$/,
    (_request, _url, [symbol]) => withBook(symbol, (book) => single(book.ticker())),
  ],
  [
    /^\/v1\/markets\/([^/]+)\/orderbook$/,
    (_request, url, [symbol]) =>
      withBook(symbol, (book) => single(book.orderbook(Number(url.searchParams.get('depth') ?? 20)))),
  ],
  [
    /^\/v1\/markets\/([^/]+)\/trades$/,
    (_request, url, [symbol]) =>
      withBook(symbol, (book) => list(book.trades.slice(0, Number(url.searchParams.get('limit') ?? 50)))),
  ],
  [/^\/v1\/usage$/, (request) => withKey(request, () => list(receipts.map(withoutDraws)))],
  [/^\/v1\/usage\/([^/]+)$/, (request, _url, [id]) => withKey(request, () => receiptOf(id))],
];

const answerApi = (request, url) => {
  for (const [pattern, answer] of routes) {
    const match = pattern.exec(url.pathname);
    if (match) return answer(request, url, match.slice(1));
  }
  return refuse(404, 'not_found', 'No such path.');
};

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const answerPage = async (url, response) => {
  const root = resolve(flags.dist ?? 'dist');
  const path = url.pathname === '/' ? '/index.html' : normalize(url.pathname);
  try {
    const file = await readFile(join(root, path));
    response.writeHead(200, {
      'content-type': types[extname(path)] ?? 'text/plain',
      'content-security-policy': policy,
    });
    response.end(file);
  } catch {
    response.writeHead(404).end();
  }
};

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://mock');
  if (!url.pathname.startsWith('/v1/')) return void answerPage(url, response);
  const { status, body } = answerApi(request, url);
  response.writeHead(status, { 'content-type': 'application/json', 'x-grid-request-id': requestId() });
  response.end(JSON.stringify(body));
});

server.listen(Number(flags.port), '127.0.0.1', () => {
  console.log(`address http://127.0.0.1:${server.address().port}`);
  console.log(`key ${apiKey}`);
});
