import { expect, it } from 'vitest';
import type { Database } from '../store/database.ts';
import { forEachStore } from '../store/testing.ts';
import {
  accepted,
  BUYER,
  buy,
  consume,
  INSTRUMENT,
  openSequencer,
  receiptFacts,
  SUPPLIER,
  seedMarket,
} from './testing.ts';
import type { Sequencer } from './types.ts';
import { verifyLedger } from './verify.ts';

/** One change of one row that money depends on, each of which some rule must notice. */
const TAMPERINGS = [
  ['entries', 'update entries set amount = amount + 1 where command_seq = 4 and position = 0'],
  ['entries', 'update entries set position = position + 10 where command_seq = 4 and position = 0'],
  ['balances', 'update balances set amount = amount + 1 where kind = 1'],
  ['orders', 'update orders set price_ticks = price_ticks - 1 where order_seq = 1'],
  ['orders', 'update orders set fee_micros = 0 where order_seq = 2'],
  ['orders', 'update orders set expires_at_ms = expires_at_ms + 1 where order_seq = 3'],
  ['orders', 'update orders set quantity_units = 4 where order_seq = 3'],
  ['orders', `update orders set time_in_force = 'gtc' where order_seq = 3`],
  ['orders', `update orders set status = 'cancelled', closure_reason = 'user_cancel' where order_seq = 3`],
  ['trades', 'update trades set is_auction = not is_auction'],
  ['retirements', 'update retirements set unit_from = unit_from - 1'],
  ['retirements', 'delete from retirements'],
  [
    'transfers',
    `update transfers set direction = 'trading_to_consumption' where direction <> 'trading_to_consumption'`,
  ],
  ['orders', `update orders set side = 'buy' where order_seq = 1`],
  ['orders', 'delete from orders where order_seq = 1'],
  ['trades', 'update trades set price_ticks = price_ticks + 1'],
  ['trades', 'update trades set seller_account = buyer_account'],
  ['trades', `update trades set units = '[{"from":50,"to":50}]'`],
  ['candles', `update candles set close_ticks = close_ticks + 1 where resolution = '4h'`],
  ['candles', `update candles set counted_units = 0 where resolution = '1w'`],
  ['candles', `update candles set period_start_ms = period_start_ms + 60000 where resolution = '1m'`],
  ['candles', `delete from candles where resolution = '1d'`],
  [
    'candles',
    `insert into candles select 999, resolution, period_start_ms, 1, 1, 1, 1, 0, 0, 0, 0, 0 from candles`,
  ],
  ['lots', 'update lots set price_ticks = price_ticks + 1'],
  ['lots', 'update lots set issuer_account = account_number'],
  ['lots', 'update lots set unit_from = unit_from + 1'],
  ['escrow_ranges', 'update escrow_ranges set tokens_delivered = tokens_delivered + 1'],
  ['escrow_ranges', 'update escrow_ranges set unit_to = unit_to + 1'],
  ['issuances', 'update issuances set unit_to = unit_to - 1'],
  ['transfers', 'delete from transfers'],
  ['receipts', 'update receipts set cost_e10 = null where receipt_no = 1'],
  ['receipts', 'update receipts set priced_tokens = 0 where receipt_no = 1'],
  ['receipts', `update receipts set status = 'error' where receipt_no = 1`],
  ['receipts', 'update receipts set output_tokens = null where receipt_no = 1'],
  ['receipts', 'delete from receipts where receipt_no = 2'],
  ['receipt_draws', 'update receipt_draws set paid_micros = paid_micros + 1'],
  ['receipt_draws', 'update receipt_draws set issuer_account = issuer_account + 1'],
  [
    'receipt_draws',
    `insert into receipt_draws select 'req_none', position, lot_seq, trade_seq, issuer_account, unit_from,
     unit_to, 0, price_ticks, 0, 0 from receipt_draws`,
  ],
  ['journal', 'delete from journal where seq = 5'],
  [
    'journal',
    `update journal set body = jsonb_set(body, '{priceTicks}', '24999') where body ->> 'side' = 'sell'`,
  ],
  ['writer_lease', 'delete from writer_lease'],
] as const;

/** Changes a table, tells whether the ledger still holds, and puts the table back. */
async function holdsAfter(database: Database, table: string, text: string): Promise<boolean> {
  await database.query({ text: `create table kept as select * from ${table}` });
  const { rowCount } = await database.query({ text });
  expect(rowCount).not.toBe(0);
  const { ok } = await verifyLedger(database);
  await database.query({ text: `delete from ${table}` });
  await database.query({ text: `insert into ${table} select * from kept` });
  await database.query({ text: 'drop table kept' });
  return ok;
}

/** An order that is amended and will expire, units brought back to trading, units retired. */
async function liveOn(sequencer: Sequencer): Promise<void> {
  const owner = { account: BUYER, instrument: INSTRUMENT };
  const order = {
    side: 'buy',
    type: 'limit',
    quantityUnits: 1,
    priceTicks: 20_000,
    timeInForce: 'gtc',
  } as const;
  await accepted(sequencer, { kind: 'place_order', ...owner, ...order });
  const expiresAtMs = 1_767_225_600_000 + 60_000;
  const amend = { kind: 'amend_order', account: BUYER, order: 3, quantityUnits: 3 } as const;
  await accepted(sequencer, { ...amend, timeInForce: 'gtd', expiresAtMs });
  const runs = [{ lot: 1, unitFrom: 2, unitTo: 2 }];
  await accepted(sequencer, { kind: 'transfer_to_trading', ...owner, runs });
  const stock = { account: SUPPLIER, instrument: INSTRUMENT };
  await accepted(sequencer, { kind: 'issue', ...stock, quantityUnits: 3 });
  await accepted(sequencer, { kind: 'retire_issued', ...stock, quantityUnits: 2 });
}

forEachStore('ledger verification', (open) => {
  it('notices every row that says something else than the journal', { timeout: 60_000 }, async () => {
    const { database } = await open();
    const clock = { nowMs: 1_767_225_600_000 };
    const sequencer = await openSequencer(database, { clock: () => clock.nowMs });
    await seedMarket(sequencer);
    await accepted(sequencer, buy(2));
    await consume(sequencer, 'req_billed', 1_000);
    await accepted(
      sequencer,
      { kind: 'settle', account: BUYER, instrument: INSTRUMENT, draws: [], servedBy: 0 },
      { receipt: receiptFacts('req_unbilled', { input: 0, output: 0 }) },
    );
    await liveOn(sequencer);
    clock.nowMs += 60_000;
    await accepted(sequencer, { kind: 'fund_reserve', amountMicros: 1 });
    expect(await verifyLedger(database)).toMatchObject({ ok: true });
    const unnoticed: string[] = [];
    for (const [table, text] of TAMPERINGS) if (await holdsAfter(database, table, text)) unnoticed.push(text);
    expect(unnoticed).toEqual([]);
    expect(await verifyLedger(database)).toMatchObject({ ok: true });
  });
});
