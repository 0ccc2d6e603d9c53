import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answer, openFloor, send, type Trader, type TradingFloor } from '../program/testing.ts';
import { openEmbeddedStore, type TestStore } from '../store/testing.ts';

const BUY = { market_id: 'text-standard', side: 'buy', type: 'limit', quantity: 1, price: '1' };
const ORDER_ID = 'order_01jz3v8m2k7f9q0x4w6t5s1r8a';

let store: TestStore;
let floor: TradingFloor;
let trader: Trader;
let resting: string;
let lastSeq: number;
beforeAll(async () => {
  store = await openEmbeddedStore();
  floor = await openFloor(store.database);
  trader = await floor.trader({ usdMicros: 900_000_000, units: 10 });
  resting = (await trader.place(BUY)).body.data.id;
  lastSeq = floor.sequencer.exchange.lastSeq;
});
afterAll(async () => {
  await floor.close();
  await store.close();
});

/** Whatever was sent: no command came of it. */
function expectNothingChanged(): void {
  expect(floor.sequencer.exchange.lastSeq).toBe(lastSeq);
}

function codeOf(answer: Answer): string {
  return `${answer.status} ${answer.body?.errors?.code}`;
}

/** The answer to bytes on a connection, as far as it came when the other side closed or fell silent. */
async function rawAnswer(text: string): Promise<string> {
  const { port } = new URL(floor.origin);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
    let received = '';
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}

it('numbers that are none, too large, too small or too precise are refused by name', async () => {
  const raw = (name: string, literal: string): string => {
    const { [name]: _left, ...rest } = { ...BUY, client_order_id: 'x' } as Record<string, unknown>;
    return `${JSON.stringify(rest).slice(0, -1)},"${name}":${literal}}`;
  };
  const common = [
    '-1',
    '0',
    '1e3',
    '1E+2',
    '-0',
    '"NaN"',
    '"Infinity"',
    '"+1"',
    '" 1"',
    '"1 "',
    '"0x10"',
    '""',
  ];
  const odd = ['"1e3"', '"1_000"', '"1,5"', '"٣"', '"１"', 'true', 'null', '[]', '[1]', '{}', '{"a":1}'];
  const large = ['9'.repeat(40), `"${'9'.repeat(40)}"`, '9007199254740993', '"9007199254740992"', '1e400'];
  for (const literal of [
    ...common,
    ...odd,
    ...large,
    '0.5',
    '"1.5"',
    '10001',
    '"0.0000000000000000000001"',
  ]) {
    const answer = await trader.call('POST', '/v1/orders', { raw: raw('quantity', literal) });
    expect([literal, codeOf(answer)]).toEqual([literal, '400 validation_failed']);
  }
  for (const literal of [
    ...common,
    ...odd,
    ...large,
    '"1.00001"',
    '0.00001',
    '214748.3648',
    '1.0000000001',
  ]) {
    const answer = await trader.call('POST', '/v1/orders', { raw: raw('price', literal) });
    expect([literal, codeOf(answer)]).toEqual([literal, '400 validation_failed']);
  }
  for (const literal of ['NaN', 'Infinity', '01', '.5', '1.', '0x10', '+1', "'1'", '1n']) {
    const answer = await trader.call('POST', '/v1/orders', { raw: raw('quantity', literal) });
    expect([literal, codeOf(answer)]).toEqual([literal, '400 invalid_json']);
  }
  expectNothingChanged();
});

it('members of a wrong type or with unknown words are refused by name', async () => {
  const wrong: Record<string, readonly unknown[]> = {
    market_id: [1, null, [], {}, '', 'x'.repeat(65), true],
    side: ['BUY', 1, null, [], 'hold'],
    type: ['stop', 'stop_limit', null, 1, []],
    time_in_force: ['GTC', 1, [], 'forever'],
    post_only: ['true', 1, [], {}],
    reduce_only: [true, 'false', 1],
    self_trade_prevention: ['none', 1, []],
    should_autotransfer: ['yes', 1],
    stop_price: ['1', 0, false],
    client_order_id: ['', 'x'.repeat(65), 'a b', 'ä', 'a\u0000', 'a\u200b', 1, [], 'a/b', 'a\n'],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const answer = await trader.call('POST', '/v1/orders', { body: { ...BUY, [name]: value } });
      expect([name, value, codeOf(answer)]).toEqual([name, value, '400 validation_failed']);
      expect(answer.body.errors.message).not.toContain('xxxx');
    }
  }
  const unknown = await trader.call('POST', '/v1/orders', { body: { ...BUY, market_id: 'text-nothing' } });
  expect(codeOf(unknown)).toBe('404 market_not_found');
  expectNothingChanged();
});

it('bodies that are no object, nested without end, doubled or too large are refused by name', async () => {
  const deep = (open: string, close: string): string => `${open.repeat(10_000)}${close.repeat(10_000)}`;
  const bodies: [string, string][] = [
    [deep('[', ']'), '400 invalid_json'],
    [`{"a":${deep('[', ']')}}`, '400 invalid_json'],
    [`${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`, '400 invalid_json'],
    ['[]', '400 invalid_json'],
    ['"text"', '400 invalid_json'],
    ['null', '400 invalid_json'],
    ['{', '400 invalid_json'],
    ['{}{}', '400 invalid_json'],
    ['\ufeff{}', '400 validation_failed'],
    ['{"quantity":1,"quantity":2}', '400 invalid_json'],
    [`{"client_order_id":"${'x'.repeat(1_000_000)}"}`, '413 payload_too_large'],
    ['{"__proto__":{"admin":true},"constructor":{}}', '400 validation_failed'],
    ['', '400 invalid_json'],
  ];
  for (const [raw, code] of bodies) {
    const answer = await trader.call('POST', '/v1/orders', { raw });
    expect([raw.slice(0, 40), codeOf(answer)]).toEqual([raw.slice(0, 40), code]);
  }
  const form = await trader.call('POST', '/v1/orders', {
    body: BUY,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  expect(codeOf(form)).toBe('415 unsupported_media_type');
  expectNothingChanged();
});

it('ids in disguise and ids of others are not found', async () => {
  const other = await floor.trader({ usdMicros: 10_000_000 });
  const foreign = (await other.place(BUY)).body.data.id;
  lastSeq = floor.sequencer.exchange.lastSeq;
  const disguised = [
    ORDER_ID,
    foreign,
    resting.toUpperCase(),
    `${resting}%00`,
    `${resting}%20`,
    `%E2%80%8B${resting}`,
    resting.replace('o', '%D0%BE'),
    '..%2f..%2fetc',
    "'%20or%201=1--",
    '%F0%9F%92%A9',
    'x'.repeat(64),
    '-1',
    '1e9',
  ];
  for (const id of disguised) {
    for (const [method, body] of [
      ['GET'],
      ['DELETE'],
      ['PUT', { quantity: 1 }],
      ['PATCH', { quantity: 1 }],
    ] as const) {
      const answer = await trader.call(method, `/v1/orders/${id}`, { body });
      expect([id, method, codeOf(answer)]).toEqual([id, method, '404 order_not_found']);
    }
  }
  const long = await trader.call('GET', `/v1/orders/${'x'.repeat(1_000)}`);
  expect(codeOf(long)).toBe('404 order_not_found');
  const huge = await trader.call('GET', `/v1/orders/${'x'.repeat(9_000)}`);
  expect(codeOf(huge)).toBe('414 uri_too_long');
  expect((await trader.get(`/v1/orders?order_id=${foreign}`)).body.errors.code).toBe('validation_failed');
  const account = (await other.get('/v1/trading-accounts')).rows[0]?.id;
  expect(codeOf(await trader.get(`/v1/trading-accounts/${account}`))).toBe('404 account_not_found');
  expectNothingChanged();
});

it('signatures over something else, or from another time, are refused by name', async () => {
  const seconds = Math.floor(Date.now() / 1000);
  const path = `/v1/orders/${resting}`;
  const times: [string, string][] = [
    [String(seconds - 31), '401 timestamp_expired'],
    [String(seconds + 32), '401 timestamp_expired'],
    ['1000000000', '401 timestamp_expired'],
    [String(seconds * 1000), '401 timestamp_invalid'],
    [`0${String(seconds).slice(1)}`, '401 timestamp_invalid'],
    [`${seconds}.0`, '401 timestamp_invalid'],
    ['-176722560', '401 timestamp_invalid'],
    ['1e9', '401 timestamp_invalid'],
  ];
  for (const [timestamp, code] of times) {
    const signed = trader.sign('DELETE', path, '', timestamp as unknown as number);
    const answer = await send(floor.origin, { method: 'DELETE', path, headers: signed });
    expect([timestamp, codeOf(answer)]).toEqual([timestamp, code]);
    expect(answer.body.errors.server_time).toMatch(/Z$/);
  }
  const elsewhere = [
    '/orders',
    '/v1/orders',
    `/v1/trading/orders/${resting}`,
    `${path}/`,
    path.toUpperCase(),
  ];
  for (const signedPath of elsewhere) {
    const answer = await trader.call('DELETE', path, { signedPath });
    expect([signedPath, codeOf(answer)]).toEqual([signedPath, '401 invalid_signature']);
  }
  const byOther = trader.sign('GET', path, '');
  const method = await send(floor.origin, { method: 'DELETE', path, headers: byOther });
  expect(codeOf(method)).toBe('401 invalid_signature');
  const body = trader.sign('POST', '/v1/orders', JSON.stringify(BUY));
  const changed = JSON.stringify({ ...BUY, quantity: 2 });
  const swapped = await send(floor.origin, {
    method: 'POST',
    path: '/v1/orders',
    text: changed,
    headers: body,
  });
  expect(codeOf(swapped)).toBe('401 invalid_signature');
  for (const window of ['0', '30001', '-1', '1.5', 'x', '1e3']) {
    const answer = await trader.call('DELETE', path, { headers: { 'x-thegrid-recv-window': window } });
    expect([window, answer.status >= 400 && answer.status < 500]).toEqual([window, true]);
  }
  expectNothingChanged();
});

it('queries that play games are refused by name', async () => {
  const games = [
    `?${'filters['.repeat(300)}field${']'.repeat(300)}=x`,
    `?${Array.from({ length: 200 }, (_, index) => `filters[${index}][field]=status`).join('&')}`,
    '?filters[0][field]=status&filters[0][value]=open&filters[0][value]=closed&filters[9999][field]=x',
    '?filters[0][field][field]=status',
    '?filters[__proto__][field]=status&filters[__proto__][value]=open',
    '?status[__proto__]=open',
    '?filters=1',
    '?flop=1',
    `?status=${'open,'.repeat(200)}`,
    '?limit=1&limit=-1',
    '?limit=1e2',
    '?limit=%31%00',
    '?next=',
    '?start_datetime=%00',
    '?side=buy%00',
    '?status=%ED%A0%80',
  ];
  for (const query of games) {
    const answer = await trader.get(`/v1/orders${query}`);
    expect([query.slice(0, 60), answer.status, answer.body.errors?.code]).toEqual([
      query.slice(0, 60),
      400,
      query === '?next=' ? 'invalid_cursor' : 'validation_failed',
    ]);
  }
  expectNothingChanged();
});

it('requests with two bodies, or two lengths, do not get past the first', async () => {
  const path = `/v1/orders/${resting}`;
  const lines = (method: string, target: string, body: string): string[] => [
    `${method} ${target} HTTP/1.1`,
    'host: localhost',
    'connection: close',
    ...Object.entries(trader.sign(method, target, body)).map(([name, value]) => `${name}: ${value}`),
  ];
  const text = JSON.stringify(BUY);
  const withBody = (extra: string[]): string =>
    [...lines('POST', '/v1/orders', text), 'content-type: application/json', ...extra, '', text].join('\r\n');
  const games = [
    withBody([`content-length: ${text.length}`, `content-length: ${text.length + 1}`]),
    withBody([`content-length: ${text.length}`, 'transfer-encoding: chunked']),
    withBody([`content-length: -${text.length}`]),
    withBody([`content-length: ${text.length}, ${text.length}`]),
    withBody(['transfer-encoding: chunked, identity']),
    withBody([`content-length: ${text.length - 1}`]),
    withBody([`content-length: ${text.length + 1}`]),
  ];
  for (const game of games) {
    const answer = await rawAnswer(game);
    expect([game.slice(-160, -110), answer.slice(0, 12)]).not.toEqual([
      game.slice(-160, -110),
      'HTTP/1.1 201',
    ]);
    expect(answer).not.toMatch(/^HTTP\/1\.1 5/);
  }
  // A signature over no body does not cover the body that a GET brings along, and reading goes on unharmed.
  const get = [...lines('GET', path, ''), 'content-length: 5', '', 'hello'].join('\r\n');
  const read = await rawAnswer(get);
  expect(read).toMatch(/^HTTP\/1\.1 (200|401)/);
  expectNothingChanged();
});

it('cursors of others, of other lists and of one own making are refused', async () => {
  await trader.place({ ...BUY, client_order_id: 'second' });
  const stranger = await floor.trader();
  lastSeq = floor.sequencer.exchange.lastSeq;
  const { next_cursor: next } = (await trader.get('/v1/orders?limit=1')).body.paging;
  expect(next).toMatch(/^[A-Za-z0-9_-]+$/);
  const forged = Buffer.from('["next",[1,1],"x",1]').toString('base64url');
  const own = [
    `/v1/trades?limit=1&next=${next}`,
    `/v1/orders?limit=1&side=buy&next=${next}`,
    `/v1/orders?limit=1&next=${forged}`,
    `/v1/orders?limit=1&next=${'A'.repeat(600)}`,
  ];
  for (const path of own)
    expect([path, codeOf(await trader.get(path))]).toEqual([path, '400 invalid_cursor']);
  expect(codeOf(await stranger.get(`/v1/orders?limit=1&next=${next}`))).toBe('400 invalid_cursor');
  expectNothingChanged();
});
