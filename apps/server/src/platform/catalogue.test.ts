import { describe, expect, it } from 'vitest';
import { openSequencer } from '../sequencer/testing.ts';
import { migrate } from '../store/migrate.ts';
import { forEachStore } from '../store/testing.ts';
import { loadCatalogue } from './catalogue.ts';
import { SHIPPED_INSTRUMENTS } from './instrument-table.ts';
import { ensureMarkets } from './markets.ts';
import { instrumentIdOf, marketIdOf } from './uuid.ts';

const NOW_MS = 1_767_225_600_000;
const STANDARD_ID = 'instrument-3911579c-017a-5533-a6c4-dc93f9be1b72';
const STANDARD_MARKET = 'market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514';

describe('the shipped instruments', () => {
  it('have ids that are the same on every installation', () => {
    expect(instrumentIdOf('text-standard')).toBe(STANDARD_ID);
    expect(marketIdOf('text-standard')).toBe(STANDARD_MARKET);
    expect(instrumentIdOf('usd')).toBe('instrument-b41834ce-1e1f-536e-bf37-124a9d431a84');
  });

  it('are nine tiers in use and eight lab markets switched off, with dense numbers and distinct symbols', () => {
    const numbers = SHIPPED_INSTRUMENTS.map(({ instrumentNo }) => instrumentNo);
    expect(numbers).toEqual(Array.from({ length: 17 }, (_, index) => index + 1));
    expect(new Set(SHIPPED_INSTRUMENTS.map(({ symbol }) => symbol)).size).toBe(17);
    const active = SHIPPED_INSTRUMENTS.filter(({ status }) => status === 'active');
    expect(active.map(({ stage }) => stage)).not.toContain('lab');
    expect(active).toHaveLength(9);
  });

  it.each(SHIPPED_INSTRUMENTS)('$symbol has a symbol and limits that can be', ({ symbol, specification }) => {
    expect(symbol).toMatch(/^[a-z0-9]+(-[a-z0-9]+){1,3}$/);
    expect(specification.maxInputTokens).toBeLessThan(specification.contextTokens);
    expect(specification.maxOutputTokens).toBeLessThanOrEqual(specification.contextTokens);
    expect(specification.reasoningEfforts).toContain(specification.defaultEffort);
  });
});

forEachStore('the catalogue', (open) => {
  it('finds an instrument by every spelling of its symbol and ids', async () => {
    const { database } = await open();
    await migrate({ database });
    const catalogue = await loadCatalogue(database, NOW_MS);
    const spellings = [
      'text-standard',
      'Text-Standard',
      STANDARD_ID,
      STANDARD_ID.replace('instrument-', 'instrument_'),
      STANDARD_ID.slice('instrument-'.length),
      STANDARD_MARKET,
      STANDARD_MARKET.replace('market-', 'market_').toUpperCase(),
      STANDARD_MARKET.slice('market-'.length),
    ];
    expect(spellings.map((spelling) => catalogue.find(spelling)?.symbol)).toEqual(
      spellings.map(() => 'text-standard'),
    );
    expect(['gpt-4o', '', 'text', '__proto__'].map((name) => catalogue.find(name))).toEqual(
      Array(4).fill(undefined),
    );
    expect(catalogue.byNumber(2)).toMatchObject({
      symbol: 'text-prime',
      specVersion: 1,
      createdAtMs: NOW_MS,
    });
    expect(catalogue.byNumber(2)?.specification).toEqual(SHIPPED_INSTRUMENTS[1]?.specification);
  });

  it('inserts only what is missing', async () => {
    const { database } = await open();
    await migrate({ database });
    await loadCatalogue(database, NOW_MS);
    await database.query({ text: `update instruments set status = 'inactive' where symbol = 'text-max'` });
    await database.query({ text: `delete from instruments where symbol = 'kimi-latest'` });
    const catalogue = await loadCatalogue(database, NOW_MS + 5);
    expect(catalogue.find('text-max')?.status).toBe('inactive');
    expect(catalogue.find('kimi-latest')?.createdAtMs).toBe(NOW_MS + 5);
    expect(catalogue.find('text-prime')?.createdAtMs).toBe(NOW_MS);
  });

  it('opens the missing markets of active instruments, once', async () => {
    const { database } = await open();
    const sequencer = await openSequencer(database);
    const catalogue = await loadCatalogue(database, NOW_MS);
    expect(await ensureMarkets(sequencer, catalogue)).toBe(9);
    expect(await ensureMarkets(sequencer, catalogue)).toBe(0);
    expect(sequencer.exchange.rulesOf(2)?.referencePriceTicks).toBe(9_500);
    expect(sequencer.exchange.marketStatus(10)).toBeUndefined();
    await sequencer.close();
  });
});
