import { posix } from 'node:path';

/** The parts of a package-lock.json that the rules look at. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

type Names = Readonly<Record<string, string>>;

interface LockEntry {
  readonly dependencies?: Names;
  readonly devDependencies?: Names;
  readonly optionalDependencies?: Names;
  readonly bin?: Names | string;
}

const COMPARED = ['dependencies', 'devDependencies', 'optionalDependencies', 'bin'] as const;

/** Where npm looks for a package that is needed at this place: beside it, then further and further up. */
function places(from: string, name: string): string[] {
  const found = [posix.join(from, 'node_modules', name)];
  for (let at = from; at.includes('/'); ) {
    at = posix.dirname(at);
    if (posix.basename(at) !== 'node_modules') found.push(posix.join(at, 'node_modules', name));
  }
  return [...found, `node_modules/${name}`];
}

/**
 * What `npm ci` would refuse or silently leave out: packages that the lock file does not have (those of other platforms
 * included), and manifests that say something else than the lock file.
 *
 * @param manifests package.json files by their folder, '' for the root.
 */
export function lockProblems(lock: LockFile, manifests: ReadonlyMap<string, LockEntry>): string[] {
  const missing = Object.entries(lock.packages).flatMap(([place, entry]) =>
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
      // The builds for WebAssembly are for no platform of ours, and npm does not ask for them.
      .filter((name) => !name.includes('wasm32'))
      .filter((name) => !places(place, name).some((candidate) => candidate in lock.packages))
      .map((name) => `${place || 'the root'}: ${name} is not in the lock file`),
  );
  const changed = [...manifests].flatMap(([folder, manifest]) =>
    COMPARED.filter((member) => !isSame(manifest[member], lock.packages[folder]?.[member])).map(
      (member) => `${folder || 'the root'}: ${member} differ from the lock file`,
    ),
  );
  return [...missing, ...changed];
}

function isSame(a: Names | string | undefined, b: Names | string | undefined): boolean {
  const sorted = (value: Names | string | undefined) => JSON.stringify(Object.entries(value ?? {}).sort());
  return sorted(a) === sorted(b);
}
