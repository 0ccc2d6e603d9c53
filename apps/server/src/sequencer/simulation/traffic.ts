/** What clients of the simulated program do, and what befalls it. */
import { accepted, BUYER, buy, INSTRUMENT, receiptFacts, SUPPLIER, seedMarket } from '../testing.ts';
import type { Weather } from './remote-store.ts';
import type { Dice } from './schedule.ts';
import type { Leader, World } from './world.ts';

/** Lets the first process set the market up, before anything goes wrong. */
export async function setUp(leader: Leader): Promise<void> {
  const sequencer = leader.sequencer!;
  await seedMarket(sequencer);
  const owner = { account: SUPPLIER, instrument: INSTRUMENT };
  await accepted(sequencer, { kind: 'issue', ...owner, quantityUnits: 5_000 });
  await accepted(sequencer, { kind: 'transfer_issued', ...owner, quantityUnits: 5_000 });
  await accepted(sequencer, { kind: 'credit', account: BUYER, origin: 'card', amountMicros: 9_000_000_000 });
}

/** One client: bursts of commands with pauses, until told to stop. */
export class Client {
  private readonly world: World;
  private readonly dice: Dice;
  private readonly orders: { readonly account: number; readonly order: number }[] = [];

  constructor(world: World, dice: Dice) {
    this.world = world;
    this.dice = dice;
  }

  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.world.schedule.pause(this.dice.between(0, 400));
      const leaders = this.world.reachable;
      if (leaders.length === 0) continue;
      // Most find their way to the newest process; some still have a connection to an older one.
      const leader = this.dice.chance(0.8) ? leaders.at(-1)! : this.dice.pick(leaders);
      const burst = Array.from({ length: this.dice.between(1, 6) }, () => this.act(leader));
      await Promise.all(burst);
    }
  }

  private async act(leader: Leader): Promise<void> {
    const roll = this.dice.next();
    if (roll < 0.26) await this.place(leader, 'sell');
    else if (roll < 0.52) await this.place(leader, 'buy');
    else if (roll < 0.62) await this.cancel(leader);
    else if (roll < 0.71) await this.amend(leader);
    else if (roll < 0.74) await this.arm(leader);
    else if (roll < 0.85) await this.consume(leader);
    else if (roll < 0.9) await this.world.send(leader, buy(10_000));
    else if (roll < 0.95) await this.world.send(leader, buy(this.dice.between(1, 3)));
    else if (roll < 0.96) await this.callAuction(leader);
    else await this.credit(leader);
  }

  private async place(leader: Leader, side: 'buy' | 'sell'): Promise<void> {
    const account = side === 'buy' ? BUYER : SUPPLIER;
    const told = await this.world.send(
      leader,
      {
        kind: 'place_order',
        account,
        instrument: INSTRUMENT,
        side,
        type: 'limit',
        quantityUnits: this.dice.between(1, 5),
        priceTicks: 25_000 + this.dice.between(-5, 5),
        ...this.life(),
        autotransfer: this.dice.chance(0.5),
      },
      { signatureReplay: { keyId: 'key', hash: Buffer.from(`${this.world.sent.length}`) } },
    );
    if (typeof told === 'object' && told.ok) this.orders.push({ account, order: told.outcome.order! });
  }

  /** Some orders end by themselves, within the simulated time. */
  private life(): { timeInForce: 'gtc' | 'ioc' } | { timeInForce: 'gtd'; expiresAtMs: number } {
    const timeInForce = this.dice.pick(['gtc', 'gtc', 'ioc', 'gtd'] as const);
    if (timeInForce !== 'gtd') return { timeInForce };
    return { timeInForce, expiresAtMs: this.world.schedule.nowMs + this.dice.between(1, 4_000) };
  }

  private async amend(leader: Leader): Promise<void> {
    if (this.orders.length === 0) return;
    const quantityUnits = this.dice.between(1, 6);
    const priceTicks = 25_000 + this.dice.between(-5, 5);
    const change = this.dice.chance(0.5) ? { quantityUnits } : { priceTicks };
    await this.world.send(leader, { kind: 'amend_order', ...this.dice.pick(this.orders), ...change });
  }

  private async arm(leader: Leader): Promise<void> {
    const account = this.dice.pick([BUYER, SUPPLIER]);
    const timeoutMs = this.dice.pick([0, 5_000, 5_000]);
    await this.world.send(leader, { kind: 'arm_cancel_timer', account, timeoutMs });
  }

  private async cancel(leader: Leader): Promise<void> {
    if (this.orders.length === 0) return;
    await this.world.send(leader, { kind: 'cancel_order', ...this.dice.pick(this.orders) });
  }

  /** An auction, which ends by itself. */
  private async callAuction(leader: Leader): Promise<void> {
    const auctionMs = this.dice.between(1, 2_000);
    const market = { instrument: INSTRUMENT, state: 'auction', auctionMs } as const;
    await this.world.send(leader, { kind: 'set_trading_state', ...market });
  }

  private async credit(leader: Leader): Promise<void> {
    const amountMicros = this.dice.between(1, 1_000);
    await this.world.send(leader, { kind: 'credit', account: BUYER, origin: 'card', amountMicros });
  }

  /** Holds, draws and settles as the inference room does. */
  private async consume(leader: Leader): Promise<void> {
    const { earmarks } = leader.sequencer!;
    const owner = { account: BUYER, instrument: INSTRUMENT };
    const tokens = this.dice.between(100, 400_000);
    const hold = earmarks.reserve(BUYER, INSTRUMENT, tokens);
    if (hold === undefined) return;
    const draws = earmarks.close(hold, tokens);
    const receipt = receiptFacts(`req_${this.world.sent.length}`, { input: 10, output: tokens - 10 });
    const told = await this.world.send(
      leader,
      { kind: 'settle', ...owner, draws, servedBy: SUPPLIER },
      { receipt },
    );
    if (told === 'unknown') leader.hasOpenHolds = true;
    else if (typeof told === 'object' && told.ok) earmarks.spent(owner, draws);
    else earmarks.giveBack(owner, draws);
  }
}

/** Kills, freezes, takeovers, outages and clocks that jump, at random times until told to stop. */
export class Misfortune {
  private readonly world: World;
  private readonly dice: Dice;
  private readonly weather: Weather;

  constructor(world: World, dice: Dice, weather: Weather) {
    this.world = world;
    this.dice = dice;
    this.weather = weather;
  }

  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.world.schedule.pause(this.dice.between(10, 2_500));
      if (!isOver()) this.befall(this.dice.pick(this.world.leaders.slice(-3)));
    }
  }

  private befall(leader: Leader): void {
    const roll = this.dice.next();
    const { schedule } = this.world;
    if (roll < 0.2) {
      leader.process.die();
    } else if (roll < 0.45) {
      leader.process.freeze();
      schedule.at(this.dice.between(10, 20_000), () => leader.process.thaw());
    } else if (roll < 0.6) {
      this.world.start();
    } else if (roll < 0.8) {
      this.weather.outageUntilMs = schedule.nowMs + this.dice.between(10, 25_000);
    } else if (roll < 0.9) {
      leader.process.skewMs = this.dice.between(-60_000, 5_000);
    } else if (leader.sequencer !== undefined) {
      this.end(leader);
    }
  }

  /** An orderly end, as on SIGTERM. */
  private end(leader: Leader): void {
    leader.process.run(() => {
      const end = (): void => leader.process.die();
      leader.sequencer!.close().then(end, end);
    });
  }
}

/** Starts another process when none runs. */
export async function supervise(world: World, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await world.schedule.pause(200);
    if (world.leaders.every(({ process }) => process.isDead)) world.start();
  }
}
