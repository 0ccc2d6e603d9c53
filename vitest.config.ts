import { defineConfig } from 'vitest/config';

// Tests of the running program and of real databases share CI's two noisy cores with servers they started; one of them
// may be tried again there, and the report says so. Pure code is never tried again: a rare counterexample is a find.
const RETRIES_IN_CI = process.env.CI === undefined ? 0 : 1;

// Tests run from source; worker threads and end-to-end tests use the build that `npm test` makes first.
export default defineConfig({
  resolve: { conditions: ['opengrid-source', 'module', 'node'] },
  ssr: { resolve: { conditions: ['opengrid-source', 'module', 'node'] } },
  test: {
    reporters: ['default', './scripts/vitest-counts.ts'],
    globalSetup: ['testing/src/vitest-global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: 'pure', include: ['{packages,examples}/*/src/**/*.test.ts', 'scripts/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'program',
          retry: RETRIES_IN_CI,
          include: ['apps/*/src/**/*.test.ts', 'testing/src/**/*.test.ts', 'apps/server/e2e/*.test.ts'],
        },
      },
    ],
  },
});
