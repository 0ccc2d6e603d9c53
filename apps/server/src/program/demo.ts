import { GridFailure, gridError } from '@opengrid/wire';
import type { InstrumentCatalogue } from '../ports/catalogue.ts';
import type { Sequencer } from '../sequencer/types.ts';
import { BUILTIN_CAPABILITIES } from '../suppliers/capabilities.ts';
import type { SupplierRegistry } from '../suppliers/registry.ts';
import type { AdminActs } from './admin-socket.ts';

export const BUILTIN_SUPPLIER_NAME = 'OpenGrid built-in n-gram model';
export const OPERATOR_EMAIL = 'operator@example.com';
export const BUYER_EMAIL = 'buyer@example.com';
const DEMO_KEY_NAME = 'demo';
const BUYER_CREDIT_MICROS = 25_000_000;
const BUILTIN_CONCURRENCY = 256;

/** Units offered per instrument, as shares of the configured reference price in percent. */
const OFFERS: readonly { readonly units: number; readonly percent: number }[] = [
  { units: 40, percent: 100 },
  { units: 120, percent: 102 },
  { units: 400, percent: 105 },
];

export const DEMO_INSTRUMENTS = ['text-standard', 'text-prime', 'code-prime', 'agent-standard'] as const;

export interface DemoDeps {
  readonly acts: AdminActs;
  readonly suppliers: SupplierRegistry;
  readonly instruments: InstrumentCatalogue;
  readonly sequencer: Sequencer;
  /** Where the built-in supplier runs; undefined when it is switched off. */
  readonly builtin: { readonly baseUrl: string; readonly apiKey: string; readonly model: string } | undefined;
  readonly onProgress: (message: string) => void;
}

/**
 * Seeds the demo market on the first start: an operator, the built-in supplier with real sell orders, and a buyer in easy
 * mode with credit. Every step looks first whether it was done, so a start that was cut short goes on where it ended.
 */
export async function seedDemo(deps: DemoDeps): Promise<void> {
  const { acts } = deps;
  await ensureAccount(acts, OPERATOR_EMAIL, 'operator');
  if (deps.builtin !== undefined) await ensureBuiltin(deps, deps.builtin);
  const isNewBuyer = (await acts.findAccount(BUYER_EMAIL)) === undefined;
  const buyer = await ensureAccount(acts, BUYER_EMAIL, 'member');
  if (await hasDemoKey(acts)) return;
  if (isNewBuyer || acts.balanceMicros(buyer.accountNumber) === 0) {
    deps.onProgress('crediting the demo buyer');
    await acts.grantCredit(buyer.accountNumber, BUYER_CREDIT_MICROS);
  }
}

/**
 * Makes the buyer's key, once. It is the last step of a start: a key that was made by a start that then fails, because
 * its port is taken for instance, would never be shown.
 * @returns the key when it was made now; it cannot be shown again.
 */
export async function makeDemoKey(acts: AdminActs): Promise<string | undefined> {
  if (await hasDemoKey(acts)) return undefined;
  const buyer = await acts.findAccount(BUYER_EMAIL);
  if (buyer === undefined) return undefined;
  const { key } = await acts.createKey(buyer, { name: DEMO_KEY_NAME });
  return key;
}

async function hasDemoKey(acts: AdminActs): Promise<boolean> {
  const keys = await acts.listKeys();
  return keys.some((key) => key.name === DEMO_KEY_NAME);
}

async function ensureAccount(acts: AdminActs, email: string, role: 'member' | 'operator') {
  const existing = await acts.findAccount(email);
  return existing ?? acts.createAccount({ email, role, mode: role === 'operator' ? 'advanced' : 'easy' });
}

async function ensureBuiltin(deps: DemoDeps, builtin: NonNullable<DemoDeps['builtin']>): Promise<void> {
  const { suppliers, instruments } = deps;
  const markets = DEMO_INSTRUMENTS.map((symbol) => instruments.find(symbol)!);
  let supplier = suppliers.builtin();
  if (supplier === undefined) {
    deps.onProgress('seeding the demo market');
    const added = await suppliers.add({
      name: BUILTIN_SUPPLIER_NAME,
      baseUrl: builtin.baseUrl,
      credential: builtin.apiKey,
      upstreamModel: builtin.model,
      capabilities: BUILTIN_CAPABILITIES,
      maxConcurrency: BUILTIN_CONCURRENCY,
      instruments: markets.map(({ instrumentNo }) => instrumentNo),
      isBuiltin: true,
    });
    supplier = added.supplier;
  }
  for (const { instrumentNo } of markets) await ensureOffers(deps, supplier.supplierId, instrumentNo);
}

async function ensureOffers(deps: DemoDeps, supplierId: string, instrumentNo: number): Promise<void> {
  const { exchange } = deps.sequencer;
  const isTraded = (exchange.marketStatus(instrumentNo)?.sequence ?? 0) > 1;
  if (isTraded) return;
  const reference = exchange.rulesOf(instrumentNo)?.referencePriceTicks;
  if (reference === null || reference === undefined) throw new GridFailure(gridError('no_reference_price'));
  for (const { units, percent } of OFFERS) {
    const priceTicks = Math.round((reference * percent) / 100);
    await deps.suppliers.offer(supplierId, { instrumentNo, quantityUnits: units, priceTicks });
  }
}
