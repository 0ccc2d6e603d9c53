import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from '@swc/core';

/** A file of the repository, its path relative to the root. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A node of the syntax tree, as far as the rules look at it. */
export interface SyntaxNode {
  readonly type: string;
  readonly span?: { readonly start: number; readonly end: number };
  readonly [member: string]: unknown;
}

/** A house rule: one line of text for every place that breaks it. */
export type Rule = (file: SourceFile) => string[];

const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'data', 'coverage', '.git', '.scratch']);

/** Every file of the repository that could be committed, sorted, without what is installed or built. */
export function listFiles(root: string, folder = ''): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : listFiles(root, path);
      return entry.isFile() ? [path] : [];
    })
    .sort();
}

export function readSource(root: string, path: string): SourceFile {
  return { path, text: readFileSync(join(root, path), 'utf8') };
}

export function isCode(path: string): boolean {
  return /\.(ts|tsx|mjs|cjs|js)$/.test(path);
}

export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path);
}

/** The tree of a TypeScript or JavaScript file. */
export function parseFile(file: SourceFile): SyntaxNode {
  const tree = parseSync(file.text, { syntax: 'typescript', tsx: file.path.endsWith('x'), target: 'es2022' });
  return tree as unknown as SyntaxNode;
}

/** Calls back for a node and everything below it, parents first. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode, parent: SyntaxNode) => void): void {
  const descend = (value: unknown, parent: SyntaxNode): void => {
    if (Array.isArray(value)) {
      for (const item of value) descend(item, parent);
    } else if (typeof value === 'object' && value !== null) {
      const child = value as SyntaxNode;
      const isNode = typeof child.type === 'string';
      if (isNode) visit(child, parent);
      for (const member of Object.values(child)) descend(member, isNode ? child : parent);
    }
  };
  descend(node, node);
}

/** Turns positions of the parser, which count bytes from 1, into line numbers from 1. */
export function lineFinder(file: SourceFile): (position: number) => number {
  const bytes = Buffer.from(file.text);
  const starts = [0];
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) starts.push(at + 1);
  return (position) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= position - 1) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}
