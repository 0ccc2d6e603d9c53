/** A message of the socket, in the object form of protocol version 1. */
export type Frame = { topic: string; event: string; payload: Fields; ref: string };

/** Members of a message, which are checked where they are read. */
export type Fields = Record<string, unknown>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The members of a value, none where it is no object. */
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});

export const encodeFrame = (frame: Frame): string => JSON.stringify(frame);

/** Reads one frame; null when the text is none, half a frame for instance. */
export const decodeFrame = (text: unknown): Frame | null => {
  if (typeof text !== 'string') return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isFields(value)) return null;
  const { topic, event, payload, ref } = value;
  if (typeof topic !== 'string' || typeof event !== 'string' || !isFields(payload)) return null;
  return { topic, event, payload, ref: typeof ref === 'string' ? ref : '' };
};
