import { KIND } from '@opengrid/exchange';
import { GridFailure } from '@opengrid/wire';
import { expect, it } from 'vitest';
import { BUYER, openSequencer, seedMarket } from '../sequencer/testing.ts';
import { verifyLedger } from '../sequencer/verify.ts';
import { forEachStore } from '../store/testing.ts';
import { balanceOf, grantCredit } from './credit.ts';

forEachStore('promotional credit', (open) => {
  it('is spendable at once, comes out of promotions, and leaves the ledger right', async () => {
    const { database } = await open();
    const sequencer = await openSequencer(database);
    await seedMarket(sequencer);
    await grantCredit(sequencer, BUYER, 1);
    expect(balanceOf(sequencer, BUYER)).toEqual({
      promotionalMicros: 25_000_001,
      proceedsMicros: 0,
      cardMicros: 0,
      heldMicros: 0,
      owedMicros: 0,
      availableMicros: 25_000_001,
    });
    expect(sequencer.exchange.balance(KIND.promotions)).toBe(-25_000_001);
    expect(await verifyLedger(database)).toMatchObject({ ok: true });
  });

  it('shows what orders hold and what a sale brought', async () => {
    const { database } = await open();
    const sequencer = await openSequencer(database);
    await seedMarket(sequencer);
    const order = {
      side: 'buy',
      type: 'limit',
      quantityUnits: 2,
      priceTicks: 20_000,
      timeInForce: 'gtc',
    } as const;
    await sequencer.submit({ kind: 'place_order', account: BUYER, instrument: 1, ...order });
    // Value 4.000000 and its taker fee of 50 basis points.
    expect(balanceOf(sequencer, BUYER)).toMatchObject({ heldMicros: 4_020_000, availableMicros: 20_980_000 });
  });

  it('is refused for amounts out of range and accounts that are not there, and changes nothing', async () => {
    const { database } = await open();
    const sequencer = await openSequencer(database);
    await seedMarket(sequencer);
    const before = sequencer.exchange.lastSeq;
    const refusal = async (account: number, amountMicros: number) => {
      const error: unknown = await grantCredit(sequencer, account, amountMicros).catch(
        (caught: unknown) => caught,
      );
      return error instanceof GridFailure ? error.error.code : 'ok';
    };
    for (const amount of [0, -1, 1.5, Number.NaN, 1_000_000_000_001, Number.MAX_SAFE_INTEGER]) {
      expect(await refusal(BUYER, amount)).toBe('invalid_value');
    }
    expect(await refusal(999, 1)).toBe('account_not_found');
    expect(sequencer.exchange.lastSeq).toBe(before);
  });
});
