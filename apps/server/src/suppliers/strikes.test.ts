import { expect, it } from 'vitest';
import type { Endpoint } from '../ports/supply.ts';
import { migrate } from '../store/migrate.ts';
import { forEachStore } from '../store/testing.ts';
import { Strikes } from './strikes.ts';

const MINUTE_MS = 60_000;
const endpoint = { endpointId: 'endpoint_1', supplierId: 'supplier_1' } as unknown as Endpoint;

forEachStore('strikes', (open) => {
  async function start() {
    const { database } = await open();
    await migrate({ database });
    await database.query({
      text: `insert into accounts (account_number, user_id, email, mode, role, is_email_verified, settings, created_at_ms,
               updated_at_ms) values (1, 'user_1', 'a@example.com', 'advanced', 'member', true, '{}', 0, 0)`,
    });
    await database.query({
      text: `insert into suppliers (supplier_id, account_number, display_name, status, is_managed, is_builtin,
               created_at_ms, updated_at_ms) values ('supplier_1', 1, 'S', 'approved', false, false, 0, 0)`,
    });
    const clock = { nowMs: 100 * MINUTE_MS };
    const events: unknown[] = [];
    const telemetry = { system: (event: unknown) => void events.push(event), fault: () => {} } as never;
    const strikes = new Strikes({ database, telemetry, clock: () => clock.nowMs });
    const note = (count: number, change: { isBad?: boolean; excessTokens?: number } = {}) => {
      for (let index = 0; index < count; index += 1) {
        strikes.note({
          endpoint,
          instrumentNo: 1,
          isBad: false,
          billedTokens: 100,
          excessTokens: 0,
          ...change,
        });
      }
    };
    const reasons = async () => {
      await strikes.settled();
      return (await strikes.active()).map(({ reason, sharePercent }) => [reason, sharePercent]);
    };
    return { strikes, clock, events, note, reasons };
  }

  it('come when more than one in twenty of an hour failed, not before there were twenty, and once', async () => {
    const { note, reasons, events } = await start();
    note(18);
    note(1, { isBad: true });
    expect(await reasons()).toEqual([]);
    note(1);
    expect(await reasons()).toEqual([]);
    note(1, { isBad: true });
    note(5, { isBad: true });
    expect(await reasons()).toEqual([['failed_or_out_of_spec', 9]]);
    expect(events).toHaveLength(1);
  });

  it('forget what is older than an hour, come again for the next, and expire after a week', async () => {
    const { note, reasons, clock } = await start();
    note(10, { isBad: true });
    clock.nowMs += 61 * MINUTE_MS;
    note(30);
    expect(await reasons()).toEqual([]);
    note(3, { isBad: true });
    expect(await reasons()).toHaveLength(1);
    clock.nowMs += 61 * MINUTE_MS;
    note(20, { isBad: true });
    expect(await reasons()).toHaveLength(2);
    clock.nowMs += 8 * 24 * 60 * MINUTE_MS;
    expect(await reasons()).toEqual([]);
  });

  it('come for tokens that were reported beyond the count', async () => {
    const { note, reasons } = await start();
    note(20, { excessTokens: 3 });
    expect(await reasons()).toEqual([]);
    note(1, { excessTokens: 40 });
    expect(await reasons()).toEqual([['token_inflation', 4]]);
  });
});
