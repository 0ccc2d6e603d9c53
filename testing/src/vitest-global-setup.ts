/** Runs once around a whole test run. */
import { offerSharedPostgres } from './postgres-shared.ts';

/** Called by vitest before the first test; what it returns is called after the last. */
export function setup(): Promise<() => Promise<void>> {
  return offerSharedPostgres();
}
