import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { CliFailure } from '../failure.ts';
import { readAnswer } from './answer.ts';
import { adminSocketPath, withSocketAddress } from './socket-path.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
/** Far above the longest list a server keeps; a runaway answer must not fill the memory. */
const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;
/** The server does not route longer parameters. */
const REFERENCE_LIMIT = 254;

export interface PostOptions {
  /** Becomes the JSON body; without it the request has none. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** How long the server may stay silent. Default 30 s. */
  readonly timeoutMs?: number;
}

/**
 * The operator's commands of a running server, over HTTP on the unix socket in its data folder. Both methods return
 * the `data` member of the answer, `null` for an answer without body, and throw `CliFailure` otherwise.
 */
export interface AdminClient {
  get(path: string): Promise<unknown>;
  post(path: string, options?: PostOptions): Promise<unknown>;
}

/** No process answers on the socket: none was started on this folder, or it was killed. */
export class NoServerFailure extends CliFailure {
  override readonly name = 'NoServerFailure';

  constructor(dataFolder: string) {
    super('no_server', `No server is running on the data folder ${dataFolder}.`, {
      hint:
        `Start one with \`opengrid start --data ${quoted(dataFolder)}\`, ` +
        'or name the folder of the running one with --data or OPENGRID_DATA.',
    });
  }
}

/** A path segment that holds an id or an e-mail address. */
export function segment(reference: string): string {
  if (reference === '' || reference.length > REFERENCE_LIMIT) {
    throw new CliFailure('usage', `An id has 1 to ${REFERENCE_LIMIT} characters.`, { exitCode: 2 });
  }
  return encodeURIComponent(reference);
}

export function adminClient(dataFolder: string): AdminClient {
  return {
    get: (path) => call(dataFolder, { method: 'GET', path }, {}),
    post: (path, options = {}) => call(dataFolder, { method: 'POST', path }, options),
  };
}

async function call(dataFolder: string, target: RequestOptions, options: PostOptions): Promise<unknown> {
  const body = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  try {
    const { status, text } = await withSocketAddress(dataFolder, (socketPath) =>
      exchange({ socketPath, target, body, timeoutMs }),
    );
    return readAnswer(status, text);
  } catch (error) {
    throw explain(error, dataFolder);
  }
}

interface Exchange {
  readonly socketPath: string;
  readonly target: RequestOptions;
  readonly body: Buffer | undefined;
  readonly timeoutMs: number;
}

function exchange({
  socketPath,
  target,
  body,
  timeoutMs,
}: Exchange): Promise<{ status: number; text: string }> {
  const headers =
    body === undefined
      ? { 'content-length': 0 }
      : { 'content-type': 'application/json', 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...target, socketPath, headers, agent: false }, (answer) => {
      collect(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }), reject);
    });
    outgoing.setTimeout(timeoutMs, () => outgoing.destroy(silence(timeoutMs)));
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

async function collect(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > ANSWER_LIMIT_BYTES) throw new CliFailure('invalid_answer', 'The answer is too long to read.');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function silence(timeoutMs: number): CliFailure {
  return new CliFailure('server_silent', `The server did not answer within ${timeoutMs / 1000} s.`, {
    hint: 'The command may or may not have been carried out: look with the list commands before you repeat it.',
  });
}

/** Errors of the socket become sentences; the codes are those of connect(2). */
function explain(error: unknown, dataFolder: string): unknown {
  if (error instanceof CliFailure || !(error instanceof Error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  const path = adminSocketPath(dataFolder);
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR' || code === 'ENOTSOCK')
    return new NoServerFailure(dataFolder);
  if (code === 'EACCES' || code === 'EPERM')
    return new CliFailure('no_access', `You may not open ${path}.`, {
      hint: 'Run the command as the user that the server runs as.',
    });
  if (code === 'EINVAL' || code === 'ENAMETOOLONG')
    return new CliFailure('path_too_long', `${path} is too long for a socket.`, {
      hint: 'Move the data folder to a shorter path; most systems take about 100 characters.',
    });
  return new CliFailure('connection_lost', `The connection to the server broke (${code ?? error.name}).`, {
    hint: 'The command may or may not have been carried out: look with the list commands before you repeat it.',
  });
}

/** A folder as it can be pasted into a POSIX shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
