import type { JsonObject } from '@opengrid/wire';
import { InexactNumber, parseLosslessBody } from '../../http/lossless-body.ts';

/** Versions of the Phoenix frame: 1 is a JSON object, 2 an array. */
export type FrameVersion = '1.0.0' | '2.0.0';

/** The one channel of this socket; heartbeats may also come on Phoenix's own topic. */
export const TOPIC = 'ws:trading';
export const PHOENIX_TOPIC = 'phoenix';

/** What a client chose to tell its answers apart by. It is given back as it came. */
export type Ref = string | number | null;

/** A frame of a client. */
export interface Inbound {
  readonly topic: string;
  readonly event: string;
  readonly payload: JsonObject;
  readonly ref: Ref;
  readonly joinRef: Ref;
}

export type ParsedFrame =
  | { readonly kind: 'frame'; readonly frame: Inbound }
  /** The dialect of plain JSON messages with a `type`, which is not spoken here. */
  | { readonly kind: 'plain'; readonly type: string }
  | { readonly kind: 'violation' };

const VIOLATION: ParsedFrame = { kind: 'violation' };
const MAX_REF_LENGTH = 128;
const BEFORE = Buffer.from('{"frame":');
const AFTER = Buffer.from('}');

/** Reads a text frame. Numbers in it are exact, and no name occurs twice. */
export function parseFrame(text: Buffer, version: FrameVersion): ParsedFrame {
  const value = parseQuickly(text) ?? parseSlowly(text, version);
  if (Array.isArray(value)) return version === '2.0.0' ? parseArray(value) : VIOLATION;
  return isObject(value) ? parseObject(value, version) : VIOLATION;
}

/**
 * Most clients send JSON exactly as JavaScript would write it: then nothing was lost and no name came twice. Undefined for
 * any other text, which is read character by character.
 */
function parseQuickly(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

function parseSlowly(text: Buffer, version: FrameVersion): unknown {
  const isArray = version === '2.0.0' && !text.toString('latin1').trimStart().startsWith('{');
  if (!isArray) {
    const parsed = parseLosslessBody(text);
    return parsed.ok ? parsed.value : undefined;
  }
  const parsed = parseLosslessBody(Buffer.concat([BEFORE, text, AFTER]));
  // A text that closes the array early would bring members of its own.
  return parsed.ok && Object.keys(parsed.value).length === 1 ? parsed.value.frame : undefined;
}

function parseObject(value: JsonObject, version: FrameVersion): ParsedFrame {
  const { topic, event, payload, ref = null, join_ref: joinRef = null, type } = value;
  if (topic === undefined && typeof type === 'string') return { kind: 'plain', type };
  if (version === '2.0.0') return VIOLATION;
  return checked({ topic, event, payload, ref, joinRef });
}

function parseArray(frame: readonly unknown[]): ParsedFrame {
  if (frame.length !== 5) return VIOLATION;
  const [joinRef, ref, topic, event, payload] = frame;
  return checked({ topic, event, payload, ref, joinRef });
}

function checked(members: Record<'topic' | 'event' | 'payload' | 'ref' | 'joinRef', unknown>): ParsedFrame {
  const { topic, event, payload, ref, joinRef } = members;
  if (typeof topic !== 'string' || typeof event !== 'string') return VIOLATION;
  if (!isRef(ref) || !isRef(joinRef) || !isObject(payload)) return VIOLATION;
  return { kind: 'frame', frame: { topic, event, payload, ref, joinRef } };
}

function isRef(value: unknown): value is Ref {
  if (typeof value === 'string') return value.length <= MAX_REF_LENGTH;
  return value === null || typeof value === 'number';
}

/** Whether a value is an object of the frame. Numbers that are not exact are objects too, of a class of their own. */
export function isObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof InexactNumber)
  );
}

/** What a reply needs of the frame that it answers. */
export type Answered = Pick<Inbound, 'topic' | 'ref' | 'joinRef'>;

/** A `phx_reply`. The response is given as JSON text. */
export function encodeReply(
  version: FrameVersion,
  { topic, ref, joinRef }: Answered,
  reply: { status: 'ok' | 'error'; response: string },
): string {
  const payload = `{"status":"${reply.status}","response":${reply.response}}`;
  if (version === '1.0.0')
    return `{"topic":${JSON.stringify(topic)},"event":"phx_reply","payload":${payload},"ref":${JSON.stringify(ref)}}`;
  return `[${JSON.stringify(joinRef)},${JSON.stringify(ref)},${JSON.stringify(topic)},"phx_reply",${payload}]`;
}

/** A message that nobody asked for. The payload is given as JSON text. */
export function encodePush(version: FrameVersion, event: string, payload: string): string {
  if (version === '1.0.0') return `{"topic":"${TOPIC}","event":"${event}","payload":${payload},"ref":""}`;
  return `[null,null,"${TOPIC}","${event}",${payload}]`;
}
