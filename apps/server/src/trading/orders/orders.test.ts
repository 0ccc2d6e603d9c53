import { afterEach, expect, it } from 'vitest';
import { openFloor, secondsBack, send, type TradingFloor } from '../../program/testing.ts';
import { verifyLedger } from '../../sequencer/verify.ts';
import { forEachStore } from '../../store/testing.ts';

const MARKET = 'market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514';
const BUY = { market_id: MARKET, side: 'buy', type: 'limit', quantity: '10', price: '2.5' };
const SELL = { market_id: 'text-standard', side: 'sell', type: 'limit', quantity: 4, price: 2.49 };

forEachStore('orders', (open) => {
  let floor: TradingFloor;
  afterEach(() => floor.close());

  it('rest, trade and are read back in the shape that was answered', async () => {
    floor = await openFloor((await open()).database);
    const buyer = await floor.trader({ usdMicros: 100_000_000 });
    const seller = await floor.trader({ units: 50 });
    const resting = await seller.place({ ...SELL, client_order_id: 'sell-1' });
    expect(resting.status).toBe(201);
    expect(resting.body.data).toMatchObject({ status: 'active', filled_quantity: 0, average_price: null });
    const placed = await buyer.place({ ...BUY, client_order_id: 'buy-1', unknown_member: [1e9] });
    expect(placed.status).toBe(201);
    expect(placed.body.data).toEqual({
      order_id: expect.stringMatching(/^order_[0-9a-hjkmnp-tv-z]{26}$/),
      id: placed.body.data.order_id,
      market_id: MARKET,
      market_name: 'text-standard/USD',
      instrument_id: 'instrument-3911579c-017a-5533-a6c4-dc93f9be1b72',
      instrument_symbol: 'text-standard',
      instrument_name: floor.instrument.name,
      trader_id: buyer.account.userId,
      side: 'buy',
      type: 'limit',
      status: 'partially_filled',
      quantity: 10,
      size: 10,
      filled_quantity: 4,
      remaining_quantity: 6,
      price: '2.5000',
      average_price: '2.4900',
      stop_price: null,
      fee: '0.049800',
      time_in_force: 'gtc',
      expire_at: null,
      post_only: false,
      self_trade_prevention: 'cancel_newest',
      should_autotransfer: false,
      client_order_id: 'buy-1',
      origin: 'user',
      closure_reason: null,
      closed_at: null,
      submitted_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      created_at: placed.body.data.submitted_at,
      updated_at: placed.body.data.submitted_at,
    });
    for (const prefix of ['/v1', '/v1/trading', '/api/v1/trading']) {
      const read = await buyer.get(`${prefix}/orders/${placed.body.data.id}`);
      expect(read).toMatchObject({ status: 200, body: placed.body });
    }
    expect((await buyer.get('/v1/orders/by-client-id/buy-1')).body).toEqual(placed.body);
    expect((await seller.get('/v1/orders/by-client-id/sell-1')).body.data).toMatchObject({
      status: 'filled',
      closure_reason: 'filled',
    });
    expect(placed.headers.get('server-timing')).toMatch(/^auth;dur=[\d.]+, handler;dur=[\d.]+, total;dur=/);
    expect(placed.headers.get('x-grid-request-id')).toMatch(/^req_/);
  });

  it('are cancelled once, told so afterwards, and belong to their account alone', async () => {
    const store = await open();
    floor = await openFloor(store.database);
    const [buyer, other] = [await floor.trader({ usdMicros: 100_000_000 }), await floor.trader()];
    const { id } = (await buyer.place(BUY)).body.data;
    const path = `/v1/orders/${id}`;
    expect((await other.call('DELETE', path)).body.errors.code).toBe('order_not_found');
    expect((await other.get(path)).status).toBe(404);
    expect((await other.get('/v1/orders/by-client-id/x')).status).toBe(404);
    const nextSecond = secondsBack();
    const cancel = (target: string, headers = {}) =>
      buyer.call('DELETE', target, { headers, timestamp: nextSecond() });
    const cancelled = await cancel(path);
    expect([cancelled.status, cancelled.body]).toEqual([204, undefined]);
    const again = await cancel(path);
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({
      data: { id, status: 'cancelled', closure_reason: 'user_cancel' },
      already_cancelled: true,
    });
    const strict = await cancel(`${path}?strict=true`);
    expect([strict.status, strict.body.errors.code]).toEqual([409, 'order_already_cancelled']);
    const byHeader = await cancel(path, { 'x-grid-strict': 'true' });
    expect(byHeader.status).toBe(409);
    expect(floor.sequencer.exchange.availableUsdMicros(buyer.account.accountNumber)).toBe(100_000_000);
    const seller = await floor.trader({ units: 10 });
    const filled = (await buyer.place(BUY)).body.data;
    await seller.place({ ...SELL, quantity: 10, price: '2.5' });
    const late = await buyer.call('DELETE', `/v1/orders/${filled.id}`);
    expect([late.status, late.body.errors.code, late.body.errors.context]).toEqual([
      409,
      'order_not_cancellable',
      { status: 'filled' },
    ]);
    expect((await verifyLedger(store.database)).ok).toBe(true);
  });

  it('a client order id names one order for ever, also when the second comes at the same time', async () => {
    floor = await openFloor((await open()).database);
    const buyer = await floor.trader({ usdMicros: 100_000_000 });
    const order = { ...BUY, quantity: 2, client_order_id: 'a' };
    const nowSeconds = Math.floor(Date.now() / 1000);
    const at = (seconds: number) => ({ body: order, timestamp: nowSeconds - seconds });
    const answers = await Promise.all([0, 1, 2].map((age) => buyer.call('POST', '/v1/orders', at(age))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1);
    const copies = answers.filter(({ headers }) => headers.get('x-grid-idempotent-replay') === 'true');
    expect(copies).toHaveLength(2);
    const different = await buyer.place({ ...order, quantity: 3 });
    expect([different.status, different.body.errors.code]).toEqual([409, 'duplicate_client_order_id']);
    const poor = { ...order, quantity: 1_000, client_order_id: 'b' };
    expect((await buyer.place(poor)).status).toBe(400);
    expect((await buyer.place({ ...poor, quantity: 1 })).status).toBe(201);
  });

  it('identical signatures are one order, also after a restart, and a late copy of a cancel does nothing', async () => {
    const store = await open();
    let nowMs = Date.now();
    floor = await openFloor(store.database, { replayClock: () => nowMs });
    const buyer = await floor.trader({ usdMicros: 100_000_000 });
    const timestamp = Math.floor(Date.now() / 1000);
    const twice = () => buyer.call('POST', '/v1/orders', { body: BUY, timestamp });
    const [first, second] = await Promise.all([twice(), twice()]);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.data.id).toBe(first.body.data.id);
    const replayed = [first, second].filter(({ headers }) => headers.has('x-grid-idempotent-replay'));
    expect(replayed).toHaveLength(1);

    const path = `/v1/orders/${first.body.data.id}`;
    const cancel = () => buyer.call('DELETE', path, { timestamp });
    expect((await cancel()).status).toBe(204);
    expect((await cancel()).body.already_cancelled).toBe(true);
    // Commands carry the real time, so the shifted clock goes on from there, however slow the machine is.
    nowMs = Date.now() + 2_500;
    const late = await cancel();
    expect([late.status, late.headers.get('x-grid-idempotent-replay')]).toEqual([204, 'true']);

    const { rows } = await store.database.query({ text: 'select object_id from signature_replays' });
    expect(rows).toContainEqual({ object_id: first.body.data.id });
    const { SignatureReplays } = await import('../auth/replays.ts');
    const reopened = await SignatureReplays.open({
      database: store.database,
      policy: 'coalesce',
      isLeading: () => true,
    });
    const hash = await import('node:crypto').then(({ createHash }) => {
      const headers = buyer.sign('POST', '/v1/orders', JSON.stringify(BUY), timestamp);
      return createHash('sha256').update(Buffer.from(headers['x-thegrid-signature'], 'base64')).digest();
    });
    const known = await reopened.begin({ keyId: buyer.keyId, hash }, 'coalesce');
    expect(known).toMatchObject({
      ok: true,
      value: { kind: 'copy', recorded: { objectId: first.body.data.id } },
    });
    nowMs = Date.now() + 100_000;
    await floor.replays.purge();
    const left = await store.database.query({ text: 'select 1 from signature_replays' });
    expect(left.rowCount).toBe(0);
  });

  it('a refusal that recorded nothing is evaluated afresh; SIGNATURE_REPLAY=reject refuses copies', async () => {
    floor = await openFloor((await open()).database, { settings: { signatureReplay: 'reject' } });
    const buyer = await floor.trader();
    const timestamp = Math.floor(Date.now() / 1000);
    const place = () => buyer.call('POST', '/v1/orders', { body: BUY, timestamp });
    expect((await place()).body.errors.code).toBe('insufficient_balance');
    await floor.command({
      kind: 'credit',
      account: buyer.account.accountNumber,
      origin: 'promotional',
      amountMicros: 30_000_000,
    });
    expect((await place()).status).toBe(201);
    expect((await place()).body.errors.code).toBe('signature_replayed');
  });

  it('what the engine refuses is recorded and named, and the same again', async () => {
    floor = await openFloor((await open()).database);
    const [buyer, seller] = [
      await floor.trader({ usdMicros: 100_000_000 }),
      await floor.trader({ units: 5 }),
    ];
    await seller.place(SELL);
    const post = { ...BUY, quantity: 1, post_only: true, client_order_id: 'p' };
    const crossed = await buyer.place(post);
    expect([crossed.status, crossed.body.errors.code]).toEqual([422, 'post_only_would_cross']);
    const orderId = crossed.body.errors.context.order_id;
    expect((await buyer.get(`/v1/orders/${orderId}`)).body.data).toMatchObject({
      status: 'rejected',
      closure_reason: 'post_only_would_cross',
    });
    expect((await buyer.place(post)).body.errors.context.order_id).toBe(orderId);
    const end = await buyer.call('DELETE', `/v1/orders/${orderId}`);
    expect(end.body.errors.context).toEqual({ status: 'rejected' });
    const fok = await buyer.place({ ...BUY, time_in_force: 'fok' });
    expect(fok).toMatchObject({
      status: 201,
      body: { data: { status: 'cancelled', closure_reason: 'fok_unfillable' } },
    });
    const market = await buyer.place({
      market_id: MARKET,
      side: 'buy',
      type: 'market',
      quantity: '1.0',
      time_in_force: 'gtc',
    });
    expect(market.body.data).toMatchObject({ status: 'filled', price: null, time_in_force: 'ioc' });
  });

  it('a lack of balance is 400 with the constant that clients look for', async () => {
    floor = await openFloor((await open()).database);
    const buyer = await floor.trader({ usdMicros: 3_000_000 });
    const poor = await buyer.place(BUY);
    expect([poor.status, poor.body]).toEqual([
      400,
      {
        code: 'INSUFFICIENT_BALANCE',
        errors: {
          detail: 'insufficient_balance',
          code: 'insufficient_balance',
          message: 'insufficient balance: the order needs 25.125000 USD, 3.000000 USD is available',
          context: { asset: 'USD', required: '25.125000', available: '3.000000' },
          server_time: expect.any(String),
        },
      },
    ]);
    const empty = await buyer.place(SELL);
    expect(empty.body.errors.context).toEqual({ asset: 'text-standard', required: '4', available: '0' });
  });
});

forEachStore('access to orders', (open, engine) => {
  let floor: TradingFloor;
  afterEach(() => floor.close());

  it('is refused by name', async () => {
    floor = await openFloor((await open()).database);
    const buyer = await floor.trader({ usdMicros: 100_000_000 });
    const easy = await floor.trader({ mode: 'easy', usdMicros: 100_000_000 });
    const restricted = await easy.place(BUY);
    expect([restricted.status, restricted.body.errors.detail]).toEqual([403, 'auto_mode_trading_restricted']);
    expect(restricted.body.errors.message).toContain('advanced mode');
    const created = await floor.keys.create(buyer.account.accountNumber, {
      name: 'k',
      scopes: ['trade:read'],
    });
    const bearer = { authorization: `Bearer ${created.ok && created.value.key}` };
    const text = JSON.stringify(BUY);
    const wrongScope = await send(floor.origin, {
      method: 'POST',
      path: '/v1/orders',
      text,
      headers: bearer,
    });
    expect([wrongScope.status, wrongScope.body.errors.code]).toEqual([403, 'insufficient_scope']);
    const { id } = (await buyer.place(BUY)).body.data;
    const read = await send(floor.origin, { method: 'GET', path: `/v1/orders/${id}`, headers: bearer });
    expect(read.status).toBe(200);
    expect(read.body.data).not.toHaveProperty('trader_id');
    const nobody = await send(floor.origin, { method: 'GET', path: `/v1/orders/${id}` });
    expect([nobody.status, nobody.body.errors.code]).toEqual([401, 'missing_credentials']);
    expect(nobody.body.errors.server_time).toBeTypeOf('string');
    const both = await buyer.call('GET', `/v1/orders/${id}`, { headers: bearer });
    expect(both.body.errors.code).toBe('ambiguous_credentials');
    const wrongPath = await buyer.call('GET', `/v1/trading/orders/${id}`, { signedPath: `/v1/orders/${id}` });
    expect(wrongPath.body.errors.code).toBe('invalid_signature');
    const publicRoute = await buyer.call('GET', '/v1/markets', { signedPath: '/v1/other' });
    expect(publicRoute.body.errors.code).toBe('invalid_signature');
    expect((await buyer.get('/v1/markets')).status).toBe(200);
    const method = await buyer.call('PATCH', '/v1/orders');
    expect([method.status, method.headers.get('allow')]).toEqual([405, 'POST, DELETE, GET, HEAD, OPTIONS']);
    await floor.signingKeys.revoke(buyer.keyId);
    expect((await buyer.get(`/v1/orders/${id}`)).body.errors.code).toBe('key_revoked');
  });

  it('is metered per account and market, and cancels are never blocked by orders', async () => {
    const settings = { orderRate: 1, orderBurst: 2, orderRpm: 600 };
    floor = await openFloor((await open()).database, { settings });
    const buyer = await floor.trader({ usdMicros: 100_000_000 });
    const { id } = (await buyer.place({ ...BUY, quantity: 1 })).body.data;
    expect((await buyer.place({ ...BUY, quantity: 1, market_id: 'TEXT-STANDARD' })).status).toBe(201);
    const third = await buyer.place({ ...BUY, quantity: 1 });
    expect([third.status, third.body.errors.code]).toEqual([429, 'rate_limited']);
    expect(third.headers.get('x-ratelimit-limit')).toBe('2');
    expect(third.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await buyer.place({ ...BUY, market_id: 'text-prime' })).status).toBe(201);
    expect((await buyer.call('DELETE', `/v1/orders/${id}`)).status).toBe(204);
  });

  it('is refused by name for every bad input, and nothing changes', async () => {
    const store = await open();
    floor = await openFloor(store.database);
    const buyer = await floor.trader({ usdMicros: 100_000_000 });
    const before = floor.sequencer.exchange.lastSeq;
    const bad: [Record<string, unknown>, string][] = [
      ...[0, -1, 1.5, '1e1', 'NaN', '', ' 1', '+1', '0x1', '1'.repeat(40), 10_001, null, true, [], {}].map(
        (quantity): [Record<string, unknown>, string] => [{ ...BUY, quantity }, 'validation_failed'],
      ),
      ...[0, -1, '2.50001', '1e1', 'Infinity', '', '9'.repeat(40), null, true, {}].map(
        (price): [Record<string, unknown>, string] => [{ ...BUY, price }, 'validation_failed'],
      ),
      [{ ...BUY, market_id: 'text-nothing' }, 'market_not_found'],
      [{ ...BUY, market_id: 'x'.repeat(1_000) }, 'validation_failed'],
      [{ ...BUY, market_id: `${MARKET}\u0000` }, 'market_not_found'],
      [{ ...BUY, type: 'stop', stop_price: '1' }, 'validation_failed'],
      [{ ...BUY, stop_price: '1' }, 'validation_failed'],
      [{ ...BUY, reduce_only: true }, 'validation_failed'],
      [{ ...BUY, time_in_force: 'gtd' }, 'validation_failed'],
      [{ ...BUY, time_in_force: 'ioc', post_only: true }, 'validation_failed'],
      [{ ...BUY, client_order_id: 'аbc' }, 'validation_failed'],
      [{ ...BUY, client_order_id: 'x'.repeat(65) }, 'validation_failed'],
    ];
    for (const [body, code] of bad) {
      const answer = await buyer.call('POST', '/v1/orders', { body });
      expect([body, answer.body.errors.code]).toEqual([body, code]);
      expect(answer.status).toBe(code === 'market_not_found' ? 404 : 400);
    }
    const { quantity: _left, ...less } = BUY;
    expect((await buyer.place(less)).body.errors).toMatchObject({ fields: { quantity: ['is required'] } });
    for (const [field, value] of [
      ['type', 'stop'],
      ['type', 'stop_limit'],
      ['stop_price', '1'],
    ] as const) {
      const { errors } = (await buyer.place({ ...BUY, [field]: value })).body;
      expect(errors).toMatchObject({
        message: `${field}: is not offered.`,
        fields: { [field]: ['is not offered'] },
      });
    }
    const raw: [string, string][] = [
      ['{"quantity":1e1}', 'validation_failed'],
      ['{"side":"buy","side":"sell"}', 'invalid_json'],
      [`${'['.repeat(10_000)}`, 'invalid_json'],
      ['[]', 'invalid_json'],
      ['{}{}', 'invalid_json'],
      [JSON.stringify({ x: 'y'.repeat(70_000) }), 'payload_too_large'],
    ];
    for (const [text, code] of raw) {
      expect((await buyer.call('POST', '/v1/orders', { raw: text })).body.errors.code).toBe(code);
    }
    const headers = { 'content-type': 'text/plain' };
    const typed = await buyer.call('POST', '/v1/orders', { body: BUY, headers });
    expect(typed.status).toBe(415);
    for (const id of ['%00', 'order_%00', '..%2f', 'x'.repeat(190), '%F0%9F%92%A9', "'--"]) {
      const found = await send(floor.origin, {
        method: 'GET',
        path: `/v1/orders/${id}`,
        headers: buyer.sign('GET', `/v1/orders/${id}`, ''),
      });
      expect([id, found.status]).toEqual([id, 404]);
    }
    expect(floor.sequencer.exchange.lastSeq).toBe(before);
    expect(engine).toBe(store.database.engine);
  });
});
