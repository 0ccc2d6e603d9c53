import { CommanderError } from 'commander';
import { EXIT_USAGE } from './failure.ts';
import { reportFailure } from './output/report.ts';
import { buildProgram } from './program.ts';

/**
 * Runs one command of the line and leaves its outcome in `process.exitCode`: 0 done, 1 failed, 2 wrong usage.
 *
 * @param words what the shell passed behind `opengrid`.
 */
export async function run(words: readonly string[]): Promise<void> {
  try {
    await buildProgram().parseAsync([...words], { from: 'user' });
  } catch (error) {
    process.exitCode = exitCodeOf(error, { isJson: words.includes('--json') });
  }
}

function exitCodeOf(error: unknown, options: { isJson: boolean }): number {
  if (!(error instanceof CommanderError)) return reportFailure(error, options);
  // The parser has printed its sentence, or the help that was asked for.
  return error.exitCode === 0 ? 0 : EXIT_USAGE;
}
