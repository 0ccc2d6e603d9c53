import { CliFailure } from '../failure.ts';

/** The catalogue's sentence speaks of an address, which nobody typed here. */
const SENTENCES: ReadonlyMap<string, string> = new Map([
  ['not_found', 'Nothing has this id, or the server is of another version than this command.'],
]);

/** One object of an answer. Its members are checked where they are shown: a server may be newer than this command. */
export type Row = Readonly<Record<string, unknown>>;

/** What a person can try next, by the code that the server refused with. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['account_not_found', '`opengrid accounts list` shows every account.'],
  ['not_found', '`opengrid suppliers list` and `opengrid keys list` show the ids.'],
  ['internal_error', 'The log of the server says more.'],
]);

/**
 * Takes the envelope off an answer.
 *
 * @returns the `data` member; `null` for an answer without body.
 * @throws CliFailure with the server's code and sentence when it refused, `invalid_answer` when this is no answer of
 *   OpenGrid.
 */
export function readAnswer(status: number, text: string): unknown {
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess && text === '') return null;
  const body = parse(text);
  if (isSuccess && body !== undefined && 'data' in body) return body.data;
  throw (body !== undefined && refusal(body)) || invalidAnswer(`status ${status}`);
}

/** @throws CliFailure when the answer is no object. */
export function asRow(data: unknown): Row {
  if (isRow(data)) return data;
  throw invalidAnswer('an object was expected');
}

/** @throws CliFailure when the answer is no list of objects. */
export function asRows(data: unknown): readonly Row[] {
  if (Array.isArray(data) && data.every(isRow)) return data;
  throw invalidAnswer('a list was expected');
}

/** The rows of a member, none where it is absent. */
export function rowsIn(row: Row, member: string): readonly Row[] {
  const value = row[member];
  return Array.isArray(value) ? value.filter(isRow) : [];
}

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): Row | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return isRow(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

function refusal(body: Row): CliFailure | undefined {
  const { errors } = body;
  if (!isRow(errors) || typeof errors.code !== 'string') return undefined;
  const said = typeof errors.message === 'string' ? errors.message : errors.code;
  const message = SENTENCES.get(errors.code) ?? said;
  return new CliFailure(errors.code, message, {
    hint: HINTS.get(errors.code),
    fields: fieldComplaints(errors.detail),
  });
}

/** Field errors come as `{field: [messages]}`; every other `detail` repeats the code. */
function fieldComplaints(detail: unknown): ReadonlyMap<string, readonly string[]> {
  if (!isRow(detail)) return new Map();
  return new Map(
    Object.entries(detail).map(([field, messages]) => [
      field,
      (Array.isArray(messages) ? messages : [messages]).map(String),
    ]),
  );
}

function invalidAnswer(what: string): CliFailure {
  return new CliFailure('invalid_answer', `The server gave an answer that cannot be read (${what}).`, {
    hint: 'Check that the server and this command come from the same version.',
  });
}
