import { isCode, isTest, lineFinder, parseFile, type Rule, type SyntaxNode, walk } from './source-file.ts';

const LINES_PER_FUNCTION = 70;
const PARAMETERS = 3;
const FUNCTION_TYPES = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassMethod',
  'PrivateMethod',
  'MethodProperty',
  'Constructor',
]);
const SUITE_NAMES = /^(describe|forEachStore|suite)$/;
const TEST_NAMES = /^(it|test)$/;

/** Where printing is the purpose: tools that run in a terminal, and what only tests run. */
const MAY_PRINT = /^(apps\/cli|examples|scripts|bench|testing)\/|\/(scripts|e2e)\/|\.test\.tsx?$/;

/** What ships. Tests and tools may be terser about their own small helpers. */
function isProduct(path: string): boolean {
  return (
    isCode(path) && /^(apps|packages)\/[^/]+\/src\//.test(path) && !isTest(path) && !/testing/.test(path)
  );
}

type Visit = (node: SyntaxNode, parent: SyntaxNode) => string | undefined;

function syntaxRule(visit: Visit, isConcerned: (path: string) => boolean = isCode): Rule {
  return (file) => {
    if (!isConcerned(file.path)) return [];
    const lineOf = lineFinder(file);
    const complaints: string[] = [];
    walk(parseFile(file), (node, parent) => {
      const complaint = visit(node, parent);
      if (complaint !== undefined)
        complaints.push(`${file.path}:${lineOf(node.span?.start ?? 1)}: ${complaint}`);
    });
    return complaints;
  };
}

/** Functions have 70 lines at most. The callback of a test suite only groups tests and is not counted. */
export const functionLength: Rule = (file) => {
  if (!isCode(file.path)) return [];
  const lineOf = lineFinder(file);
  const visit: Visit = (node, parent) => {
    if (!FUNCTION_TYPES.has(node.type) || isSuiteCallback(parent)) return undefined;
    const count = lineOf(node.span?.end ?? 1) - lineOf(node.span?.start ?? 1) + 1;
    return count > LINES_PER_FUNCTION ? `a function of ${count} lines` : undefined;
  };
  return syntaxRule(visit)(file);
};

/** Functions take 3 parameters at most; more belong into an options object. */
export const parameterCount: Rule = syntaxRule((node) => {
  const count = parametersOf(node).length;
  return count > PARAMETERS ? `a function of ${count} parameters` : undefined;
}, isProduct);

/** No parameter is a bare boolean: at the call it would not say what it means. */
export const booleanParameters: Rule = syntaxRule((node) => {
  if (isAssertion(node)) return undefined;
  const hasBoolean = parametersOf(node).some((parameter) => keywordOf(parameter) === 'boolean');
  return hasBoolean ? 'a boolean parameter' : undefined;
}, isProduct);

/** `any` switches the type checker off. */
export const explicitAny: Rule = syntaxRule((node) =>
  node.type === 'TsKeywordType' && node.kind === 'any' ? 'the type any' : undefined,
);

/** Only tools print; the program logs through telemetry, which cannot hold content. */
export const consoleUse: Rule = syntaxRule(
  (node) => (node.type === 'MemberExpression' && nameOf(node.object) === 'console' ? 'console' : undefined),
  (path) => isCode(path) && !MAY_PRINT.test(path),
);

/** Every test runs, always: none is focused, left out or only announced. */
export const testModifiers: Rule = syntaxRule((node) => {
  if (node.type !== 'MemberExpression') return undefined;
  const [target, modifier] = [rootName(node.object), nameOf(node.property)];
  if (!SUITE_NAMES.test(target) && !TEST_NAMES.test(target)) return undefined;
  return /^(only|skip|todo|fails)$/.test(modifier) ? `${target}.${modifier}` : undefined;
}, isTest);

/** Two tests of one file with the same title, in the same suites, cannot be told apart in a report. */
export const testTitles: Rule = (file) => {
  if (!isTest(file.path)) return [];
  const seen = new Set<string>();
  const complaints: string[] = [];
  const report = (title: string): void => {
    if (seen.has(title)) complaints.push(`${file.path}: two tests called "${title}"`);
    seen.add(title);
  };
  collectTitles(parseFile(file), [], report);
  return complaints;
};

function collectTitles(value: unknown, suites: readonly string[], report: (title: string) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) collectTitles(item, suites, report);
  } else if (typeof value === 'object' && value !== null) {
    const node = value as SyntaxNode;
    const title = titleOf(node);
    const isSuite = title !== undefined && SUITE_NAMES.test(rootName(node.callee));
    if (title !== undefined && !isSuite) report([...suites, title].join(' > '));
    const inner = isSuite ? [...suites, title] : suites;
    for (const member of Object.values(node)) collectTitles(member, inner, report);
  }
}

/** The title of a call that declares a test or a suite, when it is written out. */
function titleOf(node: SyntaxNode): string | undefined {
  if (node.type !== 'CallExpression') return undefined;
  const name = rootName(node.callee);
  if (!SUITE_NAMES.test(name) && !TEST_NAMES.test(name)) return undefined;
  const [first] = node.arguments as readonly { expression: SyntaxNode }[];
  return first?.expression.type === 'StringLiteral' ? String(first.expression.value) : undefined;
}

function isSuiteCallback(parent: SyntaxNode): boolean {
  return parent.type === 'CallExpression' && SUITE_NAMES.test(rootName(parent.callee));
}

function parametersOf(node: SyntaxNode): SyntaxNode[] {
  if (!FUNCTION_TYPES.has(node.type)) return [];
  const owner = (node.function ?? node) as SyntaxNode;
  const parameters = (owner.params ?? []) as readonly SyntaxNode[];
  return parameters.map((parameter) =>
    parameter.type === 'Parameter' ? (parameter.pat as SyntaxNode) : parameter,
  );
}

/** `function invariant(condition: boolean): asserts condition` cannot be written in another way. */
function isAssertion(node: SyntaxNode): boolean {
  const returns = node.returnType as { typeAnnotation?: SyntaxNode } | null | undefined;
  return returns?.typeAnnotation?.type === 'TsTypePredicate' && returns.typeAnnotation.asserts === true;
}

/** The keyword type of a parameter, also of one with a default. */
function keywordOf(parameter: SyntaxNode): unknown {
  const pattern = parameter.type === 'AssignmentPattern' ? (parameter.left as SyntaxNode) : parameter;
  const annotation = pattern.typeAnnotation as { typeAnnotation?: SyntaxNode } | null | undefined;
  return annotation?.typeAnnotation?.kind;
}

function nameOf(value: unknown): string {
  const node = value as SyntaxNode | undefined;
  return node?.type === 'Identifier' ? String(node.value) : '';
}

/** The first name of `describe`, `describe.each(…)`, `it.each(…)` and the like. */
function rootName(value: unknown): string {
  const node = value as SyntaxNode | undefined;
  if (node?.type === 'MemberExpression') return rootName(node.object);
  if (node?.type === 'CallExpression') return rootName(node.callee);
  return nameOf(node);
}
