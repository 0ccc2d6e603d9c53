/** A value of a query string. Dates become ISO 8601; a list means "any of". */
export type QueryValue = string | number | boolean | Date | readonly string[] | null | undefined;

const textOf = (value: NonNullable<QueryValue>): string => {
  if (value instanceof Date) return value.toISOString();
  return Array.isArray(value) ? value.join(',') : String(value);
};

/** Writes `?a=1&b=2`, or nothing; members that are null or undefined are left out. */
export const queryString = (query: object | undefined): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}) as [string, QueryValue][]) {
    if (value !== null && value !== undefined) search.set(name, textOf(value));
  }
  return search.size === 0 ? '' : `?${search}`;
};
