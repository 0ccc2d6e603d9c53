import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCatalogue } from '../platform/catalogue.ts';
import type { InstrumentCatalogue } from '../ports/catalogue.ts';
import { openFloor, type Trader, type TradingFloor } from '../program/testing.ts';
import type { Database } from '../store/database.ts';
import { openEmbeddedStore, type TestStore } from '../store/testing.ts';
import { MarketView } from './market-view.ts';

let store: TestStore;
let floor: TradingFloor;
let instruments: InstrumentCatalogue;
let seller: Trader;
let buyer: Trader;

beforeEach(async () => {
  store = await openEmbeddedStore();
  floor = await openFloor(store.database);
  instruments = await loadCatalogue(store.database);
  seller = await floor.trader({ units: 100 });
  buyer = await floor.trader({ usdMicros: 1_000_000_000 });
});

afterEach(async () => {
  await floor.close();
  await store.close();
});

async function trade(quantity: number): Promise<void> {
  const order = { market_id: 'text-standard', type: 'limit', price: '2.5', quantity };
  await seller.place({ ...order, side: 'sell' });
  await buyer.place({ ...order, side: 'buy' });
}

function open(database: Pick<Database, 'transaction'>): Promise<MarketView> {
  return MarketView.open({ sequencer: floor.sequencer, database, instruments });
}

/** Everything that a view tells of the market. */
function told(view: MarketView): unknown {
  const { instrumentNo } = floor.instrument;
  const market = view.market(instrumentNo)!;
  const { history, sequence, tradingState, totalTrades, totalVolumeUnits, updatedAtMs } = market;
  return {
    quote: view.quote(instrumentNo),
    day: history.dayStatistics(Date.now()),
    last: history.last,
    totals: [sequence, tradingState, totalTrades, totalVolumeUnits, updatedAtMs],
    book: (['buy', 'sell'] as const).map((side) => view.depth(instrumentNo, side, 100)),
  };
}

describe('the public view', () => {
  it('is after a restart what it was before', async () => {
    const live = await open(floor.database);
    for (const quantity of [3, 1, 2]) await trade(quantity);
    await buyer.place({ market_id: 'text-standard', type: 'limit', side: 'buy', price: '2.4', quantity: 5 });
    const again = await open(floor.database);
    expect(told(again)).toEqual(told(live));
    expect(told(live)).toMatchObject({ day: { tradeCount: 3, volumeUnits: 6 }, last: { quantityUnits: 2 } });
  });

  it('neither loses nor repeats what is traded while the older trades are read', async () => {
    await trade(4);
    const { database } = floor;
    const slow: Pick<Database, 'transaction'> = {
      // One trade is there before the older ones are read, and one comes after they were read.
      transaction: async (work) => {
        await trade(2);
        const read = await database.transaction(work);
        await trade(1);
        return read;
      },
    };
    const view = await open(slow);
    const { instrumentNo } = floor.instrument;
    const { history, totalTrades, totalVolumeUnits } = view.market(instrumentNo)!;
    expect([totalTrades, totalVolumeUnits]).toEqual([3, 7]);
    expect(history.dayStatistics(Date.now())).toMatchObject({ tradeCount: 3, volumeUnits: 7 });
    expect(view.depth(instrumentNo, 'sell', 10)).toEqual([]);
  });
});
