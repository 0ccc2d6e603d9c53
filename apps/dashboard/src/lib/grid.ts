import { OpenGrid } from '@opengrid/sdk';

/** Where this page came from; API and page share one origin. */
export const origin = window.location.origin;

// A poll that failed is followed by the next poll, so the client itself repeats nothing.
const pollOptions = { timeoutMs: 8_000, maxRetries: 0 };

/** The client for everything public. */
export const publicGrid = new OpenGrid({ baseUrl: origin, ...pollOptions });

/** A client that acts with a pasted key. The key lives in this object and nowhere else. */
export const gridWithKey = (apiKey: string): OpenGrid =>
  new OpenGrid({ baseUrl: origin, apiKey, ...pollOptions });
