/** How one thing stands. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly code: string;
  readonly detail: string;
  readonly next_action?: string;
}

export function okCheck(name: string, code: string, detail: string): Check {
  return { name, status: 'ok', code, detail };
}

/** Something that works but will not for long, or not for everything. */
export function warning(name: string, code: string, texts: { detail: string; next: string }): Check {
  return { name, status: 'warn', code, detail: texts.detail, next_action: texts.next };
}

/** Something that does not work. */
export function failure(name: string, code: string, texts: { detail: string; next: string }): Check {
  return { name, status: 'fail', code, detail: texts.detail, next_action: texts.next };
}

const RANK = ['ok', 'warn', 'fail'] as const;

/** The whole is as bad as the worst of its parts. */
export function worstOf(checks: readonly Check[]): Check['status'] {
  const worst = Math.max(0, ...checks.map(({ status }) => RANK.indexOf(status)));
  return RANK[worst] ?? 'fail';
}
