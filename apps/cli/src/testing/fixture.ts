import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type CliOptions, type CliResult, runCli } from './run-cli.ts';
import { type Scripted, type ScriptedServer, scriptedServer } from './scripted-server.ts';

export interface Fixture {
  /** A fresh folder of the running test. */
  folder(): Promise<string>;
  /** Starts a scripted server in a fresh folder; both go when the test ends. */
  serve(script: Readonly<Record<string, Scripted>>): Promise<Served>;
}

export interface Served extends ScriptedServer {
  readonly dataFolder: string;
  /** Runs `opengrid` on this server's data folder. */
  cli(words: readonly string[], options?: CliOptions): Promise<CliResult>;
}

/** Folders and servers for the tests of one file. */
export function useFixture(): Fixture {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  const folder = async (): Promise<string> => {
    const path = await mkdtemp(join(tmpdir(), 'opengrid-cli-'));
    cleanups.push(() => rm(path, { recursive: true, force: true }));
    return path;
  };
  const serve = async (script: Readonly<Record<string, Scripted>>): Promise<Served> => {
    const dataFolder = await folder();
    const server = await scriptedServer(dataFolder, script);
    cleanups.push(server.close);
    const cli: Served['cli'] = (words, options) => runCli([...words, '--data', dataFolder], options);
    return { ...server, dataFolder, cli };
  };
  return { folder, serve };
}
