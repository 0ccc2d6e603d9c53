import type { JsonObject } from '@opengrid/wire';
import { parseLosslessBody } from '../../http/lossless-body.ts';

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
const BRACE = 0x7b;
const BRACKET = 0x5b;
const MAX_REF_LENGTH = 128;
const BEFORE = Buffer.from('{"frame":');
const AFTER = Buffer.from('}');
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Reads a text frame. Numbers in it are exact, and no name occurs twice. */
export function parseFrame(text: Buffer, version: FrameVersion): ParsedFrame {
  const start = text.findIndex((byte) => !SPACES.has(byte));
  if (text[start] === BRACE) return parseObject(text, version);
  if (text[start] === BRACKET && version === '2.0.0') return parseArray(text);
  return VIOLATION;
}

function parseObject(text: Buffer, version: FrameVersion): ParsedFrame {
  const parsed = parseLosslessBody(text);
  if (!parsed.ok) return VIOLATION;
  const { topic, event, payload, ref = null, join_ref: joinRef = null, type } = parsed.value;
  if (topic === undefined && typeof type === 'string') return { kind: 'plain', type };
  if (version === '2.0.0') return VIOLATION;
  return checked({ topic, event, payload, ref, joinRef });
}

function parseArray(text: Buffer): ParsedFrame {
  const parsed = parseLosslessBody(Buffer.concat([BEFORE, text, AFTER]));
  // A text that closes the array early would bring members of its own.
  const frame = parsed.ok && Object.keys(parsed.value).length === 1 ? parsed.value.frame : undefined;
  if (!Array.isArray(frame) || frame.length !== 5) return VIOLATION;
  const [joinRef, ref, topic, event, payload] = frame as unknown[];
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
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null;
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
