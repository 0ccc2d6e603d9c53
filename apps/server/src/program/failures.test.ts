import { describe, expect, it } from 'vitest';
import { DataFolderInUse, DiskFull } from '../store/database.ts';
import { banner } from './banner.ts';
import { explainFailure } from './failures.ts';

const ADDRESS = { host: 'grid.invalid', port: 4000 };

function failed(code: string): string {
  return explainFailure(Object.assign(new Error('secret'), { code }), ADDRESS);
}

describe('why a start failed', () => {
  it.each([
    ['EADDRINUSE', 'Port 4000 on grid.invalid is taken'],
    ['EADDRNOTAVAIL', 'grid.invalid is not an address of this machine'],
    ['ENOTFOUND', 'The host name grid.invalid is not known here'],
    ['EACCES', 'may not listen on port 4000'],
    ['ENOSPC', 'The disk of the database is full'],
    ['EWHATEVER', 'The start failed (Error, EWHATEVER)'],
  ])('%s is told in words, and what to do, without the message', (code, words) => {
    const [what, hint] = failed(code).split('\n');
    expect(what).toContain(words);
    expect(hint).toMatch(/\.$|--port 4001$/);
    expect(failed(code)).not.toContain('secret');
  });

  it('does not promise that a program which has ended resumes when there is room again', () => {
    expect(explainFailure(new DiskFull(), ADDRESS)).toContain('start again');
  });

  it('takes the hint of the store', () => {
    expect(explainFailure(new DataFolderInUse('/grid', 77), ADDRESS)).toMatch(/in use by process 77\.\nStop/);
  });
});

describe('what is said after the start', () => {
  const facts = { url: 'http://localhost:4000', key: undefined, model: 'text-prime', buyer: undefined };

  it('shows a new key, and only then', () => {
    expect(banner({ ...facts, key: 'sk-or-v1-abc' })).toContain('Bearer sk-or-v1-abc');
    expect(banner({ ...facts, buyer: 'b@example.com' })).toContain('$OPENGRID_API_KEY');
  });

  it('names the account whose key was shown earlier', () => {
    expect(banner({ ...facts, buyer: 'b@example.com' })).toContain('keys create --account b@example.com');
  });

  it('starts from the account where there is none', () => {
    expect(banner(facts)).toMatch(
      /accounts create you@[\s\S]+accounts credit you@[\s\S]+keys create --account you@/,
    );
  });
});
