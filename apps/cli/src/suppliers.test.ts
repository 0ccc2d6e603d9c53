import { describe, expect, it } from 'vitest';
import { useFixture } from './testing/fixture.ts';
import { runCli } from './testing/run-cli.ts';
import { refused } from './testing/scripted-server.ts';

const SECRET = 'sk-upstream-0123456789wxyz';
const SUPPLIER_ID = 'supplier_01jz3v8m2k7f9q0x4w6t5s1r8q';

const supplier = {
  supplier_id: SUPPLIER_ID,
  display_name: 'My Ollama',
  status: 'approved',
  is_builtin: false,
  endpoints: [
    {
      endpoint_id: 'endpoint_01jz3v8m2k7f9q0x4w6t5s1r8q',
      name: 'My Ollama',
      base_url: 'http://localhost:11434/v1',
      served_model: 'llama3.2',
      state: 'qualified',
      credential_hint: 'wxyz',
      instruments: ['text-prime'],
    },
  ],
};

const added = { status: 201, body: { data: { ...supplier, order_ids: ['order_1'] } } };

/** The command of the README, word by word; only the key is given in the way a test asks for. */
const ADD = (
  'suppliers add --name Ollama --base-url http://localhost:11434/v1 --model llama3.2 ' +
  '--dialect openai --instrument text-prime --price 0.90 --units 500'
).split(' ');

/** The words of `ADD` with one value replaced. */
function addWith(option: string, value: string): string[] {
  return ADD.map((word, index) => (ADD[index - 1] === option ? value : word));
}

const fixture = useFixture();

describe('suppliers add', () => {
  it('sends what was asked, prices as exact decimals, and never shows the key', async () => {
    const server = await fixture.serve({ 'POST /suppliers': added });
    const result = await server.cli([...ADD, '--key', SECRET]);
    expect(server.received).toEqual([
      {
        route: 'POST /suppliers',
        body: {
          name: 'Ollama',
          base_url: 'http://localhost:11434/v1',
          key: SECRET,
          model: 'llama3.2',
          dialect: 'openai',
          instrument: 'text-prime',
          price: '0.9000',
          units: 500,
        },
      },
    ]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain('Added My Ollama.');
    expect(result.stdout).toMatch(/^key\s+…wxyz$/m);
    expect(result.stdout).toMatch(/^offer\s+500 units of text-prime at USD 0\.9000$/m);
    expect(result.stdout).not.toContain(SECRET);
  });

  it('sends the optional fields only when they are given', async () => {
    const server = await fixture.serve({ 'POST /suppliers': added });
    const more = ['--served-model', 'meta/llama-3.2', '--max-concurrency', '4', '--region', 'DE'];
    await server.cli([...ADD, ...more]);
    expect(server.received[0]?.body).toMatchObject({
      served_model: 'meta/llama-3.2',
      max_concurrency: 4,
      region: 'DE',
    });
    expect(server.received[0]?.body).not.toHaveProperty('key');
  });

  it('takes the key from standard input', async () => {
    const server = await fixture.serve({ 'POST /suppliers': added });
    const result = await server.cli([...ADD, '--key-stdin'], { input: `${SECRET}\n` });
    expect(result.code).toBe(0);
    expect(server.received[0]?.body).toMatchObject({ key: SECRET });
  });

  it('takes the key from the environment, and a flag before it', async () => {
    const server = await fixture.serve({ 'POST /suppliers': added });
    const env = { OPENGRID_SUPPLIER_KEY: SECRET };
    await server.cli(ADD, { env });
    await server.cli([...ADD, '--key', 'sk-other'], { env });
    expect(server.received.map(({ body }) => (body as { key: string }).key)).toEqual([SECRET, 'sk-other']);
  });

  it.each([
    ['a key of several words', `${SECRET} ${SECRET}`],
    ['a key with a line break inside', `${SECRET}\nx: y`],
    ['an empty key', ' \n'],
    ['an endless key', 'x'.repeat(20_000)],
  ])('refuses %s without quoting it', async (_case, input) => {
    const server = await fixture.serve({ 'POST /suppliers': added });
    const result = await server.cli([...ADD, '--key-stdin'], { input });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('The key from standard input');
    expect(result.stdout + result.stderr).not.toContain(SECRET);
    expect(server.received).toEqual([]);
  });

  it('does not show the key when the server refuses, breaks off or is away', async () => {
    const key = ['--key', SECRET];
    const refusing = await fixture.serve({
      'POST /suppliers': refused(422, 'validation_failed', 'base_url: no.'),
    });
    const garbling = await fixture.serve({ 'POST /suppliers': { status: 500, body: `<p>${SECRET}</p>` } });
    const results = [
      await refusing.cli([...ADD, ...key]),
      await garbling.cli([...ADD, ...key]),
      await garbling.cli([...ADD, ...key, '--json']),
      await runCli([...ADD, ...key, '--data', await fixture.folder()]),
      await refusing.cli([...addWith('--price', 'much'), ...key]),
      await refusing.cli([...ADD, ...key, '--key-stdin']),
    ];
    expect(results.map(({ code }) => code)).toEqual([1, 1, 1, 1, 2, 2]);
    for (const { stdout, stderr } of results) expect(stdout + stderr).not.toContain(SECRET);
  });

  it.each([
    ['--price', '0.00001'],
    ['--price', '0'],
    ['--price', '1e3'],
    ['--price', '99999999999999.0000'],
    ['--units', '0'],
    ['--units', '1.5'],
    ['--dialect', 'morse'],
  ])('refuses %s %s before anything is sent', async (option, value) => {
    const server = await fixture.serve({ 'POST /suppliers': added });
    const result = await server.cli(addWith(option, value));
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(option);
    expect(server.received).toEqual([]);
  });

  it('names the option that is missing', async () => {
    const result = await runCli(['suppliers', 'add', '--name', 'x']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('--base-url');
  });
});

describe('suppliers list', () => {
  it('shows a line for each endpoint in aligned columns', async () => {
    const bare = { supplier_id: 'supplier_2', display_name: '東京 GPU', status: 'suspended', endpoints: [] };
    const server = await fixture.serve({
      'GET /suppliers': { status: 200, body: { data: [supplier, bare] } },
    });
    const { code, stdout } = await server.cli(['suppliers', 'list']);
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'SUPPLIER ID                          NAME       STATUS     INSTRUMENTS  MODEL     STATE      STRIKES  KEY    BASE URL',
        `${SUPPLIER_ID}  My Ollama  approved   text-prime   llama3.2  qualified  0        …wxyz  http://localhost:11434/v1`,
        'supplier_2                           東京 GPU   suspended  -            -         -          0        -      -',
        '',
      ].join('\n'),
    );
  });

  it('prints the data itself with --json', async () => {
    const server = await fixture.serve({ 'GET /suppliers': { status: 200, body: { data: [supplier] } } });
    const { stdout } = await server.cli(['suppliers', 'list', '--json']);
    expect(JSON.parse(stdout)).toEqual([supplier]);
  });

  it('keeps names from steering the terminal', async () => {
    const sly = { ...supplier, display_name: 'a\u001b[2Jb\nc\u202ed' };
    const server = await fixture.serve({ 'GET /suppliers': { status: 200, body: { data: [sly] } } });
    const { stdout } = await server.cli(['suppliers', 'list']);
    expect(stdout).toContain('a [2Jb c d');
    expect(stdout.split('\n')).toHaveLength(3);
  });

  it('says how to add the first one', async () => {
    const server = await fixture.serve({ 'GET /suppliers': { status: 200, body: { data: [] } } });
    const { code, stdout } = await server.cli(['suppliers', 'list']);
    expect(code).toBe(0);
    expect(stdout).toContain('opengrid suppliers add');
  });
});

describe('suppliers pause and resume', () => {
  it.each([
    ['pause', true],
    ['resume', false],
  ])('%s by id', async (act, isPaused) => {
    const server = await fixture.serve({ [`POST /suppliers/${SUPPLIER_ID}/${act}`]: { status: 204 } });
    const human = await server.cli(['suppliers', act, SUPPLIER_ID]);
    const machine = await server.cli(['suppliers', act, SUPPLIER_ID, '--json']);
    expect(human).toMatchObject({ code: 0, stderr: '' });
    expect(human.stdout).toContain(SUPPLIER_ID);
    expect(JSON.parse(machine.stdout)).toEqual({ supplier_id: SUPPLIER_ID, is_paused: isPaused });
    expect(server.received.map(({ body }) => body)).toEqual([undefined, undefined]);
  });

  it('says where ids are found when there is none such', async () => {
    const server = await fixture.serve({});
    const result = await server.cli(['suppliers', 'pause', 'nobody']);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('Nothing has this id');
    expect(result.stderr).toContain('opengrid suppliers list');
  });
});
