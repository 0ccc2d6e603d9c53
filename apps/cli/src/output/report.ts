import { CliFailure, EXIT_FAILURE } from '../failure.ts';
import { styleOf } from './style.ts';
import { cell } from './table.ts';

/** Prints why a command failed: a sentence and a hint for people, one object for programs. Always on standard error. */
export function reportFailure(error: unknown, { isJson }: { isJson: boolean }): number {
  const failure = error instanceof CliFailure ? error : unexpected(error);
  process.stderr.write(isJson ? jsonOf(failure) : textOf(failure));
  return failure.exitCode;
}

function jsonOf({ code, message, hint, fields }: CliFailure): string {
  const error = { code, message, hint, fields: fields.size === 0 ? undefined : Object.fromEntries(fields) };
  return `${JSON.stringify({ error }, null, 2)}\n`;
}

function textOf({ message, hint, fields }: CliFailure): string {
  const style = styleOf(process.stderr, process.env);
  const lines = [`${style.bad('opengrid:')} ${cell(message)}`];
  for (const [field, messages] of fields) lines.push(`  ${cell(field)}: ${cell(messages)}`);
  if (hint !== undefined) lines.push(hint);
  return `${lines.join('\n')}\n`;
}

/**
 * A fault of this program. Its message is left out, because a message can quote what was passed in, and a supplier's
 * key is passed in here.
 */
function unexpected(error: unknown): CliFailure {
  const name = error instanceof Error ? error.name : typeof error;
  const { code } = error as { code?: unknown };
  const reason = typeof code === 'string' ? `${name}, ${code}` : name;
  return new CliFailure('internal_error', `Something went wrong in the command itself (${reason}).`, {
    exitCode: EXIT_FAILURE,
  });
}
