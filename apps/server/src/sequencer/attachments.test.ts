import { expect, it } from 'vitest';
import { forEachStore } from '../store/testing.ts';
import { accepted, BUYER, buy, INSTRUMENT, openSequencer, SUPPLIER, seedMarket } from './testing.ts';
import { CommandExpired } from './types.ts';

forEachStore('what commands carry', (open) => {
  it('keeps the hash of a signature in the commit of its command, with what the command made', async () => {
    const { database } = await open();
    const sequencer = await openSequencer(database);
    await seedMarket(sequencer);
    const hash = Buffer.alloc(32, 0xa5);
    const signatureReplay = { keyId: 'skey_1', hash };
    const bought = await accepted(sequencer, buy(2), { signatureReplay });
    const issue = { kind: 'issue', account: SUPPLIER, instrument: INSTRUMENT, quantityUnits: 1 } as const;
    const issued = await accepted(sequencer, issue, { signatureReplay });
    expect(bought.lotIds).toHaveLength(1);
    const { rows } = await database.query({
      text: 'select key_id, signature_hash, command_seq, object_id from signature_replays order by command_seq',
    });
    expect(rows).toEqual([
      { key_id: 'skey_1', signature_hash: hash, command_seq: bought.seq, object_id: bought.orderId },
      { key_id: 'skey_1', signature_hash: hash, command_seq: issued.seq, object_id: issued.issuanceId },
    ]);
    await sequencer.close();
  });

  it('drops a command that waited past its time, and only that one', async () => {
    const { database } = await open();
    const clock = { nowMs: 1_767_225_600_000 };
    const sequencer = await openSequencer(database, { clock: () => clock.nowMs });
    await seedMarket(sequencer);
    const before = sequencer.exchange.lastSeq;
    const running = accepted(sequencer, buy(1));
    await Promise.resolve();
    await Promise.resolve();
    const late = sequencer.submit(buy(1), { notAfterMs: clock.nowMs + 100 });
    const inTime = accepted(sequencer, buy(1), { notAfterMs: clock.nowMs + 101 });
    clock.nowMs += 101;
    await expect(late).rejects.toBeInstanceOf(CommandExpired);
    await running;
    await inTime;
    expect(sequencer.exchange.lastSeq).toBe(before + 2);
    expect(sequencer.exchange.availableUsdMicros(BUYER)).toBe(25_000_000 - 2 * 2_512_500);
    await sequencer.close();
  });
});
