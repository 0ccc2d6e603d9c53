import * as fc from 'fast-check';
import type { Command, MarketRules, PlaceOrder } from '../commands.ts';
import { RULES, Scene } from './scene.ts';

/** Two suppliers, three users, an operator; one account number is never opened. */
export const SUPPLIERS = [1, 2] as const;
export const USERS = [3, 4, 5] as const;
export const OPERATOR = 6;
const STRANGER = 99;
export const HIGHEST_TAKER_BPS = 333;
const INSTRUMENTS = [1, 2] as const;
const DAY_MS = 86_400_000;

/** Narrow enough that orders meet, wide enough for several levels; now and then absurd. */
const priceTicks = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 24_994, max: 25_006 }) },
  { weight: 3, arbitrary: fc.integer({ min: 15_000, max: 40_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 2 ** 30, 2 ** 31 - 2, 2 ** 31, 1.5) },
);
const quantityUnits = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, 2.5, 10_000, 1_000_000_000, 2 ** 53) },
);
const amountMicros = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 1, max: 60_000_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -5, 0.5, 2 ** 51, 2 ** 53) },
);
const account = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom(...SUPPLIERS, ...USERS) },
  { weight: 1, arbitrary: fc.constant(STRANGER) },
);
const instrument = fc.constantFrom(1, 1, 1, 1, 2);

const placing: fc.Arbitrary<PlaceOrder> = fc
  .record({
    account,
    instrument,
    lean: fc.nat({ max: 9 }),
    style: fc.constantFrom(
      ...([
        'gtc',
        'gtc',
        'gtc',
        'gtc',
        'gtc',
        'post_only',
        'ioc',
        'fok',
        'market',
        'auto',
        'gtd',
        'day',
      ] as const),
    ),
    priceTicks,
    quantityUnits,
    autotransfer: fc.boolean(),
    selfTradePrevention: fc.constantFrom('cancel_newest', 'cancel_oldest', 'cancel_both', 'decrement'),
  })
  .map(({ style, lean, ...rest }) => {
    // Suppliers mostly sell and users mostly buy, so that there is something to trade.
    const isSupplier = rest.account <= SUPPLIERS.length;
    const side = isSupplier === lean < 8 ? 'sell' : 'buy';
    return orderOf(style, { ...rest, side } as Omit<PlaceOrder, 'kind' | 'type' | 'timeInForce'>);
  });

function orderOf(style: string, rest: Omit<PlaceOrder, 'kind' | 'type' | 'timeInForce'>): PlaceOrder {
  const base = { ...rest, kind: 'place_order' as const };
  if (style === 'market') return { ...base, type: 'market', timeInForce: 'ioc', priceTicks: null };
  if (style === 'auto')
    return {
      ...base,
      type: 'market',
      timeInForce: 'ioc',
      priceTicks: null,
      side: 'buy',
      origin: 'auto_buy',
      easyMode: true,
    };
  const lives = ['ioc', 'fok', 'gtd', 'day'] as const;
  const timeInForce = lives.find((life) => life === style) ?? 'gtc';
  return { ...base, type: 'limit', timeInForce, postOnly: style === 'post_only' };
}

const rules: fc.Arbitrary<MarketRules> = fc.record({
  ...Object.fromEntries(Object.entries(RULES).map(([key, value]) => [key, fc.constant(value)])),
  takerBps: fc.constantFrom(13, 50, HIGHEST_TAKER_BPS),
  makerBps: fc.constantFrom(0, 0, 7, 13),
  maxOpenOrders: fc.constantFrom(3, 500),
}) as fc.Arbitrary<MarketRules>;

const supplying: fc.Arbitrary<Command> = fc.record({
  kind: fc.constantFrom(
    'issue',
    'issue',
    'transfer_issued',
    'transfer_issued',
    'transfer_issued',
    'retire_issued',
  ),
  account: fc.constantFrom(...SUPPLIERS),
  instrument,
  quantityUnits: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 60 }) }, quantityUnits),
}) as fc.Arbitrary<Command>;

const moneyMoving: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: fc.constant('credit' as const),
    account,
    origin: fc.constantFrom('card' as const, 'promotional' as const),
    amountMicros,
  }),
  fc.record({ kind: fc.constant('fund_reserve' as const), amountMicros }),
  fc.record({ kind: fc.constant('lock_collateral' as const), account, amountMicros }),
  fc.record({ kind: fc.constant('open_refund' as const), account, amountMicros }),
  fc.record({
    kind: fc.constant('close_refund' as const),
    account,
    amountMicros,
    outcome: fc.constantFrom('succeeded' as const, 'failed' as const),
  }),
);

const cancelling: fc.Arbitrary<Command> = fc
  .record({
    account,
    instrument: fc.constantFrom(undefined, 1, 2),
    side: fc.constantFrom(undefined, 'buy' as const, 'sell' as const),
    orders: fc.oneof(fc.constant(undefined), fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 20 })),
    reason: fc.constantFrom(
      ...(['bulk_cancel', 'bulk_cancel', 'mode_switched', 'key_revoked', 'cancel_on_disconnect'] as const),
    ),
  })
  .map((members) => given({ kind: 'cancel_orders' as const, ...members }) as Command);

const timing: fc.Arbitrary<Command> = fc
  .record({
    account,
    instrument: fc.constantFrom(undefined, undefined, 1, 2),
    timeoutMs: fc.constantFrom(0, 4_999, 5_000, 60_000, 600_000, 600_001),
  })
  .map((members) => given({ kind: 'arm_cancel_timer' as const, ...members }) as Command);

/** The members that are there. */
export function given(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

const rare: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: fc.constant('terminate_supplier' as const),
    account: fc.constantFrom(...SUPPLIERS),
    instrument,
  }),
  fc.record({
    kind: fc.constant('open_dispute' as const),
    account: fc.constantFrom(...USERS, ...SUPPLIERS),
    amountMicros,
  }),
  fc.record({
    kind: fc.constant('close_dispute' as const),
    account: fc.constantFrom(...USERS, ...SUPPLIERS),
    amountMicros,
    outcome: fc.constantFrom('won' as const, 'won' as const, 'lost' as const),
    processorFeeMicros: fc.constantFrom(0, 15_000_000),
    operator: fc.constantFrom(OPERATOR, OPERATOR, 1),
  }),
  fc.record({ kind: fc.constant('configure_market' as const), instrument, rules }),
  fc.record({
    kind: fc.constant('set_trading_state' as const),
    instrument,
    state: fc.constantFrom('open', 'open', 'open', 'open', 'cancel_only', 'halted', 'halted', 'closed'),
  }) as fc.Arbitrary<Command>,
  fc
    .record({
      instrument,
      state: fc.constantFrom('auction', 'auction', 'post_only', 'open'),
      auctionMs: fc.constantFrom(undefined, 1, 60_000, 0),
    })
    .map((members) => given({ kind: 'set_trading_state', ...members }) as Command),
  fc.record({
    kind: fc.constant('set_standing' as const),
    account: fc.constantFrom(...USERS, ...SUPPLIERS),
    suspended: fc.constantFrom(true, false, false),
  }),
);

/** What depends on the state at hand: which order, which lot, how long the clock runs. */
export type Step =
  | { readonly command: Command }
  | { readonly placing: PlaceOrder; readonly lifeMs: number }
  | { readonly cancelAt: number; readonly foreign: boolean }
  | {
      readonly amendAt: number;
      readonly foreign: boolean;
      readonly moreUnits: number | undefined;
      readonly priceTicks: number | undefined;
      readonly life: 'gtc' | 'gtd' | 'day' | undefined;
      readonly lifeMs: number | undefined;
    }
  | { readonly bringBackOf: number; readonly units: number; readonly shift: number }
  | { readonly waitMs: number }
  | {
      readonly consumeOf: number;
      readonly tokens: number;
      readonly skip: number;
      readonly servedBy: number;
      readonly failed: boolean;
      readonly price: number | null;
    };

const steps: { weight: number; arbitrary: fc.Arbitrary<Step> }[] = [
  { weight: 40, arbitrary: fc.record({ placing, lifeMs: fc.constantFrom(1, 1_000, 60_000, DAY_MS, 0) }) },
  {
    weight: 10,
    arbitrary: fc.record({
      amendAt: fc.nat({ max: 1_000 }),
      foreign: fc.constantFrom(false, false, false, false, true),
      moreUnits: fc.oneof(
        { weight: 3, arbitrary: fc.constant(undefined) },
        { weight: 6, arbitrary: fc.integer({ min: -6, max: 4 }) },
      ),
      priceTicks: fc.oneof(
        { weight: 2, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: priceTicks },
      ),
      life: fc.constantFrom(undefined, undefined, undefined, 'gtc', 'gtd', 'day'),
      lifeMs: fc.constantFrom(undefined, 1, 60_000, 60_000, 0),
    }),
  },
  { weight: 3, arbitrary: cancelling.map((command) => ({ command })) },
  { weight: 3, arbitrary: timing.map((command) => ({ command })) },
  {
    weight: 4,
    arbitrary: fc.record({
      bringBackOf: fc.constantFrom(...SUPPLIERS, ...USERS),
      units: fc.integer({ min: 1, max: 4 }),
      shift: fc.constantFrom(0, 0, 0, 0, 1),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ cancelAt: fc.nat({ max: 1_000 }), foreign: fc.constantFrom(false, false, true) }),
  },
  { weight: 10, arbitrary: supplying.map((command) => ({ command })) },
  { weight: 6, arbitrary: moneyMoving.map((command) => ({ command })) },
  {
    weight: 8,
    arbitrary: fc
      .record({
        kind: fc.constant('transfer_to_consumption' as const),
        account,
        instrument,
        quantityUnits,
      })
      .map((command) => ({ command })),
  },
  {
    weight: 14,
    arbitrary: fc.record({
      consumeOf: fc.constantFrom(...SUPPLIERS, ...USERS),
      tokens: fc.integer({ min: 1, max: 4_000_000 }),
      skip: fc.constantFrom(0, 0, 0, 100_000),
      servedBy: fc.constantFrom(...SUPPLIERS, ...SUPPLIERS, STRANGER),
      failed: fc.boolean(),
      price: fc.constantFrom(null, 20_000, 26_000, 27_000, 90_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ waitMs: fc.constantFrom(1, 60_000, 300_000, 3_600_000, DAY_MS) }) },
];

/** What users and suppliers do. */
export const commonStep: fc.Arbitrary<Step> = fc.oneof(...steps);

/** The same with what operators and courts do: disputes, terminations, new rules, other trading states. */
export const step: fc.Arbitrary<Step> = fc.oneof(...steps, {
  weight: 1,
  arbitrary: rare.map((command) => ({ command })),
});

/** Markets that hardly ever stay open: halts, auctions and openings between what users do. */
export const turbulentStep: fc.Arbitrary<Step> = fc.oneof(
  ...steps,
  { weight: 1, arbitrary: rare.map((command) => ({ command })) },
  {
    weight: 9,
    arbitrary: fc
      .record({
        instrument,
        state: fc.constantFrom(
          'auction',
          'auction',
          'auction',
          'open',
          'open',
          'halted',
          'cancel_only',
          'post_only',
        ),
        auctionMs: fc.constantFrom(undefined, 1, 60_000),
      })
      .map((members) => ({ command: given({ kind: 'set_trading_state', ...members }) as Command })),
  },
);

/** Accounts with money, suppliers with stock. */
export function openingScene(rules = RULES): Scene {
  const scene = Scene.open([...SUPPLIERS, ...USERS, OPERATOR], rules);
  scene.run({
    kind: 'open_market',
    instrument: INSTRUMENTS[1],
    rules: { ...RULES, takerBps: 7, makerBps: 3 },
  });
  for (const user of USERS) {
    scene.card(user, '300');
    scene.promotion(user, '40');
  }
  for (const supplier of SUPPLIERS) {
    scene.card(supplier, '50');
    scene.stock(supplier, 400);
    scene.stock(supplier, 20, 2);
  }
  return scene;
}
