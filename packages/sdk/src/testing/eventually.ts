import { vi } from 'vitest';

/** Waits until a check holds; patient, because the machine may be busy with something else. */
export const eventually = <Value>(check: () => Value | Promise<Value>): Promise<Value> =>
  vi.waitFor(check, { timeout: 20_000, interval: 10 });
