import * as fc from 'fast-check';

/** Whether this is the long run that a clock starts, not a person. */
export const isNightly = process.env.OPENGRID_NIGHTLY !== undefined;

/** Options of suites whose nightly runs take many minutes. */
export const PATIENCE = { timeout: isNightly ? 7_200_000 : 120_000 };

/** Runs a property: as often as by default, or as `nightlyRuns` says; a failure prints its seed. */
export function check<T>(property: fc.IProperty<T>, runs: { byDefault: number; nightly: number }): void {
  void fc.assert(property, { numRuns: isNightly ? runs.nightly : runs.byDefault });
}
