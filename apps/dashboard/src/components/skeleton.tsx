/** A grey bar where text will stand. */
export const Bar = ({ className = 'w-16' }: { className?: string }) => (
  <span
    aria-hidden="true"
    className={`breathe inline-block h-3 rounded bg-surface-3 align-middle ${className}`}
  />
);

/** Keys for a number of rows that have no identity yet. */
export const rowKeys = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `row-${index}`);
