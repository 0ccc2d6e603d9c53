/**
 * Calls somebody else's function. What it throws is theirs: it is reported like any uncaught error, and must neither
 * break the stream nor keep the next listener from being called.
 */
export const emit = <Value>(listeners: Iterable<(value: Value) => void>, value: Value): void => {
  for (const listener of [...listeners]) {
    try {
      listener(value);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
};
