/** Reasoning efforts from least to most. */
export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** How hard a model is asked to think. */
export type Effort = (typeof EFFORTS)[number];

/** Whether a text names an effort. */
export function isEffort(value: unknown): value is Effort {
  return EFFORTS.some((effort) => effort === value);
}

/**
 * The offered effort nearest to the wanted one; of two equally near the smaller, which costs less.
 * `undefined` when nothing is offered.
 */
export function nearestEffort(wanted: Effort, offered: readonly Effort[]): Effort | undefined {
  const target = EFFORTS.indexOf(wanted);
  let nearest: Effort | undefined;
  let nearestDistance = Number.POSITIVE_INFINITY;
  for (const effort of EFFORTS) {
    const distance = Math.abs(EFFORTS.indexOf(effort) - target);
    if (!offered.includes(effort) || distance >= nearestDistance) continue;
    nearest = effort;
    nearestDistance = distance;
  }
  return nearest;
}
