import { isCode, type Rule, type SourceFile } from './source-file.ts';

const LINES_PER_FILE = 400;
const COMMENT_COLUMNS = 130;

/** Files that may be longer, each because it is one table or one state machine. */
export type Exceptions = ReadonlyMap<string, string>;

function lineCount(file: SourceFile): number {
  return file.text.split('\n').length - (file.text.endsWith('\n') ? 1 : 0);
}

/** Code files have 400 lines at most, but for named exceptions, which must still be needed. */
export function fileLength(exceptions: Exceptions): Rule {
  return (file) => {
    if (!isCode(file.path)) return [];
    const count = lineCount(file);
    const isException = exceptions.has(file.path);
    if (count > LINES_PER_FILE && !isException) return [`${file.path}: ${count} lines`];
    if (count <= LINES_PER_FILE && isException) return [`${file.path}: no exception is needed any more`];
    return [];
  };
}

/** The formatter keeps code to 110 columns; comments, which it leaves as they are, are held to their limit here. */
export const commentColumns: Rule = (file) => {
  if (!isCode(file.path) && !/\.(css|sql)$/.test(file.path)) return [];
  return eachLine(file, (line) => {
    const text = COMMENT.exec(line)?.[1]?.trim();
    const isOneWord = text === undefined || !/\s/.test(text);
    const count = [...line].length;
    return count > COMMENT_COLUMNS && !isOneWord ? `a comment of ${count} columns` : undefined;
  });
};

const COMMENT = /^\s*(?:\/\/|\*|\/\*|--)(.*)/;
/** Written in two parts, so that this file does not break its own rule. */
const UNFINISHED = [
  ['TO', 'DO'],
  ['FIX', 'ME'],
  ['XX', 'X'],
  ['HA', 'CK'],
];
const UNFINISHED_WORK = new RegExp(`\\b(${UNFINISHED.map((parts) => parts.join('')).join('|')})\\b`);

/** What is unfinished is written down as an issue, not in the code. */
export const unfinishedWork: Rule = (file) => eachLine(file, (line) => UNFINISHED_WORK.exec(line)?.[1]);

const SOMEBODYS_PATH = /(?<![\w.:/-])\/(home|Users|root|work|workspace|workspaces)\/[\w.-]+/;

/** No file names a folder that exists on one person's machine only. */
export const machinePaths: Rule = (file) => eachLine(file, (line) => SOMEBODYS_PATH.exec(line)?.[0]);

/** Text files end with one line break, and hold no tab indentation and no space at the end of a line. */
export const whitespace: Rule = (file) => {
  const complaints = /\.(md|sse)$/.test(file.path)
    ? []
    : eachLine(file, (line) => (/[ \t]$/.test(line) ? 'ends in a space' : undefined));
  if (file.text !== '' && !file.path.endsWith('.sse') && !/[^\n]\n$/.test(file.text))
    complaints.push(`${file.path}: does not end with one line break`);
  return complaints;
};

function eachLine(file: SourceFile, find: (line: string) => string | undefined): string[] {
  return file.text.split('\n').flatMap((line, index) => {
    const found = find(line);
    return found === undefined ? [] : [`${file.path}:${index + 1}: ${found}`];
  });
}
