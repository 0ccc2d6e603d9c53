import type { Part, Role, Turn } from './model.ts';

function isResult(part: Part): boolean {
  return part.type === 'result';
}

/** Whether a turn carries on the one before it: results of one round of calls, and what the model did in one go. */
function carriesOn(before: Turn, role: Role): boolean {
  if (before.role !== role) return false;
  return role === 'assistant' || (role === 'user' && before.parts.every(isResult));
}

/**
 * Collects turns. The dialects cut a conversation differently: one has a message for each result of a
 * tool, another an item for each call. What belongs together becomes one turn.
 */
export class TurnList {
  readonly #turns: Turn[] = [];

  /** Adds parts to the turn that they carry on, or as a turn of their own. */
  add(role: Role, parts: readonly Part[]): void {
    const last = this.#turns.at(-1);
    if (last === undefined || !carriesOn(last, role)) this.#turns.push({ role, parts });
    else this.#turns[this.#turns.length - 1] = { role, parts: [...last.parts, ...parts] };
  }

  get turns(): readonly Turn[] {
    return this.#turns;
  }
}
