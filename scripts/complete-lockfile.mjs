// Adds to package-lock.json the optional packages of other platforms that npm left out.
//
// A registry mirror may serve the binaries of one platform only. `npm install` then drops the others from the lock file
// without a word, and `npm ci` refuses that lock file everywhere ("Missing: … from lock file"). The versions are exact in
// the packages that name them, so the entries can be written without the registry; only their integrity is not known.
// Run after every change of dependencies: node scripts/complete-lockfile.mjs
import { readFileSync, writeFileSync } from 'node:fs';

const PLATFORMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

const file = new URL('../package-lock.json', import.meta.url);

/** Platform, processor and C library that a package's name speaks of. */
function platformOf(name) {
  const words = name.split('/').pop().split(/[-_.]/);
  const os = PLATFORMS.find((platform) => words.includes(platform));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined) return undefined;
  const isMusl = words.some((word) => word.startsWith('musl'));
  const isGlibc = words.some((word) => word.startsWith('gnu'));
  const libc = isMusl ? ['musl'] : isGlibc ? ['glibc'] : undefined;
  return { cpu: [cpu], ...(os === 'linux' && libc !== undefined ? { libc } : {}), os: [os] };
}

export function completeLock(lock) {
  const added = [];
  for (const entry of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const place = `node_modules/${name}`;
      if (place in lock.packages || !/^\d+\.\d+\.\d+/.test(version)) continue;
      const platform = platformOf(name);
      if (platform === undefined) continue;
      const { cpu, libc, os } = platform;
      const isDev = entry.dev === true ? { dev: true } : {};
      lock.packages[place] = { version, cpu, ...isDev, ...(libc ? { libc } : {}), optional: true, os };
      added.push(`${name}@${version}`);
    }
  }
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  return added;
}

const lock = JSON.parse(readFileSync(file, 'utf8'));
const added = completeLock(lock);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? 'nothing was missing' : `added ${added.length}: ${added.join(', ')}`);
