import { afterEach, expect, it } from 'vitest';
import type { SupplierSummary } from '../../ports/supply.ts';
import { openFloor, type TradingFloor } from '../../program/testing.ts';
import { verifyLedger } from '../../sequencer/verify.ts';
import { forEachStore } from '../../store/testing.ts';

forEachStore('supply', (open) => {
  let floor: TradingFloor;
  const known = new Map<number, SupplierSummary>();
  afterEach(() => floor.close());

  async function setUp() {
    known.clear();
    const suppliers = {
      endpointsFor: () => [],
      supplier: () => undefined,
      supplierByAccount: (account: number) => known.get(account),
    };
    floor = await openFloor((await open()).database, { suppliers });
    const supplier = await floor.trader();
    const { accountNumber } = supplier.account;
    const summary = { supplierId: 'supplier_1', accountNumber, displayName: 'S', isManaged: true } as const;
    known.set(accountNumber, { ...summary, status: 'approved' });
    return { supplier, buyer: await floor.trader({ usdMicros: 100_000_000 }) };
  }

  it('retires what is not sold, newest serials first, and sums up where issued units are', async () => {
    const { supplier, buyer } = await setUp();
    const startSeconds = Math.floor(Date.now() / 1000);
    let age = 0;
    const post = (path: string, quantity: unknown) => {
      age += 1;
      const timestamp = startSeconds - age;
      return supplier.call('POST', path, { body: { instrument_id: 'text-standard', quantity }, timestamp });
    };
    await post('/v1/supply-issuances', 20);
    await post('/v1/supply-issuances', 5);
    await post('/v1/issuance-accounts/transfer', 12);
    const order = { market_id: 'text-standard', type: 'limit', quantity: 4, price: 2 };
    await supplier.place({ ...order, side: 'sell' });
    await buyer.place({ ...order, side: 'buy' });
    const retired = await post('/v1/supply-issuances/retire', '7');
    expect([retired.status, retired.body.data]).toEqual([
      200,
      {
        instrument_id: floor.instrument.instrumentId,
        instrument_symbol: 'text-standard',
        quantity: 7,
        units: [
          { from: 19, to: 20 },
          { from: 21, to: 25 },
        ],
        status: 'retired',
        retired_at: expect.stringMatching(/Z$/),
      },
    ]);
    const timestamp = startSeconds - age;
    const body = { instrument_id: 'text-standard', quantity: '7' };
    const copy = await supplier.call('POST', '/v1/supply-issuances/retire', { body, timestamp });
    expect([copy.headers.get('x-grid-idempotent-replay'), copy.body]).toEqual(['true', retired.body]);
    const summary = (await supplier.get('/v1/supply-issuances/summary')).rows;
    expect(summary).toEqual([
      {
        instrument_id: floor.instrument.instrumentId,
        instrument_symbol: 'text-standard',
        instrument_name: floor.instrument.name,
        total_issued: 25,
        quantity: 25,
        units_available: 6,
        units_transferred_to_trading: 12,
        units_sold: 4,
        units_delivered: 0,
        units_retired: 7,
      },
    ]);
    const gone = (await supplier.get('/v1/supply-issuances?status=retired')).rows;
    expect(gone.map(({ unit_from, unit_to, status }) => [unit_from, unit_to, status])).toEqual([
      [21, 25, 'retired'],
    ]);
    const tooMany = await post('/v1/supply-issuances/retire', 7);
    expect([tooMany.status, tooMany.body.errors.context]).toEqual([
      400,
      { asset: 'text-standard', required: '7', available: '6' },
    ]);
    const stranger = await buyer.call('POST', '/v1/supply-issuances/retire', { body });
    expect([stranger.status, stranger.body.errors.code]).toEqual([403, 'supplier_not_approved']);
    expect((await verifyLedger(floor.database)).ok).toBe(true);
  });

  it('lets a supplier issue, move, sell, and see what it owes', async () => {
    const { supplier, buyer } = await setUp();
    const post = (path: string, quantity: number | string) =>
      supplier.call('POST', path, { body: { instrument_id: 'text-standard', quantity } });
    const issued = await post('/v1/supply-issuances', '20');
    expect(issued.status).toBe(201);
    expect(issued.body.data).toMatchObject({ quantity: 20, unit_from: 1, unit_to: 20, status: 'issued' });
    expect((await supplier.get('/v1/supply-issuances?status=issued')).rows).toEqual([issued.body.data]);
    for (const quantity of ['1000000000000000', String(Number.MAX_SAFE_INTEGER)]) {
      const { status, body } = await post('/v1/supply-issuances', quantity);
      const fields = { quantity: ['is more than may be issued of one instrument'] };
      expect(status).toBe(400);
      expect(body.errors).toMatchObject({ code: 'validation_failed', fields });
    }
    const moved = await post('/v1/issuance-accounts/transfer', 15);
    expect([moved.status, moved.body.data.status, moved.body.data.quantity]).toEqual([202, 'accepted', 15]);
    const copy = await post('/v1/issuance-accounts/transfer', 15);
    expect([copy.body.data.id === moved.body.data.id, copy.status]).toEqual([true, 202]);
    expect((await supplier.get('/v1/issuance-accounts')).rows).toMatchObject([
      {
        total_issued: '20',
        total_transferred: '15',
        available_balance: '5',
        total_balance: 5,
        total_transfers: 1,
      },
    ]);
    const [own] = (await supplier.get('/v1/trading-accounts?instrument_id=text-standard')).rows;
    expect(own?.id).toBe(moved.body.data.trading_account_id);
    const moveTo = (id: unknown) =>
      supplier.call('POST', '/v1/issuance-accounts/transfer', {
        body: { instrument_id: 'text-standard', quantity: 1, trading_account_id: id },
      });
    const [foreign] = (await buyer.get('/v1/trading-accounts')).rows;
    for (const id of [foreign?.id, 'trading_account_01jz3v8m2k7f9q0x4w6t5s1r8c', ''])
      expect((await moveTo(id)).body.errors.code).toBe('account_not_found');
    expect((await moveTo(5)).body.errors.code).toBe('validation_failed');
    for (const list of ['issuance-accounts', 'supplier-liability', 'supply-issuances/summary']) {
      expect([list, (await supplier.get(`/v1/${list}?instrument_id=text-prime`)).rows]).toEqual([list, []]);
      const unknown = await supplier.get(`/v1/${list}?filters[0][field]=colour&filters[0][value]=red`);
      expect([list, unknown.body.errors?.code]).toEqual([list, 'validation_failed']);
    }
    const order = { market_id: 'text-standard', type: 'limit', quantity: 4, price: 2 };
    await supplier.place({ ...order, side: 'sell' });
    await buyer.place({ ...order, side: 'buy' });
    const owed = { total_liability: '4.000000', fulfilled: '0.000000', outstanding: '4.000000' };
    const money = { escrowed_usd: '8.000000', released_usd: '0.000000', collateral_usd: '0.000000' };
    expect((await supplier.get('/v1/supplier-liability')).rows).toMatchObject([{ ...owed, ...money }]);
    const one = await supplier.get('/v1/supplier-liability/text-standard');
    expect(one.body.data).toMatchObject({ ...owed, ...money });
    expect((await supplier.get('/v1/supplier-liability/nothing')).body.errors.code).toBe(
      'instrument_not_found',
    );
    const usd = (await supplier.get('/v1/trading-accounts')).rows[0];
    expect(usd).toMatchObject({ escrowed_balance: '8.000000', available_balance: '0.000000' });
  });

  it('is for approved suppliers alone', async () => {
    const { supplier, buyer } = await setUp();
    const body = { instrument_id: 'text-standard', quantity: 1 };
    for (const path of ['/v1/supply-issuances', '/v1/issuance-accounts', '/v1/supplier-liability'])
      expect((await buyer.get(path)).body.errors.code).toBe('supplier_not_approved');
    const refused = await buyer.call('POST', '/v1/supply-issuances', { body });
    expect([refused.status, refused.body.errors.code]).toEqual([403, 'supplier_not_approved']);
    const { accountNumber } = supplier.account;
    known.set(accountNumber, { ...known.get(accountNumber)!, status: 'suspended' });
    const suspended = await supplier.call('POST', '/v1/supply-issuances', { body });
    expect(suspended.body.errors.code).toBe('supplier_suspended');
  });
});
