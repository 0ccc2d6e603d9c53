import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

/** Where the counts go when the environment names no other place. */
const DEFAULT_FILE = '.scratch/vitest-counts.json';

/** Leaves the number of passed and failed tests in a file, so that a script can add them to its own. */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      passed += tests.filter((test) => test.result().state === 'passed').length;
      failed += tests.filter((test) => test.result().state === 'failed').length;
      // A file that could not be loaded, or a suite whose preparation failed, has errors but may have no failed test.
      const suites = [module, ...module.children.allSuites()];
      failed += suites.reduce((sum, suite) => sum + suite.errors().length, 0);
    }
    const file = process.env.VITEST_COUNTS_FILE ?? DEFAULT_FILE;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify({ passed, failed }));
  }
}
