/**
 * The workloads of the public matching-engine benchmark flash1-dev/matching-engine-benchmark (MIT), generated from their
 * description: a drifting mid price, a million orders around it, most of them amended or cancelled soon after. All of an
 * order's messages follow each other, so they only ever touch the last order of a level.
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
/** An order and its amend, cancel, second cancel and late amend. */
const MOST_MESSAGES = 5 * COUNT;

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

/** Kinds of messages: an order that may rest, one that may not, an amend with its new price and quantity, a cancel. */
export const MESSAGE = { rest: 0, immediate: 1, modify: 2, cancel: 3 } as const;

/** A stream of messages as columns, in time order. Side 0 buys, 1 sells. */
export interface PublicWorkload {
  readonly count: number;
  readonly kind: Uint8Array;
  readonly id: Int32Array;
  readonly side: Uint8Array;
  readonly price: Int32Array;
  readonly quantity: Int32Array;
}

/** What was drawn for each order. Draws do not depend on the scenario: only prices do, through the step of the mid. */
interface Draws {
  readonly normal: Float64Array;
  readonly level: Int32Array;
  readonly quantity: Int32Array;
}

function drawOrders(random: MersenneTwister): Draws {
  const normal = new Float64Array(COUNT);
  const level = new Int32Array(COUNT);
  const quantity = new Int32Array(COUNT);
  const weights = levelWeights();
  const total = weights[LEVELS - 1]!;
  for (let index = 0; index < COUNT; index += 1) {
    normal[index] = random.normal();
    level[index] = lowerBound(weights, random.uniform() * total);
    quantity[index] = random.integer(1, 100);
  }
  return { normal, level, quantity };
}

function shuffled(random: MersenneTwister): Int32Array {
  const order = new Int32Array(COUNT).map((_, index) => index);
  for (let index = COUNT - 1; index > 0; index -= 1) {
    const other = random.integer(0, index);
    const moved = order[index]!;
    order[index] = order[other]!;
    order[other] = moved;
  }
  return order;
}

/** The messages without their prices: how far each is from the price its order began with. */
class Script {
  count = 0;
  readonly kind = new Uint8Array(MOST_MESSAGES);
  readonly id = new Int32Array(MOST_MESSAGES);
  readonly side = new Uint8Array(MOST_MESSAGES);
  readonly quantity = new Int32Array(MOST_MESSAGES);
  readonly shift = new Int8Array(MOST_MESSAGES);

  add(kind: number, index: number, change: { quantity: number; shift: number }): void {
    const at = this.count;
    this.kind[at] = kind;
    this.id[at] = index + 1;
    this.side[at] = index < COUNT / 2 ? 0 : 1;
    this.quantity[at] = change.quantity;
    this.shift[at] = change.shift;
    this.count += 1;
  }
}

/** Draws an order's life. The times that are drawn decide nothing: the messages come out in time order as they are. */
function scriptOrder(random: MersenneTwister, draws: Draws, index: number, script: Script): void {
  const first = { quantity: draws.quantity[index]!, shift: 0 };
  if (random.uniform() < 0.15) {
    script.add(MESSAGE.immediate, index, first);
    return;
  }
  script.add(MESSAGE.rest, index, first);
  let amended: { quantity: number; shift: number } | undefined;
  if (random.uniform() < 0.2) {
    random.uniform();
    const isMoved = random.uniform() < 0.8;
    const towards = index < COUNT / 2 ? 1 : -1;
    amended = { quantity: first.quantity + 1, shift: isMoved ? towards : 0 };
    script.add(MESSAGE.modify, index, amended);
  }
  if (random.uniform() >= 0.95) return;
  random.exponential(Math.LN2 / 431 / Math.sqrt(1 + draws.level[index]!));
  script.add(MESSAGE.cancel, index, first);
  if (random.uniform() < 0.02) {
    random.uniform();
    script.add(MESSAGE.cancel, index, first);
  }
  if (amended !== undefined && random.uniform() < 0.02) {
    random.uniform();
    script.add(MESSAGE.modify, index, amended);
  }
}

/** Price of each order by its index. */
function pricesOf(draws: Draws, { volatility, swing }: Scenario): Int32Array {
  const price = new Int32Array(COUNT);
  const step = volatility === 0 ? 0 : (swing / volatility) ** 2 / COUNT;
  const sigma = volatility * Math.sqrt(step);
  let mid = START_PRICE;
  for (let index = 0; index < COUNT; index += 1) {
    mid *= Math.exp((-sigma * sigma) / 2 + sigma * draws.normal[index]!);
    const distance = draws.level[index]! + 1;
    const away = index < COUNT / 2 ? -distance : distance;
    price[index] = Math.max(1, Math.round(mid / TICK) + away);
  }
  return price;
}

/** Makes the workloads. What they have in common is drawn once, in about a second. */
export class PublicWorkloads {
  private readonly draws: Draws;
  private readonly script = new Script();

  constructor() {
    const random = new MersenneTwister(SEED);
    this.draws = drawOrders(random);
    for (const index of shuffled(random)) scriptOrder(random, this.draws, index, this.script);
  }

  /** The two million messages of a scenario. */
  of(scenario: Scenario): PublicWorkload {
    const { count, kind, id, side, quantity, shift } = this.script;
    const prices = pricesOf(this.draws, scenario);
    const price = new Int32Array(count);
    for (let at = 0; at < count; at += 1) price[at] = prices[id[at]! - 1]! + shift[at]!;
    return { count, kind, id, side, price, quantity };
  }
}
