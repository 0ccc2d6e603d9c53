// The house rules that a machine can hold, each tried on a planted violation first and then on the repository.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BOOLEAN_PARAMETERS, LONG_FILES, MANY_PARAMETERS } from './tidy/exceptions.ts';
import { listFiles, type Rule, readSource, type SourceFile } from './tidy/source-file.ts';
import {
  booleanParameters,
  consoleUse,
  explicitAny,
  functionLength,
  parameterCount,
  testModifiers,
  testTitles,
} from './tidy/syntax-rules.ts';
import { commentColumns, fileLength, machinePaths, unfinishedWork, whitespace } from './tidy/text-rules.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const BINARY = /\.(bin|png|jpg|ico|woff2)$/;
const files = listFiles(root)
  .filter((path) => !BINARY.test(path) && path !== 'package-lock.json')
  .map((path) => readSource(root, path));

const code = (text: string, path = 'apps/server/src/example.ts'): SourceFile => ({ path, text });
const lines = (count: number): string => 'x();\n'.repeat(count);
const breaches = (rule: Rule): string[] => files.flatMap((file) => rule(file));

/** Breaches in files that have more of them than they are allowed. */
function beyond(rule: Rule, allowances: ReadonlyMap<string, number>): string[] {
  return files.flatMap((file) => {
    const found = rule(file);
    const allowed = allowances.get(file.path) ?? 0;
    return found.length > allowed ? found : [];
  });
}

describe('the rules find what they are for', () => {
  it('a file of 401 lines, and an exception that is not needed', () => {
    const rule = fileLength(new Map([['apps/server/src/table.ts', 'one table']]));
    expect(rule(code(lines(401)))).toEqual(['apps/server/src/example.ts: 401 lines']);
    expect(rule(code(lines(400)))).toEqual([]);
    expect(rule(code(lines(401), 'apps/server/src/table.ts'))).toEqual([]);
    expect(rule(code(lines(400), 'apps/server/src/table.ts'))).toHaveLength(1);
  });

  it('long lines of comment, but not long addresses', () => {
    expect(commentColumns(code(`x();\n// ${'long '.repeat(30)}\n`))).toEqual([
      'apps/server/src/example.ts:2: a comment of 153 columns',
    ]);
    expect(commentColumns(code(`// https://example.com/${'x'.repeat(130)}\n`))).toEqual([]);
    expect(commentColumns(code(`-- ${'long '.repeat(20)}\n`, 'a.sql'))).toEqual([]);
    expect(commentColumns(code(`// ${'long '.repeat(30)}\n`, 'README.md'))).toEqual([]);
  });

  it.each(['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'])('unfinished work marked with %s', (word) => {
    expect(unfinishedWork(code(`x();\n// ${word}: later\n`))).toEqual([
      `apps/server/src/example.ts:2: ${word}`,
    ]);
    expect(unfinishedWork(code(`x(${word}S);\n`))).toEqual([]);
  });

  it('folders of one machine', () => {
    expect(machinePaths(code(`read('/${'home'}/ada/x.ts');\n`))).toEqual([
      `apps/server/src/example.ts:1: /${'home'}/ada`,
    ]);
    expect(machinePaths(code(`// https://example.com/${'home'}/ada and test/work/x\n`))).toEqual([]);
  });

  it('spaces at the end of a line and a missing last line break', () => {
    expect(whitespace(code('x(); \n'))).toEqual(['apps/server/src/example.ts:1: ends in a space']);
    expect(whitespace(code('x();'))).toHaveLength(1);
    expect(whitespace(code('x();\n\n'))).toHaveLength(1);
    expect(whitespace(code('x();\n'))).toEqual([]);
  });

  it('a function of 71 lines, in every form, but not a suite of tests', () => {
    const long = lines(69);
    expect(functionLength(code(`// é\nfunction f() {\n${long}}\n`))).toEqual([
      'apps/server/src/example.ts:2: a function of 71 lines',
    ]);
    expect(functionLength(code(`const f = () => {\n${long}};\n`))).toHaveLength(1);
    expect(functionLength(code(`class A {\n  f() {\n${long}}\n}\n`))).toHaveLength(1);
    expect(functionLength(code(`it('x', () => {\n${long}});\n`))).toHaveLength(1);
    expect(functionLength(code(`describe('x', () => {\n${long}});\n`))).toEqual([]);
    expect(functionLength(code(`function f() {\n${lines(68)}}\n`))).toEqual([]);
  });

  it('a fourth parameter', () => {
    expect(parameterCount(code('function f(a, b, c, d) {}'))).toHaveLength(1);
    expect(parameterCount(code('class A { constructor(a, b, c, d) {} }'))).toHaveLength(1);
    expect(parameterCount(code('function f(a, b, c, d) {}', 'testing/src/example.ts'))).toEqual([]);
    expect(parameterCount(code('const f = ({ a, b, c, d }, e) => a;'))).toEqual([]);
  });

  it('a boolean parameter, but not an assertion', () => {
    expect(booleanParameters(code('function f(isOn: boolean) {}'))).toHaveLength(1);
    expect(booleanParameters(code('const f = (isOn: boolean = true) => isOn;'))).toHaveLength(1);
    expect(booleanParameters(code('function must(x: boolean): asserts x {}'))).toEqual([]);
  });

  it('the type any, but not the word', () => {
    expect(explicitAny(code('const x: any = 1;'))).toHaveLength(1);
    expect(explicitAny(code('const any = 1; // any\n'))).toEqual([]);
  });

  it('printing outside of tools', () => {
    expect(consoleUse(code('console.log(1);'))).toHaveLength(1);
    expect(consoleUse(code('console.log(1);', 'apps/cli/src/main.ts'))).toEqual([]);
    expect(consoleUse(code('console.log(1);', 'apps/dashboard/e2e/page.mjs'))).toEqual([]);
  });

  it('tests that are focused, left out or only announced', () => {
    const path = 'apps/server/src/example.test.ts';
    for (const modifier of ['only', 'skip', 'todo']) {
      expect(testModifiers(code(`it.${modifier}('x');`, path))).toHaveLength(1);
      expect(testModifiers(code(`describe.${modifier}('x');`, path))).toHaveLength(1);
    }
    expect(testModifiers(code(`it.each([1])('x'); it.skipIf(a)('y');`, path))).toEqual([]);
  });

  it('two tests of one title in one suite', () => {
    const path = 'apps/server/src/example.test.ts';
    expect(testTitles(code(`it('x', f); it('x', g);`, path))).toHaveLength(1);
    expect(
      testTitles(code(`describe('a', () => { it('x', f); it.each([1])('x', g); });`, path)),
    ).toHaveLength(1);
    expect(
      testTitles(code(`describe('a', () => it('x', f)); describe('b', () => it('x', g));`, path)),
    ).toEqual([]);
  });
});

describe('the repository', () => {
  it('was found', () => {
    expect(files.length).toBeGreaterThan(200);
  });

  it('has files of 400 lines at most', () => {
    expect(breaches(fileLength(LONG_FILES))).toEqual([]);
    expect([...LONG_FILES.keys()].filter((path) => !files.some((file) => file.path === path))).toEqual([]);
  });

  it.each<[string, Rule]>([
    ['keeps its comments to their columns', commentColumns],
    ['holds no unfinished work', unfinishedWork],
    ['names no folder of one machine', machinePaths],
    ['ends its lines and files properly', whitespace],
    ['has functions of 70 lines at most', functionLength],
    ['never uses the type any', explicitAny],
    ['prints from tools only', consoleUse],
    ['runs every test it has', testModifiers],
    ['has test titles that can be told apart', testTitles],
  ])('%s', (_title, rule) => {
    expect(breaches(rule)).toEqual([]);
  });

  it('has functions of three parameters at most, older ones aside', () => {
    expect(beyond(parameterCount, MANY_PARAMETERS)).toEqual([]);
  });

  it('has no boolean parameters, older ones aside', () => {
    expect(beyond(booleanParameters, BOOLEAN_PARAMETERS)).toEqual([]);
  });
});
