import { defineConfig } from 'vitest/config';

// Tests run from source; worker threads and end-to-end tests use the build that `npm test` makes first.
export default defineConfig({
  resolve: { conditions: ['opengrid-source', 'module', 'node'] },
  ssr: { resolve: { conditions: ['opengrid-source', 'module', 'node'] } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'apps/*/src/**/*.test.ts',
      'testing/src/**/*.test.ts',
      'apps/server/e2e/*.test.ts',
      'scripts/**/*.test.ts',
    ],
    reporters: ['default', './scripts/vitest-counts.ts'],
    globalSetup: ['testing/src/vitest-global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
