import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LotRange } from './commands.ts';
import { Earmarks, type Hold, heldTokens } from './earmarks.ts';
import { checkInvariants } from './testing/invariants.ts';
import { check, eventsOf, MARKET, PATIENCE, Scene } from './testing/scene.ts';

const [S, A] = [1, 2];

/** One lot with everything free. */
function lotOf(lot: number, acquisition: number, tokensTotal: number) {
  return { account: A, instrument: MARKET, lot, acquisition, unitFrom: 1, tokensTotal };
}

/** Lot 11 was acquired after lot 12, so it is drawn after it. */
function twoLots(): Earmarks {
  const earmarks = new Earmarks();
  earmarks.addLot(lotOf(11, 7, 100), [0, 100]);
  earmarks.addLot(lotOf(12, 5, 100), [0, 100]);
  return earmarks;
}

function reserve(earmarks: Earmarks, tokens: number): Hold {
  const hold = earmarks.reserve(A, MARKET, tokens);
  if (hold === undefined) throw new Error(`${tokens} tokens are not free`);
  return hold;
}

function text(ranges: readonly LotRange[]): string {
  return ranges.map(({ lot, from, to }) => `${lot}[${from},${to})`).join(' ');
}

describe('earmarks', () => {
  it('reserve from the front: oldest acquisition first, whatever the number of the lot', () => {
    const earmarks = twoLots();
    expect(text(reserve(earmarks, 30).ranges)).toBe('12[0,30)');
    expect(text(reserve(earmarks, 100).ranges)).toBe('12[30,100) 11[0,30)');
    expect(earmarks.freeTokens(A, MARKET)).toBe(70);
    expect(earmarks.heldTokens(A, MARKET)).toBe(130);
  });

  it('reserve exactly what is asked, or nothing', () => {
    const earmarks = twoLots();
    expect(earmarks.reserve(A, MARKET, 201)).toBeUndefined();
    expect(earmarks.reserve(A, 2, 1)).toBeUndefined();
    expect(earmarks.reserve(3, MARKET, 1)).toBeUndefined();
    expect(earmarks.freeTokens(A, MARKET)).toBe(200);
    const hold = reserve(earmarks, 150);
    expect(earmarks.grow(hold, 51)).toBe(false);
    expect(heldTokens(hold)).toBe(150);
    expect(earmarks.grow(hold, 50)).toBe(true);
    expect(text(hold.ranges)).toBe('12[0,100) 11[0,100)');
  });

  it('put unused tokens back to their old place, in front of what follows', () => {
    const earmarks = twoLots();
    const first = reserve(earmarks, 40);
    reserve(earmarks, 20);
    expect(text(earmarks.close(first, 10))).toBe('12[0,10)');
    expect(text(reserve(earmarks, 50).ranges)).toBe('12[10,40) 12[60,80)');
  });

  it('reserve whole units from the ends of lots, newest first, that nobody drew from or holds', () => {
    const million = 1_000_000;
    const earmarks = new Earmarks();
    earmarks.addLot({ ...lotOf(11, 7, 3 * million), unitFrom: 101 }, [0, 3 * million]);
    earmarks.addLot({ ...lotOf(12, 5, 3 * million), unitFrom: 201 }, [5, 3 * million]);
    const owner = { account: A, instrument: MARKET };
    const hold = reserve(earmarks, 3 * million);
    expect(text(hold.ranges)).toBe('12[5,3000000) 11[0,5)');
    expect(earmarks.reserveUnits(owner, 3)).toBeUndefined();
    expect(earmarks.reserveUnits(owner, 1, 12)).toBeUndefined();
    expect(earmarks.freeTokens(A, MARKET)).toBe(3 * million - 5);
    const moved = earmarks.reserveUnits(owner, 2)!;
    expect(moved.runs).toEqual([{ lot: 11, unitFrom: 102, unitTo: 103 }]);
    expect([earmarks.freeTokens(A, MARKET), earmarks.heldTokens(A, MARKET)]).toEqual([
      million - 5,
      5 * million,
    ]);
    earmarks.close(hold, 0);
    // The end of lot 11 is on its way out: what lies before it is not the end of its lot until then.
    expect(earmarks.reserveUnits(owner, 3)).toBeUndefined();
    const two = earmarks.reserveUnits(owner, 2)!;
    expect(two.runs).toEqual([{ lot: 12, unitFrom: 202, unitTo: 203 }]);
    earmarks.giveBack(owner, two.ranges);
    expect(text(reserve(earmarks, 4 * million - 5).ranges)).toBe('12[5,3000000) 11[0,1000000)');
    earmarks.spent(owner, moved.ranges);
    expect(earmarks.heldTokens(A, MARKET)).toBe(4 * million - 5);
  });

  it('join what comes back with its neighbours, so that it can be reserved as one run', () => {
    const earmarks = twoLots();
    const holds = [reserve(earmarks, 20), reserve(earmarks, 20), reserve(earmarks, 20)];
    for (const index of [0, 2, 1]) earmarks.close(holds[index]!, 0);
    expect(text(reserve(earmarks, 100).ranges)).toBe('12[0,100)');
  });

  it('grow by the next tokens in order, joined where they follow each other', () => {
    const earmarks = twoLots();
    const hold = reserve(earmarks, 10);
    earmarks.grow(hold, 10);
    expect(text(hold.ranges)).toBe('12[0,20)');
    const other = reserve(earmarks, 5);
    earmarks.grow(hold, 10);
    expect(text(hold.ranges)).toBe('12[0,20) 12[25,35)');
    expect(text(earmarks.close(hold, 25))).toBe('12[0,20) 12[25,30)');
    expect(text(other.ranges)).toBe('12[20,25)');
  });

  it('count a hold until it is spent or given back', () => {
    const earmarks = twoLots();
    const hold = reserve(earmarks, 40);
    const used = earmarks.close(hold, 30);
    expect([earmarks.heldTokens(A, MARKET), earmarks.freeTokens(A, MARKET)]).toEqual([30, 170]);
    earmarks.spent(hold, used);
    expect([earmarks.heldTokens(A, MARKET), earmarks.freeTokens(A, MARKET)]).toEqual([0, 170]);
    const refused = reserve(earmarks, 5);
    const draws = earmarks.close(refused, 5);
    earmarks.giveBack(refused, draws);
    expect([earmarks.heldTokens(A, MARKET), earmarks.freeTokens(A, MARKET)]).toEqual([0, 170]);
  });

  it('forget a lot that was bought back, and what is given back to it', () => {
    const earmarks = twoLots();
    const hold = reserve(earmarks, 120);
    earmarks.follow({
      ...lotOf(12, 5, 100),
      type: 'lot',
      trade: 1,
      priceTicks: 1,
      issuer: S,
      unitTo: 1,
      tokensRemaining: 0,
      status: 'bought_back',
      opened: false,
    });
    expect(earmarks.freeTokens(A, MARKET)).toBe(80);
    earmarks.close(hold, 0);
    expect(earmarks.freeTokens(A, MARKET)).toBe(100);
  });
});

/** The naive pool: every token by itself, in drawing order, with the hold that has it. */
class NaivePool {
  readonly tokens: { key: string; owner: number | 'free' | 'gone' }[] = [];

  take(owner: number, count: number): string[] | undefined {
    const free = this.tokens.filter((token) => token.owner === 'free').slice(0, count);
    if (free.length < count) return undefined;
    for (const token of free) token.owner = owner;
    return free.map((token) => token.key);
  }

  close(owner: number, taken: readonly string[], used: number): void {
    const spent = new Set(taken.slice(0, used));
    for (const token of this.tokens) {
      if (token.owner === owner) token.owner = spent.has(token.key) ? 'gone' : 'free';
    }
  }

  count(owner: 'free' | 'gone'): number {
    return this.tokens.filter((token) => token.owner === owner).length;
  }
}

function tokensOf(ranges: readonly LotRange[]): string[] {
  return ranges.flatMap(({ lot, from, to }) =>
    Array.from({ length: to - from }, (_, index) => `${lot}:${from + index}`),
  );
}

const action = fc.record({
  kind: fc.constantFrom('reserve', 'reserve', 'grow', 'close', 'refuse'),
  at: fc.nat({ max: 50 }),
  tokens: fc.integer({ min: 1, max: 12 }),
});
const lots = fc.uniqueArray(
  fc.record({ acquisition: fc.integer({ min: 1, max: 9 }), size: fc.integer({ min: 1, max: 20 }) }),
  {
    minLength: 1,
    maxLength: 5,
    selector: (lot) => lot.acquisition,
  },
);

describe('earmarks beside a naive list of tokens', PATIENCE, () => {
  it('hand out the same tokens in the same order, never more than there are, each of them once', () => {
    const property = fc.property(lots, fc.array(action, { maxLength: 60, size: 'max' }), (sizes, actions) => {
      const earmarks = new Earmarks();
      const naive = new NaivePool();
      sizes.forEach(({ acquisition, size }, lot) => {
        earmarks.addLot(lotOf(lot, acquisition, size), [0, size]);
      });
      const inOrder = sizes
        .map((one, lot) => ({ ...one, lot }))
        .sort((a, b) => a.acquisition - b.acquisition);
      for (const { lot, size } of inOrder) {
        for (const key of tokensOf([{ lot, from: 0, to: size }])) naive.tokens.push({ key, owner: 'free' });
      }
      const open: { id: number; hold: Hold; taken: string[] }[] = [];
      const drawn: string[] = [];
      actions.forEach(({ kind, at, tokens }, id) => {
        const one = open[at % Math.max(1, open.length)];
        if (kind === 'reserve' || one === undefined) {
          const hold = earmarks.reserve(A, MARKET, tokens);
          const taken = naive.take(id, tokens);
          expect(hold && tokensOf(hold.ranges)).toEqual(taken);
          if (hold !== undefined && taken !== undefined) open.push({ id, hold, taken });
        } else if (kind === 'grow') {
          const more = naive.take(one.id, tokens);
          expect(earmarks.grow(one.hold, tokens)).toBe(more !== undefined);
          one.taken.push(...(more ?? []));
          expect(tokensOf(one.hold.ranges)).toEqual(one.taken);
        } else {
          open.splice(open.indexOf(one), 1);
          const used = Math.min(tokens, one.taken.length);
          const draws = earmarks.close(one.hold, used);
          expect(tokensOf(draws)).toEqual(one.taken.slice(0, used));
          if (kind === 'refuse') earmarks.giveBack(one.hold, draws);
          else {
            earmarks.spent(one.hold, draws);
            drawn.push(...tokensOf(draws));
          }
          naive.close(one.id, one.taken, kind === 'refuse' ? 0 : used);
        }
        expect(earmarks.freeTokens(A, MARKET)).toBe(naive.count('free'));
        const held = open.reduce((sum, { taken }) => sum + taken.length, 0);
        expect(earmarks.heldTokens(A, MARKET)).toBe(held);
      });
      expect(new Set(drawn).size).toBe(drawn.length);
      expect(drawn.length).toBe(naive.count('gone'));
    });
    check(property, { byDefault: 200, nightly: 20_000 });
  });
});

describe('earmarks and settlement', PATIENCE, () => {
  it('draws of interleaved holds are all accepted, and every token is drawn once', () => {
    const property = fc.property(
      fc.array(
        fc.record({
          tokens: fc.integer({ min: 1, max: 900_000 }),
          used: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        {
          minLength: 1,
          maxLength: 30,
          size: 'max',
        },
      ),
      fc.integer({ min: 1, max: 4 }),
      (requests, inFlight) => {
        const scene = Scene.open([S, A]);
        scene.card(A, '100');
        scene.stock(S, 10);
        for (const price of ['1.0000', '1.5000', '1.2500']) scene.sell(S, 2, price);
        const earmarks = new Earmarks();
        for (let index = 0; index < 3; index += 1) scene.buy(A, 2, '1.5000');
        const { events } = scene.run({
          kind: 'transfer_to_consumption',
          account: A,
          instrument: MARKET,
          quantityUnits: 6,
        });
        for (const event of events) if (event.type === 'lot') earmarks.follow(event);
        let drawn = 0;
        const open: { hold: Hold; used: number }[] = [];
        const end = (index: number): void => {
          const [{ hold, used }] = open.splice(index, 1) as [{ hold: Hold; used: number }];
          const draws = earmarks.close(hold, Math.floor(used * heldTokens(hold)));
          const outcome = scene.run({ kind: 'settle', account: A, instrument: MARKET, draws, servedBy: S });
          earmarks.spent(hold, draws);
          for (const event of eventsOf(outcome, 'lot')) earmarks.follow(event);
          drawn += eventsOf(outcome, 'settled')[0]!.tokens;
        };
        requests.forEach(({ tokens, used }, index) => {
          const hold = earmarks.reserve(A, MARKET, tokens);
          if (hold !== undefined) open.push({ hold, used });
          if (open.length >= inFlight) end(index % open.length);
        });
        while (open.length > 0) end(0);
        expect(earmarks.freeTokens(A, MARKET)).toBe(6_000_000 - drawn);
        expect(scene.exchange.balance(104, A, MARKET)).toBe(6_000_000 - drawn);
        checkInvariants(scene.exchange);
        const restarted = new Earmarks();
        for (const lot of scene.exchange.openLots()) restarted.addLot(lot, lot.free);
        expect(text(reserve(restarted, 6_000_000 - drawn || 0).ranges)).toBe(
          text(reserve(earmarks, 6_000_000 - drawn || 0).ranges),
        );
      },
    );
    check(property, { byDefault: 40, nightly: 3_000 });
  });
});
