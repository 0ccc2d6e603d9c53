/** The single-object envelope of Trading. */
export type DataEnvelope<Data> = { data: Data };

/** An enumeration that may grow: treat a value you do not know like a new one, not like an error. */
export type OpenEnum<Known extends string> = Known | (string & {});

/** A decimal as text, so that no digit is lost. Read it with `toScaled`. */
export type DecimalString = string;

/** ISO 8601 UTC with milliseconds: `2026-01-01T00:00:00.000Z`. */
export type Timestamp = string;

/** A point in time as the API accepts it: ISO 8601, `YYYY-MM-DD`, Unix seconds, or a `Date`. */
export type TimeInput = string | number | Date;

/** Position in a cursor list; `next` and `prev` exclude each other. */
export type CursorParams = {
  /** Items a page, 1 to 100. */
  limit?: number | undefined;
  next?: string | undefined;
  prev?: string | undefined;
};
