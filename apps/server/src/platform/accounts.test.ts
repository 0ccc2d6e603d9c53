import { KIND } from '@opengrid/exchange';
import { describe, expect, it } from 'vitest';
import { accepted, RULES } from '../sequencer/testing.ts';
import { forEachStore } from '../store/testing.ts';
import { newAccountNumber, normaliseEmail } from './accounts.ts';
import { autoBuyOf, defaultSettings } from './settings.ts';
import { account, openPlatform, START_MS } from './testing.ts';

const INSTRUMENT = 1;

describe('e-mail addresses', () => {
  it.each([
    ['  Ada@Example.COM ', 'ada@example.com'],
    ['me@localhost', 'me@localhost'],
    ['o\u0308@example.com', '\u00f6@example.com'],
  ])('%j becomes %j', (text, email) => expect(normaliseEmail(text)).toBe(email));

  it.each(['', 'ada', 'a@', '@b', 'a b@c', 'a@b@c', 'a\u0000@b', `${'a'.repeat(250)}@b.cd`])(
    '%j is none',
    (text) => expect(normaliseEmail(text)).toBeUndefined(),
  );
});

describe('account numbers', () => {
  it('have 49 bits and differ', () => {
    const numbers = Array.from({ length: 1_000 }, newAccountNumber);
    expect(numbers.every((number) => number >= 2 ** 48 && number < 2 ** 49)).toBe(true);
    expect(new Set(numbers).size).toBe(1_000);
  });
});

describe('automatic purchases', () => {
  const settings = {
    ...defaultSettings(),
    autoBuyQuantityUnits: 5,
    autoBuyTriggerTokens: 9,
    autoBuyMaxPriceTicks: 3,
  };

  it('are on in easy mode, whatever is stored', () => {
    expect(autoBuyOf('easy', settings)).toEqual({
      isEnabled: true,
      quantityUnits: 1,
      triggerTokens: 250_000,
      maxPriceTicks: 3,
    });
  });

  it('follow the settings in advanced mode, where they start switched off', () => {
    const own = { quantityUnits: 5, triggerTokens: 9, maxPriceTicks: 3 };
    expect(autoBuyOf('advanced', settings)).toEqual({ isEnabled: false, ...own });
    expect(autoBuyOf('advanced', { ...settings, autoBuyEnabled: true })).toEqual({ isEnabled: true, ...own });
  });
});

forEachStore('accounts', (open) => {
  it('are kept in the store and opened in the exchange', async () => {
    const { database } = await open();
    const platform = await openPlatform(database);
    const created = await account(platform, {
      email: ' Ada@Example.com ',
      name: ' Ada ',
      isEmailVerified: false,
    });
    expect(created).toMatchObject({
      email: 'ada@example.com',
      name: 'Ada',
      mode: 'easy',
      role: 'member',
      isEmailVerified: false,
      settings: defaultSettings(),
      createdAtMs: START_MS,
    });
    expect(created.userId).toMatch(/^user_[0-9a-hjkmnp-tv-z]{26}$/);
    expect(platform.sequencer.exchange.hasAccount(created.accountNumber)).toBe(true);
    const again = await openPlatform(database, { sequencer: platform.sequencer });
    expect(again.accounts.list()).toEqual([created]);
    for (const reference of ['ADA@example.com', created.userId, String(created.accountNumber)]) {
      expect(again.accounts.find(reference)).toEqual(created);
    }
    expect(again.accounts.find('nobody@example.com')).toBeUndefined();
  });

  it('refuse an address that is taken or malformed, and a name that is too long', async () => {
    const { database } = await open();
    const { accounts } = await openPlatform(database);
    await accounts.create({ email: 'ada@example.com' });
    const refusals = [
      await accounts.create({ email: 'ADA@example.com' }),
      await accounts.create({ email: 'nonsense' }),
      await accounts.create({ email: 'b@example.com', name: 'x'.repeat(101) }),
    ];
    expect(refusals.map((result) => !result.ok && result.error.fields)).toEqual([
      { email: ['is in use'] },
      { email: ['is not an e-mail address'] },
      { name: ['has at most 100 characters'] },
    ]);
    expect(accounts.list()).toHaveLength(1);
  });

  it('are verified at once where verification is off', async () => {
    const { database } = await open();
    const { accounts } = await openPlatform(database, { emailVerification: 'off' });
    const created = await accounts.create({ email: 'ada@example.com' });
    expect(created.ok && created.value.isEmailVerified).toBe(true);
  });

  it('are opened in the exchange at the next start when a crash came between', async () => {
    const { database } = await open();
    const platform = await openPlatform(database);
    const { accountNumber } = await account(platform);
    const lost = accountNumber + 1;
    await database.query({
      text: `insert into accounts select $1, 'user_x', 'x@example.com', name, mode, role, is_email_verified, settings,
               created_at_ms, updated_at_ms from accounts`,
      values: [lost],
    });
    expect(platform.sequencer.exchange.hasAccount(lost)).toBe(false);
    await openPlatform(database, { sequencer: platform.sequencer });
    expect(platform.sequencer.exchange.hasAccount(lost)).toBe(true);
  });

  it('lose their resting orders and free trading units when they switch to easy mode', async () => {
    const { database } = await open();
    const platform = await openPlatform(database);
    const { sequencer, accounts } = platform;
    const { accountNumber } = await account(platform, { mode: 'advanced' });
    const at = { account: accountNumber, instrument: INSTRUMENT };
    await accepted(sequencer, { kind: 'open_market', instrument: INSTRUMENT, rules: RULES });
    await accepted(sequencer, { kind: 'issue', ...at, quantityUnits: 7 });
    await accepted(sequencer, { kind: 'transfer_issued', ...at, quantityUnits: 7 });
    for (const priceTicks of [25_000, 26_000]) {
      const order = {
        side: 'sell',
        type: 'limit',
        quantityUnits: 2,
        priceTicks,
        timeInForce: 'gtc',
      } as const;
      await accepted(sequencer, { kind: 'place_order', ...at, ...order });
    }
    const switched = await accounts.setMode(accountNumber, 'easy');
    expect(switched.ok && switched.value.mode).toBe('easy');
    expect(sequencer.exchange.depth(INSTRUMENT, 'sell', 5)).toEqual([]);
    expect(sequencer.exchange.balance(KIND.trading, accountNumber, INSTRUMENT)).toBe(0);
    expect(sequencer.exchange.balance(KIND.consumption, accountNumber, INSTRUMENT)).toBe(7_000_000);
    const again = await openPlatform(database, { sequencer });
    expect(again.accounts.byNumber(accountNumber)?.mode).toBe('easy');
  });

  it('keep their balances when they switch to advanced mode, and answer for unknown accounts', async () => {
    const { database } = await open();
    const platform = await openPlatform(database);
    const { accountNumber } = await account(platform);
    const seq = platform.sequencer.exchange.lastSeq;
    expect(await platform.accounts.setMode(accountNumber, 'advanced')).toMatchObject({ ok: true });
    expect(platform.sequencer.exchange.lastSeq).toBe(seq);
    expect(await platform.accounts.setMode(1, 'easy')).toMatchObject({
      error: { code: 'account_not_found' },
    });
  });
});
