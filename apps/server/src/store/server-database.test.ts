import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { sharedPostgres, startPostgres, type TestPostgres } from '@opengrid/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CommitOutcomeUnknown, CommitRefused, type Database, StoreUnavailable } from './database.ts';
import { openServerDatabase } from './server-database.ts';

const databases: Database[] = [];
const servers: TestPostgres[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const database of databases.splice(0)) await database.close();
  for (const server of servers.splice(0)) await server.stop();
});

async function open(databaseUrl: string, poolSize = 4): Promise<Database> {
  const database = await openServerDatabase({ databaseUrl, poolSize });
  databases.push(database);
  return database;
}

async function failureOf<E = StoreUnavailable>(promise: Promise<unknown>): Promise<E> {
  return promise.then(
    () => Promise.reject(new Error('A failure was expected.')),
    (error: E) => error,
  );
}

/** Waits until the statement runs on the server. */
async function untilActive(database: Database, text: string): Promise<void> {
  for (;;) {
    const { rowCount } = await database.query({
      text: `select 1 from pg_stat_activity where state = 'active' and query = $1`,
      values: [text],
    });
    if (rowCount > 0) return;
    await sleep(10);
  }
}

describe('a server that cannot be used', () => {
  it('is named by host and port, and never by its password', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    const error = await failureOf(open(`postgres://somebody:hush@127.0.0.1:${port}/grid`));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toContain(`127.0.0.1:${port}`);
    expect(error.message).toContain('ECONNREFUSED');
    expect(error.hint).toContain('Start the server');
    expect(inspect(error, { depth: 9 })).not.toContain('hush');
  });

  it('is told from one that is missing the database', async () => {
    const url = new URL((await sharedPostgres()).url);
    url.pathname = '/nowhere';
    const error = await failureOf(open(url.href));
    expect(error.message).toContain('3D000');
    expect(error.hint).toContain('Create the database');
  });

  it('is told from a URL that cannot be read', async () => {
    const error = await failureOf(open('postgres://somebody:hush@host:port/grid'));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(inspect(error, { depth: 9 })).not.toContain('hush');
  });

  it.each(['mysql://somebody:hush@127.0.0.1/grid', 'grid', 'http://127.0.0.1:1/'])(
    'is told from %s, which is for another program',
    async (url) => {
      const error = await failureOf(open(url));
      expect(error.message).toContain('cannot be read');
      expect(error.hint).toContain('postgres://');
      expect(inspect(error, { depth: 9 })).not.toContain('hush');
    },
  );
});

describe('commits on a server', () => {
  it('do not wait for queries, even when every pooled connection is taken', async () => {
    const database = await open(await (await sharedPostgres()).newDatabase(), 2);
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const holders = [1, 2, 3].map(() => database.transaction(() => gate));
    const { rows } = await database.commit({ text: 'select 1 as one' });
    expect(rows).toEqual([{ one: 1 }]);
    release();
    await Promise.all(holders);
  });

  it('are unknown when the server dies under them, refused while it is down, and go on after', async () => {
    const server = await startPostgres();
    servers.push(server);
    const database = await open(await server.newDatabase());
    await database.commit({ text: 'create table mark (id int)' });
    await database.commit({ text: 'insert into mark values ($1)', values: [1] });
    const text = 'insert into mark select 2 from pg_sleep(600)';
    const dying = failureOf(database.commit({ text }));
    await untilActive(database, text);
    await server.kill9();
    expect(await dying).toBeInstanceOf(CommitOutcomeUnknown);
    const refused = await failureOf<CommitRefused>(database.commit({ text: 'select 1' }));
    expect(refused).toBeInstanceOf(CommitRefused);
    expect(refused.reason).toBeInstanceOf(StoreUnavailable);
    await expect(database.query({ text: 'select 1' })).rejects.toThrow(StoreUnavailable);
    await server.restart();
    await database.commit({ text: 'insert into mark values ($1)', values: [3] });
    expect((await database.query({ text: 'select id from mark order by id' })).rows).toEqual([
      { id: 1 },
      { id: 3 },
    ]);
  });

  it('are unknown when an operator ends their connection', async () => {
    const database = await open(await (await sharedPostgres()).newDatabase());
    const text = 'select pg_sleep(601)';
    const ended = failureOf(database.commit({ text }));
    await untilActive(database, text);
    await database.query({
      text: 'select pg_terminate_backend(pid) from pg_stat_activity where query = $1',
      values: [text],
    });
    expect(await ended).toBeInstanceOf(CommitOutcomeUnknown);
    expect((await database.commit({ text: 'select 1 as one' })).rows).toEqual([{ one: 1 }]);
  });

  it('are refused for sure when the server itself cancels them', async () => {
    const database = await open(await (await sharedPostgres()).newDatabase());
    const text = 'select pg_sleep(602)';
    const cancelled = failureOf(database.commit({ text }));
    await untilActive(database, text);
    await database.query({
      text: 'select pg_cancel_backend(pid) from pg_stat_activity where query = $1',
      values: [text],
    });
    expect(await cancelled).toBeInstanceOf(CommitRefused);
  });

  it('are unknown when the network falls silent', async () => {
    const url = new URL(await (await sharedPostgres()).newDatabase());
    const proxy = await startSilentProxy(url);
    const database = await open(proxy.url);
    await database.commit({ text: 'select 1' });
    proxy.silence();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const lost = failureOf(database.commit({ text: 'select 1' }));
    await vi.advanceTimersByTimeAsync(35_000);
    expect(await lost).toBeInstanceOf(CommitOutcomeUnknown);
    vi.useRealTimers();
    await proxy.close();
  });
});

describe('queries on a server', () => {
  it('fail when their connection is ended, and the next one gets another', async () => {
    const database = await open(await (await sharedPostgres()).newDatabase(), 1);
    await expect(database.query({ text: 'select pg_terminate_backend(pg_backend_pid())' })).rejects.toThrow(
      StoreUnavailable,
    );
    expect((await database.query({ text: 'select 1 as one' })).rows).toEqual([{ one: 1 }]);
  });
});

/** Passes bytes on over TCP until it is told to keep what the server answers. */
async function startSilentProxy(
  target: URL,
): Promise<{ url: string; silence(): void; close(): Promise<void> }> {
  const folder = target.searchParams.get('host');
  const port = Number(target.port || 5432);
  let isSilent = false;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const upstream = folder === null ? connect(port, target.hostname) : connect(`${folder}/.s.PGSQL.${port}`);
    sockets.push(socket, upstream);
    for (const each of [socket, upstream]) each.on('error', () => {});
    socket.pipe(upstream);
    upstream.on('data', (chunk) => {
      if (!isSilent) socket.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: proxyPort } = server.address() as { port: number };
  return {
    url: `postgres://${target.username}@127.0.0.1:${proxyPort}${target.pathname}`,
    silence: () => {
      isSilent = true;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
