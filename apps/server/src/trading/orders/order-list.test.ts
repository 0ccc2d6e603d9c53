import { afterEach, expect, it } from 'vitest';
import { openFloor, type Trader, type TradingFloor } from '../../program/testing.ts';
import { forEachStore } from '../../store/testing.ts';

const BUY = { market_id: 'text-standard', side: 'buy', type: 'limit', quantity: 1 };

forEachStore('lists of orders', (open) => {
  let floor: TradingFloor;
  let trader: Trader;
  afterEach(() => floor.close());

  async function setUp(prices: readonly number[]): Promise<string[]> {
    floor = await openFloor((await open()).database);
    trader = await floor.trader({ usdMicros: 900_000_000 });
    const ids: string[] = [];
    for (const price of prices) {
      floor.clock.nowMs += 10;
      ids.push((await trader.place({ ...BUY, price, client_order_id: `p-${price}` })).body.data.id);
    }
    return ids;
  }

  async function idsOf(query: string): Promise<string[]> {
    const answer = await trader.get(`/v1/orders${query}`);
    expect([query, answer.status]).toEqual([query, 200]);
    return answer.rows.map(({ id }) => id);
  }

  it('come newest first, filtered in every spelling', async () => {
    const ids = await setUp([1.1, 1.3, 1.2]);
    const newest = [...ids].reverse();
    await trader.call('DELETE', `/v1/orders/${ids[1]}`);
    expect(await idsOf('')).toEqual(newest);
    expect(await idsOf('?order_by=price&order_direction=asc')).toEqual([ids[0], ids[2], ids[1]]);
    const open = [ids[2], ids[0]];
    for (const query of [
      '?status=open',
      '?status=active',
      '?status[]=active&status[]=pending',
      '?status=partially_filled,active',
      '?filters[0][field]=status&filters[0][op]===&filters[0][value]=active',
      '?filters%5B0%5D%5Bfield%5D=status&filters%5B0%5D%5Bop%5D=!%3D&filters%5B0%5D%5Bvalue%5D=cancelled',
      '?flop[filters][0][field]=status&flop[filters][0][value]=open&flop[filters][1][field]=limit&flop[filters][1][value]=9',
    ]) {
      expect([query, await idsOf(query)]).toEqual([query, open]);
    }
    expect(await idsOf('?status=closed')).toEqual([ids[1]]);
    expect(await idsOf('?client_order_id=p-1.3&market_id=TEXT-STANDARD&side=buy&type=limit')).toEqual([
      ids[1],
    ]);
    expect(await idsOf('?market_id=text-prime')).toEqual([]);
    expect(await idsOf(`?trader_id=${trader.account.userId}&page=7&page_size=1`)).toEqual([newest[0]]);
    const middle = (await trader.get(`/v1/orders/${ids[1]}`)).body.data.submitted_at as string;
    expect(await idsOf(`?start_datetime=${middle}`)).toEqual([ids[2], ids[1]]);
    expect(await idsOf(`?to_date=${Date.parse(middle)}`)).toEqual([ids[0]]);
    const count = await trader.get('/v1/orders/count');
    expect(count.body.data).toEqual({
      count: 2,
      by_market: [{ market_id: floor.instrument.marketId, count: 2 }],
    });
  });

  it('have pages that orders placed meanwhile neither skip nor repeat', async () => {
    const ids = await setUp([1, 1.01, 1.02, 1.03, 1.04]);
    const seen: string[] = [];
    let cursor = '';
    let previous = '';
    for (let pages = 0; pages < 9; pages += 1) {
      const answer = await trader.get(`/v1/orders?limit=2${cursor}`);
      seen.push(...answer.rows.map(({ id }) => id));
      if (answer.body.paging.prev_cursor !== null) previous = answer.body.paging.prev_cursor;
      if (!answer.body.paging.has_more) break;
      expect(answer.rows).toHaveLength(2);
      cursor = `&next=${answer.body.paging.next_cursor}`;
      await trader.place({ ...BUY, price: 2 });
    }
    expect(seen).toEqual([...ids].reverse());
    const back = await trader.get(`/v1/orders?limit=2&prev=${previous}`);
    expect(back.rows.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
  });

  it('refuse what they do not know, and cursors of others', async () => {
    await setUp([1, 1.01, 1.02]);
    const next = (await trader.get('/v1/orders?limit=1')).body.paging.next_cursor;
    const other = await floor.trader();
    const bad: [string, string][] = [
      ['?color=red', 'validation_failed'],
      ['?filters[0][field]=color&filters[0][value]=1', 'validation_failed'],
      ['?filters[0][field]=status&filters[0][op]=like&filters[0][value]=1', 'validation_failed'],
      ['?filters[0][value]=1', 'validation_failed'],
      ['?status=sleeping', 'validation_failed'],
      ['?limit=0', 'validation_failed'],
      ['?limit=1.5', 'validation_failed'],
      ['?limit=-1', 'validation_failed'],
      ['?order_by=fee', 'validation_failed'],
      ['?order_direction=up', 'validation_failed'],
      ['?start_datetime=yesterday', 'validation_failed'],
      ['?start_datetime=1&start_datetime=2', 'validation_failed'],
      ['?client_order_id=%00', 'validation_failed'],
      [`?client_order_id=${'x'.repeat(200)}`, 'validation_failed'],
      ['?next=a&prev=b', 'validation_failed'],
      ['?next=%00', 'invalid_cursor'],
      ['?next=AAAA', 'invalid_cursor'],
      [`?next=${next}&status=open`, 'invalid_cursor'],
      [`?prev=${next}`, 'invalid_cursor'],
    ];
    for (const [query, code] of bad) {
      const answer = await trader.get(`/v1/orders${query}`);
      expect([query, answer.status, answer.body.errors.code]).toEqual([query, 400, code]);
    }
    const foreign = await other.get(`/v1/orders?limit=1&next=${next}`);
    expect(foreign.body.errors.code).toBe('invalid_cursor');
    expect((await trader.get('/v1/orders?limit=100000000')).rows).toHaveLength(3);
  });
});
