const BOLD = ['\u001b[1m', '\u001b[22m'] as const;
const DIM = ['\u001b[2m', '\u001b[22m'] as const;
const RED = ['\u001b[31m', '\u001b[39m'] as const;
const GREEN = ['\u001b[32m', '\u001b[39m'] as const;

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  bad(text: string): string;
  good(text: string): string;
}

/** Colour only where a person reads it: on a terminal, and not when `NO_COLOR` is set to anything (no-color.org). */
export function styleOf(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): Style {
  const hasColour = stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
  const paint =
    ([on, off]: readonly [string, string]) =>
    (text: string) =>
      hasColour ? on + text + off : text;
  return { bold: paint(BOLD), dim: paint(DIM), bad: paint(RED), good: paint(GREEN) };
}
