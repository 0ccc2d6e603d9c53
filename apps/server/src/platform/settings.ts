import { z } from 'zod';
import type { Caller } from '../ports/identity.ts';

export type AccountMode = 'easy' | 'advanced';

const units = z.number().int().min(1).max(10_000);
const tokens = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const micros = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Settings of an account as they are stored. What the account's mode dictates is not stored but derived. */
export const accountSettingsSchema = z.object({
  /** The user's choice in advanced mode; easy mode always buys. */
  autoBuyEnabled: z.boolean().default(false),
  autoBuyQuantityUnits: units.default(1),
  autoBuyTriggerTokens: tokens.default(250_000),
  /** Ticks per unit; null = the market's own ceiling alone. */
  autoBuyMaxPriceTicks: z.number().int().positive().nullable().default(null),
  autoReloadEnabled: z.boolean().default(false),
  autoReloadThresholdMicros: micros.nullable().default(null),
  autoReloadAmountMicros: micros.nullable().default(null),
  autoReloadMonthlyLimitMicros: micros.nullable().default(null),
  /** Symbol of the instrument for requests without a model. */
  defaultInstrument: z.string().max(64).nullable().default(null),
  routingMode: z.enum(['direct', 'redirect']).nullable().default(null),
  /** Region codes as endpoints declare them; null = any. */
  allowedRegions: z.array(z.string().min(2).max(16)).max(100).nullable().default(null),
});

export type AccountSettings = z.infer<typeof accountSettingsSchema>;

/** Settings of a new account. */
export function defaultSettings(): AccountSettings {
  return accountSettingsSchema.parse({});
}

const EASY_QUANTITY_UNITS = 1;
const EASY_TRIGGER_TOKENS = 250_000;

/** How an account buys by itself: its mode dictates it in easy mode, its settings otherwise. */
export function autoBuyOf(mode: AccountMode, settings: AccountSettings): Caller['autoBuy'] {
  const maxPriceTicks = settings.autoBuyMaxPriceTicks;
  if (mode === 'easy') {
    const [quantityUnits, triggerTokens] = [EASY_QUANTITY_UNITS, EASY_TRIGGER_TOKENS];
    return { isEnabled: true, quantityUnits, triggerTokens, maxPriceTicks };
  }
  return {
    isEnabled: settings.autoBuyEnabled,
    quantityUnits: settings.autoBuyQuantityUnits,
    triggerTokens: settings.autoBuyTriggerTokens,
    maxPriceTicks,
  };
}
