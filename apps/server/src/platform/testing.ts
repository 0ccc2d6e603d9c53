/** Helpers of the platform's tests. Nothing of the program imports this file. */
import { openSequencer } from '../sequencer/testing.ts';
import type { Sequencer } from '../sequencer/types.ts';
import type { Database } from '../store/database.ts';
import { type Account, Accounts, type NewAccount } from './accounts.ts';
import { ConsumptionKeys } from './keys.ts';

export const PEPPER = Buffer.alloc(32, 7);
export const START_MS = 1_767_225_600_000;

/** A clock that stands still until it is moved. */
export class TestClock {
  nowMs = START_MS;
  readonly read = (): number => this.nowMs;
}

export interface Platform {
  readonly database: Database;
  readonly sequencer: Sequencer;
  readonly accounts: Accounts;
  readonly keys: ConsumptionKeys;
  readonly clock: TestClock;
}

export async function openPlatform(
  database: Database,
  options: { emailVerification?: 'on' | 'off'; sequencer?: Sequencer } = {},
): Promise<Platform> {
  const clock = new TestClock();
  const sequencer = options.sequencer ?? (await openSequencer(database, { clock: clock.read }));
  const { emailVerification = 'on' } = options;
  const accounts = await Accounts.load({ database, sequencer, emailVerification, clock: clock.read });
  const keys = await ConsumptionKeys.load({ database, accounts, pepper: PEPPER, clock: clock.read });
  return { database, sequencer, accounts, keys, clock };
}

/** Creates an account and insists on it. */
export async function account(platform: Platform, input: Partial<NewAccount> = {}): Promise<Account> {
  const created = await platform.accounts.create({ email: 'a@example.com', isEmailVerified: true, ...input });
  if (!created.ok) throw new Error(`refused: ${created.error.code}`);
  return created.value;
}
