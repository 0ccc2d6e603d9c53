import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CliFailure } from './failure.ts';

/** Both `src/` and `dist/` lie in the package's folder. */
const packageFolder = new URL('../', import.meta.url);
const serverProgram = fileURLToPath(new URL('../server/dist/main.js', packageFolder));
const startScript = fileURLToPath(new URL('../../scripts/start.mjs', packageFolder));

/** The version of this package. */
export function packageVersion(): string {
  const text = readFileSync(new URL('package.json', packageFolder), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** What starts a server: in a checkout the script that builds first, elsewhere the built program. */
export function startProgram(): string {
  return existsSync(startScript) ? startScript : builtServer();
}

/** @throws CliFailure when the server is not built. */
export function builtServer(): string {
  if (existsSync(serverProgram)) return serverProgram;
  throw new CliFailure('not_built', 'The server is not built.', {
    hint: 'Run `npm ci && npm run build:code` in the checkout first.',
  });
}
