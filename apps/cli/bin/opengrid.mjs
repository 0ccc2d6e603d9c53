#!/usr/bin/env node
// The command itself is compiled; this file only finds it, and says what to do while it is not built.
import { existsSync } from 'node:fs';

const program = new URL('../dist/index.js', import.meta.url);

if (existsSync(program)) {
  const { run } = await import(program.href);
  await run(process.argv.slice(2));
} else {
  process.stderr.write(
    'opengrid: the command is not built yet.\nRun `npm run build:code` in the checkout first.\n',
  );
  process.exitCode = 1;
}
