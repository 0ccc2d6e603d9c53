/**
 * The workloads of the public matching-engine benchmark flash1-dev/matching-engine-benchmark (MIT), generated from their
 * description: a drifting mid price, a million orders around it, most of them amended or cancelled soon after.
 */

export interface Scenario {
  readonly name: string;
  readonly volatility: number;
  readonly swing: number;
  /** SHA-256 of the full report stream, as published. */
  readonly sha256: string;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'static',
    volatility: 0,
    swing: 0,
    sha256: '9803843ee404fc29c9a0aa5614f8f0d5a58b5c44fcac9ef89067886fcaaa30d1',
  },
  {
    name: 'normal',
    volatility: 0.15,
    swing: 0.02,
    sha256: 'e9b2e3926854410b01a035aeb25dd05f1e597c233be8263de9eb49b6713d367e',
  },
  {
    name: 'swing-25',
    volatility: 0.5,
    swing: 0.25,
    sha256: '61a84be9469661bd039e00dbc9a7c011e70b6ace37aadfe60045ea083b05f4df',
  },
  {
    name: 'swing-40',
    volatility: 0.5,
    swing: 0.4,
    sha256: '3cb0175e7982ff09ea220d1feaee3844cf9116a5ce455757879dea1d880b9b9f',
  },
  {
    name: 'flash-crash',
    volatility: 0.5,
    swing: 0.6,
    sha256: 'cff8d3f94b709fc64a8b2058a6ca4fb6920364904796e46906895e362d2bb16b',
  },
];

const COUNT = 1_000_000;
const SEED = 23;
const START_PRICE = 167.52;
const TICK = 0.005;
const LEVELS = 800;

/** The 32-bit Mersenne Twister with its standard seeding. */
class MersenneTwister {
  private readonly words = new Uint32Array(624);
  private index = 624;

  constructor(seed: number) {
    this.words[0] = seed;
    for (let index = 1; index < 624; index += 1) {
      const previous = this.words[index - 1]!;
      this.words[index] = Math.imul(1_812_433_253, previous ^ (previous >>> 30)) + index;
    }
  }

  private next(): number {
    if (this.index === 624) this.refill();
    let word = this.words[this.index]!;
    this.index += 1;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  private refill(): void {
    const { words } = this;
    for (let index = 0; index < 624; index += 1) {
      const joined = (words[index]! & 0x80000000) | (words[(index + 1) % 624]! & 0x7fffffff);
      words[index] = words[(index + 397) % 624]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    this.index = 0;
  }

  /** 53 bits from two words, in [0, 1). */
  uniform(): number {
    const high = this.next() >>> 5;
    const low = this.next() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** An integer from `from` to `to`, both included. */
  integer(from: number, to: number): number {
    return from + Math.trunc(this.uniform() * (to - from + 1));
  }

  normal(): number {
    const first = Math.max(this.uniform(), 1e-300);
    return Math.sqrt(-2 * Math.log(first)) * Math.cos(2 * Math.PI * this.uniform());
  }

  exponential(rate: number): number {
    return -Math.log(Math.max(this.uniform(), 1e-300)) / rate;
  }
}

/** Cumulative weights of the distance from the mid price. */
function levelWeights(): Float64Array {
  const cumulative = new Float64Array(LEVELS);
  let total = 0;
  for (let level = 0; level < LEVELS; level += 1) {
    total += (level + 1) ** -2.23 + 5 * Math.exp(-((level - 8) ** 2) / 2);
    cumulative[level] = total;
  }
  return cumulative;
}

/** Index of the first element that is not below `wanted`. */
function lowerBound(sorted: Float64Array, wanted: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Orders {
  readonly price: Int32Array;
  readonly level: Int32Array;
  readonly quantity: Int32Array;
}

function drawOrders(random: MersenneTwister, scenario: Scenario): Orders {
  const orders = {
    price: new Int32Array(COUNT),
    level: new Int32Array(COUNT),
    quantity: new Int32Array(COUNT),
  };
  const { volatility, swing } = scenario;
  const step = volatility === 0 ? 0 : (swing / volatility) ** 2 / COUNT;
  const sigma = volatility * Math.sqrt(step);
  const weights = levelWeights();
  const total = weights[LEVELS - 1]!;
  let mid = START_PRICE;
  for (let index = 0; index < COUNT; index += 1) {
    mid *= Math.exp((-sigma * sigma) / 2 + sigma * random.normal());
    const level = lowerBound(weights, random.uniform() * total);
    const away = index < COUNT / 2 ? -(level + 1) : level + 1;
    orders.price[index] = Math.max(1, Math.round(mid / TICK) + away);
    orders.level[index] = level;
    orders.quantity[index] = random.integer(1, 100);
  }
  return orders;
}

function shuffled(random: MersenneTwister): Int32Array {
  const order = new Int32Array(COUNT).map((_, index) => index);
  for (let index = COUNT - 1; index > 0; index -= 1) {
    const other = random.integer(0, index);
    [order[index], order[other]] = [order[other]!, order[index]!];
  }
  return order;
}

/** What receives the messages, in time order. Side 0 buys, 1 sells. */
export interface MessageSink {
  place(
    order: { id: number; side: 0 | 1; price: number; quantity: number },
    life: 'rest' | 'immediate',
  ): void;
  modify(id: number, price: number, quantity: number): void;
  cancel(id: number): void;
}

/** Feeds the two million messages of a scenario to a sink. Times only decide their order, which is that of the draws. */
export function playScenario(scenario: Scenario, sink: MessageSink): void {
  const random = new MersenneTwister(SEED);
  const orders = drawOrders(random, scenario);
  for (const index of shuffled(random)) playOrder(random, orders, index, sink);
}

function playOrder(random: MersenneTwister, orders: Orders, index: number, sink: MessageSink): void {
  const id = index + 1;
  const side = index < COUNT / 2 ? 0 : 1;
  const order = { id, side, price: orders.price[index]!, quantity: orders.quantity[index]! } as const;
  if (random.uniform() < 0.15) {
    sink.place(order, 'immediate');
    return;
  }
  sink.place(order, 'rest');
  let amended: { price: number; quantity: number } | undefined;
  if (random.uniform() < 0.2) {
    random.uniform();
    const isMoved = random.uniform() < 0.8;
    const price = isMoved ? order.price + (side === 0 ? 1 : -1) : order.price;
    amended = { price, quantity: order.quantity + 1 };
    sink.modify(id, amended.price, amended.quantity);
  }
  if (random.uniform() >= 0.95) return;
  random.exponential(Math.LN2 / 431 / Math.sqrt(1 + orders.level[index]!));
  sink.cancel(id);
  if (random.uniform() < 0.02) {
    random.uniform();
    sink.cancel(id);
  }
  if (amended !== undefined && random.uniform() < 0.02) {
    random.uniform();
    sink.modify(id, amended.price, amended.quantity);
  }
}
