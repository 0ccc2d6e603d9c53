// Workloads that several rows share, each made once.
import { mixedWorkload } from '../../packages/exchange/dist/testing/mixed-workload.js';
import { PublicWorkloads, SCENARIOS } from '../../packages/exchange/dist/testing/public-workload.js';

export { SCENARIOS };

const once = (make) => {
  let made;
  return () => {
    made ??= make();
    return made;
  };
};

/**
 * A million messages of every kind on a deep book: new orders (post-only, immediate, fill-or-kill, market), cancels
 * anywhere, amends, self-trades in all modes.
 */
export const mixed = once(() =>
  mixedWorkload({
    count: 1_000_000,
    seed: 23,
    accounts: 100,
    bandTicks: 100,
    cancels: 30,
    messagesAStep: 20,
  }),
);

const publicWorkloads = once(() => new PublicWorkloads());

/** Two million messages of the public benchmark flash1-dev/matching-engine-benchmark (MIT). */
export const publicWorkload = (scenario) => publicWorkloads().of(scenario);
