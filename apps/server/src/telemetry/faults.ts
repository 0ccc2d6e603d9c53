import { fileURLToPath } from 'node:url';

/** What may be kept of an unexpected exception: never its message, which could quote what was being handled. */
export interface FaultRecord {
  readonly errorClass: string;
  /** A machine code such as `ECONNRESET` or `23505`; null when the error has none. */
  readonly errorCode: string | null;
  readonly causeClass: string | null;
  /** `function (path:line:column)` of our own files, innermost first. */
  readonly frames: readonly string[];
}

const ROOT = new URL('../../../../', import.meta.url);
const OUR_PATH = /^[\w./@+-]+$/;
const FRAME = /^ +at (?:async )?(?:([\w.$<>#[\] ]{1,80}) \()?(file:\/\/)?(\/[^:()\n]{1,300}):(\d+):(\d+)\)?$/;
const CLASS_NAME = /^[A-Za-z_$][\w$]{0,60}$/;
const MACHINE_CODE = /^[A-Z0-9_]{1,40}$/;
const MAX_FRAMES = 12;

function classOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error;
  // The constructor's name comes from source code; `error.name` can be set to any text.
  const name: unknown = error.constructor?.name;
  return typeof name === 'string' && CLASS_NAME.test(name) ? name : 'object';
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && MACHINE_CODE.test(code) ? code : null;
}

/**
 * The stack without its header. The message is part of the header and may span lines that look like frames, so a stack
 * in which the message cannot be found where it belongs is not used at all.
 */
function framesText(error: Error): string {
  const stack = error.stack ?? '';
  const start = error.message === '' ? 0 : stack.indexOf(error.message);
  if (start < 0 || stack.slice(0, start).includes('\n')) return '';
  return stack.slice(start + error.message.length);
}

/** Stacks name modules by URL, in which a space of the folder's name is `%20`, and other files by path. */
function ourFrame(line: string, rootUrl: URL): string | undefined {
  const match = FRAME.exec(line);
  const path = match?.[3];
  if (match === null || path === undefined) return undefined;
  const root = match[2] === undefined ? fileURLToPath(rootUrl) : rootUrl.pathname;
  if (!path.startsWith(root)) return undefined;
  const inside = path.slice(root.length);
  if (inside.includes('node_modules/') || !OUR_PATH.test(inside)) return undefined;
  return `${match[1] ?? 'anonymous'} (${inside}:${match[4]}:${match[5]})`;
}

/** Reduces an exception, or whatever was thrown, to what may be logged. Our own files are those below the root. */
export function describeFault(error: unknown, rootUrl = ROOT): FaultRecord {
  const isError = error instanceof Error;
  const lines = isError ? framesText(error).split('\n') : [];
  const frames = lines.map((line) => ourFrame(line, rootUrl)).filter((frame) => frame !== undefined);
  return {
    errorClass: classOf(error),
    errorCode: codeOf(error),
    causeClass: isError && error.cause !== undefined ? classOf(error.cause) : null,
    frames: frames.slice(0, MAX_FRAMES),
  };
}
