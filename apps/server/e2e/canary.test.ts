// Nothing of a request or an answer stays anywhere: not in the store, its log files, the log, the metrics or temporary files.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  attachPostgres,
  type Canary,
  canaryOf,
  type FaultySupplier,
  type Hit,
  makeCanaries,
  type SupplierBehaviour,
  searchFolder,
  searchText,
  sendRequest,
  startFaultySupplier,
  startPostgres,
  streamRequest,
  type TestPostgres,
  waitFor,
} from '@opengrid/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, type Engine, Instance, type SupplierOffer } from './testing/instance.ts';
import { MarkedRequests, OF_THE_BUYER, SURFACES, type Surface } from './testing/marked-requests.ts';

const env = {
  LOG_LEVEL: 'debug',
  INFERENCE_BODY_LIMIT_BYTES: '60000',
  FIRST_BYTE_TIMEOUT_MS: '2000',
  INFERENCE_RPM: '0',
};

type Dialect = NonNullable<SupplierOffer['dialect']>;
const DIALECTS: readonly Dialect[] = ['openai', 'anthropic', 'openai-responses'];

/** What says that a stream of a surface was whole. */
const ENDS: Readonly<Record<Surface, string>> = {
  'chat/completions': 'data: [DONE]',
  messages: 'event: message_stop',
  responses: 'event: response.completed',
};

/** A server whose files can be searched; where one was given, its tables are. */
function openServer(): Promise<TestPostgres> {
  const given = process.env.TEST_DATABASE_URL;
  return given ? Promise.resolve(attachPostgres(given)) : startPostgres({ fsync: 'off' });
}

async function serverFolder(server: TestPostgres): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    await client.query('checkpoint');
    const { rows } = await client.query<{ data_directory: string }>('show data_directory');
    const folder = rows[0]!.data_directory;
    return await readdir(folder).then(
      () => folder,
      () => undefined,
    );
  } finally {
    await client.end();
  }
}

/** Every row of every table as text; binary columns are in hexadecimal. */
async function allRows(databaseUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    const parts: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ text: string }>(`select t::text as text from ${name} t`);
      parts.push(name, ...rows.map(({ text }) => text));
    }
    return parts.join('\n');
  } finally {
    await client.end();
  }
}

/** One program with everything that it could leave something in. */
class Scene {
  readonly marked = new MarkedRequests();
  readonly planted = makeCanaries(['account name', 'file', 'temporary file']);
  readonly metrics: string[] = [];
  readonly routingTokens: Canary[] = [];
  instance!: Instance;
  double!: FaultySupplier;
  private server: TestPostgres | undefined;
  private root = '';
  private supplierCount = 0;

  async open(engine: Engine): Promise<void> {
    this.root = await mkdtemp(join(tmpdir(), 'opengrid-canary-'));
    await mkdir(this.temporary);
    this.double = await startFaultySupplier();
    this.server = engine === 'server' ? await openServer() : undefined;
    const database = this.server === undefined ? {} : { databaseUrl: await this.server.newDatabase() };
    const args = ['--no-builtin-supplier'];
    this.instance = await Instance.start({ env: { ...env, TMPDIR: this.temporary }, args, ...database });
  }

  async close(): Promise<void> {
    await this.instance.remove();
    await this.double.close();
    await this.server?.stop();
    await rm(this.root, { recursive: true, force: true });
  }

  get temporary(): string {
    return join(this.root, 'tmp');
  }

  get target(): { url: string; key: string } {
    return { url: this.instance.url, key: this.instance.key };
  }

  /** Has a supplier of this behaviour serve while the work runs, with a fresh record of success. */
  async with(
    { behaviour, dialect = 'openai' }: { behaviour: SupplierBehaviour; dialect?: Dialect },
    work: () => Promise<unknown>,
  ): Promise<void> {
    this.supplierCount += 1;
    this.double.setBehaviour(behaviour);
    const offer = { instrument: 'text-standard', price: '0.25', units: 2, dialect };
    const name = `Supplier ${this.supplierCount}`;
    const { supplier_id: id } = await this.instance.addSupplier(this.double, { name, ...offer });
    await work();
    await this.instance.admin('POST', `/suppliers/${id}/pause`);
  }

  async noteMetrics(): Promise<void> {
    this.metrics.push((await this.instance.get('/metrics')).text);
  }

  /** Searches the store: its files with their write-ahead log, and on a server its rows. */
  async searchStore(canaries: Iterable<Canary>): Promise<{ hits: Hit[]; byteCount: number }> {
    const wanted = [...canaries];
    const { instance, server } = this;
    const folders = [instance.dataFolder];
    const hits: Hit[] = [];
    if (server !== undefined && instance.databaseUrl !== undefined) {
      hits.push(...searchText(await allRows(instance.databaseUrl), wanted, 'tables'));
      folders.push(...[await serverFolder(server)].filter((folder) => folder !== undefined));
    }
    const reports = await Promise.all(folders.map((folder) => searchFolder(folder, wanted)));
    hits.push(...reports.flatMap((report) => report.hits));
    return { hits, byteCount: reports.reduce((sum, report) => sum + report.byteCount, 0) };
  }
}

describe.each(ENGINES)('content, on the %s store', (engine) => {
  const scene = new Scene();
  const { marked } = scene;

  beforeAll(() => scene.open(engine));
  afterAll(() => scene.close());

  it.each(DIALECTS)(
    'passes through in successful requests to a supplier of %s, which is told nothing of the buyer',
    async (dialect) => {
      const before = scene.double.requests.length;
      await scene.with({ behaviour: marked.answer(), dialect }, async () => {
        for (const surface of SURFACES) {
          const whole = await sendRequest(marked.request(scene.target, {}, surface));
          expect([whole.status, whole.text]).toEqual([
            200,
            expect.stringContaining(marked.mark('tool call')),
          ]);
          const streamed = await streamRequest(marked.request(scene.target, { stream: true }, surface));
          expect([streamed.status, streamed.text]).toEqual([200, expect.stringContaining(ENDS[surface])]);
          expect(streamed.text).toContain(marked.mark('completion'));
        }
      });
      const told = scene.double.requests.slice(before);
      expect(told).toHaveLength(2 * SURFACES.length);
      for (const { bodyText, headers } of told) {
        for (const place of [
          'prompt',
          'system prompt',
          'tool name',
          'tool arguments',
          'tool result',
        ] as const)
          expect(bodyText).toContain(marked.mark(place));
        const all = bodyText + JSON.stringify(headers);
        for (const place of OF_THE_BUYER) expect(all).not.toContain(marked.mark(place));
        expect(all).not.toContain(scene.instance.key);
      }
    },
  );

  it('passes through in files, counts and requests that are sent on', async () => {
    await scene.with({ behaviour: marked.answer(), dialect: 'anthropic' }, async () => {
      const before = scene.double.requests.length;
      const file = await sendRequest(marked.request(scene.target, marked.attachments(), 'messages'));
      expect(file.status).toBe(200);
      expect(scene.double.requests[before]?.bodyText).toContain(marked.mark('file name'));
      const asked = marked.request(scene.target, {}, 'messages');
      const counted = await sendRequest({ ...asked, url: `${scene.instance.url}/v1/messages/count_tokens` });
      expect(counted.json).toEqual({ input_tokens: expect.any(Number) });
      const chat = marked.request(scene.target);
      const headers = { ...chat.headers, 'x-grid-routing': 'redirect' };
      const hop = await sendRequest({ ...chat, headers });
      expect(hop.status).toBe(307);
      const location = String(hop.headers.location);
      scene.routingTokens.push(canaryOf('routing token', location.slice(location.indexOf('=') + 1)));
      const second = await sendRequest({ ...chat, url: location });
      expect([second.status, second.text]).toEqual([200, expect.stringContaining(marked.mark('completion'))]);
    });
  });

  it('is in requests that are refused', async () => {
    const requests = [...marked.refused(scene.target), ...marked.refusedElsewhere(scene.target)];
    for (const [name, request] of requests) {
      const answer = await sendRequest(request);
      expect(answer.status, `${name}: ${answer.text.slice(0, 300)}`).toBeGreaterThanOrEqual(400);
      expect(answer.status, name).toBeLessThan(500);
    }
    const filter = `/v1/usage?model=${marked.mark('query')}&api_key_id=${marked.mark('query')}`;
    expect((await scene.instance.get(filter, scene.instance.key)).status).toBe(200);
    const poor = await scene.instance.openBuyer('0');
    const unpaid = await sendRequest(marked.request({ ...scene.target, key: poor.key }));
    expect([402, 503]).toContain(unpaid.status);
  });

  it('is in what suppliers say when they fail, which no answer repeats', async () => {
    for (const [index, [name, behaviour]] of marked.failures().entries()) {
      const before = scene.double.requests.length;
      const dialect = DIALECTS[index % DIALECTS.length]!;
      await scene.with({ behaviour, dialect }, async () => {
        const asked = SURFACES.flatMap((surface) =>
          [false, true].map(async (stream) => {
            const request = marked.request(scene.target, { stream }, surface);
            const { text } = await sendRequest(request);
            return { text, isEnded: stream && text.includes(ENDS[surface]) };
          }),
        );
        for (const { text, isEnded } of await Promise.all(asked)) {
          expect(isEnded, name).toBe(false);
          expect(text, name).not.toContain(marked.mark('supplier error'));
          expect(text, name).not.toContain(marked.mark('prompt'));
        }
      });
      expect(scene.double.requests.length, name).toBeGreaterThan(before);
    }
  });

  it('is in streams that are left, and under way when the program is killed', async () => {
    await scene.with({ behaviour: marked.endlessAnswer() }, async () => {
      for (const surface of SURFACES) {
        const asked = marked.request(scene.target, { stream: true }, surface);
        const left = await streamRequest({ ...asked, hangUp: { afterEvents: 10 } });
        expect(left.text).toContain(marked.mark('completion'));
      }
      const request = marked.request(scene.target, { stream: true });
      await scene.noteMetrics();
      const before = scene.double.requests.length;
      const cut = Promise.all([streamRequest(request), streamRequest(request)]);
      await scene.double.waitForRequests(before + 2);
      await waitFor('content', () => (scene.double.requests[before]?.writeCount ?? 0) > 20);
      await scene.instance.program.kill9();
      expect((await cut).map(({ failure }) => failure)).not.toContain(null);
      await scene.instance.launch();
    });
    await scene.noteMetrics();
  });

  it('would be found where it can be: the search finds what was planted', async () => {
    const { planted, instance } = scene;
    const mark = (name: 'account name' | 'file' | 'temporary file') => planted.get(name)!.marker;
    await instance.admin('POST', '/accounts', { email: 'planted@example.org', name: mark('account name') });
    const hidden = Buffer.from(`..${mark('file')}`).toString('base64');
    await writeFile(join(instance.dataFolder, 'planted'), hidden);
    const { hits } = await scene.searchStore(planted.values());
    expect(hits.filter(({ where }) => where.endsWith('planted')).map(({ canary }) => canary)).toContain(
      'file',
    );
    const inStore = hits.filter(({ canary }) => canary === 'account name').map(({ where }) => where);
    // Beside the tables, the files of a server hold it in its write-ahead log at least.
    expect(inStore.length).toBeGreaterThanOrEqual(
      engine === 'server' && !process.env.TEST_DATABASE_URL ? 2 : 1,
    );
    await writeFile(join(scene.temporary, mark('temporary file')), '');
    const temporary = await searchFolder(scene.temporary, planted.values());
    expect(new Set(temporary.hits.map(({ canary }) => canary))).toEqual(new Set(['temporary file']));
    const { headers } = await sendRequest(marked.request(scene.target));
    const requestId = canaryOf('request id', String(headers['x-grid-request-id']));
    await waitFor('the line in the log', () => searchText(instance.output, [requestId]).length > 0);
  });

  it('is nowhere: not in the store, the log, the metrics or temporary files', async () => {
    const { instance, double } = scene;
    expect(scene.routingTokens).toHaveLength(1);
    const content = [...marked.canaries.values(), ...scene.routingTokens];
    expect(await instance.program.stop()).toMatchObject({ code: 0 });
    const keys = [canaryOf('buyer key', instance.key), canaryOf('supplier key', double.apiKey)];
    const store = await scene.searchStore([...content, ...keys]);
    expect(store.hits).toEqual([]);
    expect(store.byteCount).toBeGreaterThan(engine === 'embedded' ? 10_000_000 : 10);
    expect(searchText(instance.output, [...content, keys[1]!], 'log')).toEqual([]);
    expect(instance.output.split(instance.key)).toHaveLength(2);
    expect(scene.metrics.join('')).toMatch(/opengrid_\w+/);
    expect(searchText(scene.metrics.join('\n'), [...content, ...keys], 'metrics')).toEqual([]);
    const temporary = await searchFolder(scene.temporary, content);
    expect(temporary.hits).toEqual([]);
  });
});
