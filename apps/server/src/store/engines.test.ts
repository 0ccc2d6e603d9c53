import { expect, it, vi } from 'vitest';
import {
  CommitRefused,
  type Database,
  StatementRefused,
  StatementTimeout,
  StoreError,
  StoreUnavailable,
} from './database.ts';
import { UnreadableNumber } from './pg-types.ts';
import { forEachStore } from './testing.ts';

const SECRET = 'value-that-must-not-be-quoted';

async function one(
  database: Pick<Database, 'query'>,
  text: string,
  values?: readonly unknown[],
): Promise<unknown> {
  const { rows } = await database.query({ text, ...(values === undefined ? {} : { values }) });
  return Object.values(rows[0] ?? {})[0];
}

forEachStore('statements', (open) => {
  it('give back the same types on every engine', async () => {
    const { database } = await open();
    await database.query({
      text: `create table sample
               (id bigint, total numeric(38,0), bytes bytea, doc jsonb, ids bigint[], name text)`,
    });
    const { rows, rowCount } = await database.query({
      text: 'insert into sample values ($1, $2, $3, $4, $5, $6) returning *',
      values: [Number.MAX_SAFE_INTEGER, -7, Buffer.from([0, 255]), { a: [1] }, [1, 2], null],
    });
    expect(rowCount).toBe(1);
    expect(rows[0]).toEqual({
      id: Number.MAX_SAFE_INTEGER,
      total: -7,
      bytes: Buffer.from([0, 255]),
      doc: { a: [1] },
      ids: [1, 2],
      name: null,
    });
    expect(await one(database, 'select sum(id) from (values (1::bigint), (2)) as v (id)')).toBe(3);
  });

  it('refuse to round a number, and go on', async () => {
    const { database } = await open();
    await expect(one(database, 'select 9007199254740993::bigint')).rejects.toThrow(UnreadableNumber);
    await expect(one(database, 'select array[9007199254740993::bigint]')).rejects.toThrow(UnreadableNumber);
    await expect(one(database, 'select 1.5::numeric')).rejects.toThrow(UnreadableNumber);
    expect(await one(database, 'select 2.00::numeric')).toBe(2);
  });

  it('count changed rows, run several at once without values, and carry text of any length', async () => {
    const { database } = await open();
    await database.query({
      text: 'create table note (t text); insert into note select $x$a;b$x$ from generate_series(1, 3)',
    });
    expect(
      (await database.query({ text: 'update note set t = $1', values: ['é'.repeat(300_000)] })).rowCount,
    ).toBe(3);
    expect(await one(database, 'select sum(length(t)) from note')).toBe(900_000);
    expect((await database.query<{ t: string }>({ text: 'select t from note' })).rows[2]?.t).toBe(
      'é'.repeat(300_000),
    );
  });

  it('can be named and repeated', async () => {
    const { database } = await open();
    const statement = { name: 'double', text: 'select $1::int * 2 as result' };
    for (const value of [1, 2, 3]) {
      const { rows } = await database.query({ ...statement, values: [value] });
      expect(rows).toEqual([{ result: value * 2 }]);
    }
  });

  it('all get their own answer when many run at once', async () => {
    const { database } = await open();
    const numbers = Array.from({ length: 60 }, (_, index) => index);
    expect(await Promise.all(numbers.map((number) => one(database, 'select $1::int', [number])))).toEqual(
      numbers,
    );
  });

  it('say why they were refused without quoting a value', async () => {
    const { database } = await open();
    await database.query({
      text: 'create table account (name text constraint account_name_key unique, age int)',
    });
    await database.query({ text: 'insert into account values ($1)', values: [SECRET] });
    const duplicate = await failure(
      database.query({ name: 'add', text: 'insert into account values ($1)', values: [SECRET] }),
    );
    expect(duplicate).toBeInstanceOf(StatementRefused);
    expect((duplicate as StatementRefused).refusal).toEqual({
      sqlState: '23505',
      constraint: 'account_name_key',
      table: 'account',
      statement: 'add',
    });
    const badNumber = await failure(one(database, 'select $1::int', [SECRET]));
    expect((badNumber as StatementRefused).sqlState).toBe('22P02');
    for (const error of [duplicate, badNumber]) {
      expect(error.message + error.hint + error.stack + JSON.stringify(error)).not.toContain(SECRET);
      expect(error.cause).toBeUndefined();
    }
    const typing = await failure(one(database, 'select 1,\n  nonsense'));
    expect(typing.message).toContain('column "nonsense" does not exist');
    expect((typing as StatementRefused).refusal.line).toBe(2);
  });

  it('leave no transaction open behind them', async () => {
    const { database } = await open();
    await database.query({ text: 'create table mark (id int)' });
    await database.query({ text: 'begin; insert into mark values (1)' });
    await failure(database.query({ text: 'begin; insert into mark values (2); select 1/0' }));
    expect(await one(database, 'select count(*) from mark')).toBe(0);
  });
});

forEachStore('transactions', (open, engine) => {
  it('are kept when the work resolves and undone when it rejects', async () => {
    const { database } = await open();
    await database.query({ text: 'create table mark (id int)' });
    const answer = await database.transaction(async (tx) => {
      await tx.query({ text: 'insert into mark values (1)' });
      return one(tx, 'select count(*) from mark');
    });
    expect(answer).toBe(1);
    const fault = new Error('changed my mind');
    const undone = database.transaction(async (tx) => {
      await tx.query({ text: 'insert into mark values (2)' });
      throw fault;
    });
    await expect(undone).rejects.toBe(fault);
    expect(await one(database, 'select count(*) from mark')).toBe(1);
  });

  it('are undone, and say so, when the work hides a failed statement', async () => {
    const { database } = await open();
    await database.query({ text: 'create table mark (id int)' });
    const hidden = database.transaction(async (tx) => {
      await tx.query({ text: 'insert into mark values (1)' });
      await failure(tx.query({ text: 'select 1/0' }));
    });
    await expect(hidden).rejects.toThrow('rolled back');
    expect(await one(database, 'select count(*) from mark')).toBe(0);
  });

  it('refuse the database inside, and themselves after their end', async () => {
    const { database } = await open();
    const inside = database.transaction(() => database.query({ text: 'select 1' }));
    await expect(inside).rejects.toThrow('directly inside a transaction');
    const tx = await database.transaction(async (open) => open);
    await expect(tx.query({ text: 'select 1' })).rejects.toThrow('after its end');
    expect(await one(database, 'select 1')).toBe(1);
  });

  it('do not see each other half done', async () => {
    const { database } = await open();
    await database.query({ text: 'create table counter (n int); insert into counter values (0)' });
    const increment = () =>
      database.transaction(async (tx) => {
        const before = (await one(tx, 'select n from counter for update')) as number;
        await tx.query({ text: 'update counter set n = $1', values: [before + 1] });
      });
    await Promise.all(Array.from({ length: 20 }, increment));
    expect(await one(database, 'select n from counter')).toBe(20);
  });

  it('end when their work forgets them', async () => {
    const { database } = await open();
    await database.query({ text: 'create table mark (id int)' });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const waiting = deferred();
      const forgotten = database.transaction(async (tx) => {
        await tx.query({ text: 'insert into mark values (1)' });
        waiting.resolve();
        await new Promise(() => {});
      });
      const outcome = failure(forgotten);
      await waiting.promise;
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await outcome).toBeInstanceOf(StatementTimeout);
    } finally {
      vi.useRealTimers();
    }
    expect(await one(database, 'select count(*) from mark')).toBe(0);
  });

  it('take a number of statements at once in the order given', async () => {
    const { database } = await open();
    await database.query({ text: 'create table step (id serial, n int)' });
    await database.transaction((tx) =>
      Promise.all(
        [1, 2, 3, 4].map((n) => tx.query({ text: 'insert into step (n) values ($1)', values: [n] })),
      ),
    );
    expect(await one(database, `select string_agg(n::text, '' order by id) from step`)).toBe('1234');
    expect(database.engine).toBe(engine);
  });
});

forEachStore('commits', (open) => {
  it('run in the order of their calls', async () => {
    const { database } = await open();
    await database.query({ text: 'create table step (id serial, n int)' });
    const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    await Promise.all(
      numbers.map((n) =>
        database.commit({ name: 'step', text: 'insert into step (n) values ($1)', values: [n] }),
      ),
    );
    expect(await one(database, `select string_agg(n::text, '' order by id) from step`)).toBe('123456789');
  });

  it('are told apart: refused with the reason, and the next one works', async () => {
    const { database } = await open();
    await database.query({ text: 'create table mark (id int primary key)' });
    const commit = (id: number) => database.commit({ text: 'insert into mark values ($1)', values: [id] });
    await commit(1);
    const refused = (await failure(commit(1))) as CommitRefused;
    expect(refused).toBeInstanceOf(CommitRefused);
    expect((refused.reason as StatementRefused).refusal.constraint).toBe('mark_pkey');
    expect((await commit(2)).rowCount).toBe(1);
  });

  it('may use deferred constraints, which refuse at the end', async () => {
    const { database } = await open();
    await database.query({
      text: `create table parent (id int primary key);
             create table child (parent int references parent deferrable initially deferred)`,
    });
    const orphan = await failure(database.commit({ text: 'insert into child values ($1)', values: [1] }));
    expect(orphan).toBeInstanceOf(CommitRefused);
    expect(await one(database, 'select count(*) from child')).toBe(0);
  });
});

forEachStore('closing', (open) => {
  it('lets queued statements finish and refuses later ones', async () => {
    const { database, reopen } = await open();
    await database.query({ text: 'create table mark (id int)' });
    const queued = [1, 2, 3].map((id) =>
      database.commit({ text: 'insert into mark values ($1)', values: [id] }),
    );
    const closed = database.close();
    await Promise.all([closed, ...queued]);
    await expect(database.query({ text: 'select 1' })).rejects.toThrow(StoreUnavailable);
    const refused = (await failure(database.commit({ text: 'select 1' }))) as CommitRefused;
    expect(refused.reason).toBeInstanceOf(StoreUnavailable);
    await database.close();
    expect(await one(await reopen(), 'select count(*) from mark')).toBe(3);
  });
});

async function failure(promise: Promise<unknown>): Promise<StoreError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof StoreError) return outcome;
  throw new Error(`A store error was expected, not: ${outcome}`);
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
