/** Exit codes of every command. */
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

export interface FailureOptions {
  /** What the person can do about it. */
  readonly hint?: string | undefined;
  /** Complaints about single fields, by field. */
  readonly fields?: ReadonlyMap<string, readonly string[]> | undefined;
  readonly exitCode?: number | undefined;
}

/** An outcome that ends the command with a sentence instead of a stack trace. */
export class CliFailure extends Error {
  override readonly name: string = 'CliFailure';
  /** Machine code: that of the server's catalogue where the server refused. */
  readonly code: string;
  readonly hint: string | undefined;
  readonly fields: ReadonlyMap<string, readonly string[]>;
  readonly exitCode: number;

  constructor(code: string, message: string, options: FailureOptions = {}) {
    super(message);
    this.code = code;
    this.hint = options.hint;
    this.fields = options.fields ?? new Map();
    this.exitCode = options.exitCode ?? EXIT_FAILURE;
  }
}

/** The command was called in a way it cannot work. */
export function usageFailure(message: string, hint?: string): CliFailure {
  return new CliFailure('usage', message, { hint, exitCode: EXIT_USAGE });
}
