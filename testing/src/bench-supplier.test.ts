import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { startBenchSupplier } from './bench-supplier.ts';
import { sendBytes, sendRequest, streamRequest } from './client.ts';

const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(options: Parameters<typeof startBenchSupplier>[0] = {}) {
  const supplier = await startBenchSupplier(options);
  closers.push(() => supplier.close());
  return { supplier, url: `${supplier.baseUrl}/chat/completions` };
}

describe('the benchmark upstream', () => {
  it.each(['together', 'apart'] as const)(
    'streams twenty chunks, usage and [DONE], writes %s',
    async (writes) => {
      const { url } = await start({ writes });
      const { sse, isComplete } = await streamRequest({ url, body: { stream: true } });
      expect([isComplete, sse.sawDone]).toEqual([true, true]);
      expect(sse.text.split(' ')).toHaveLength(20);
      expect(sse.chunks.at(-1)).toMatchObject({ usage: { prompt_tokens: 9, completion_tokens: 20 } });
    },
  );

  it('answers JSON, and many requests on one connection', async () => {
    const { supplier, url } = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    closers.push(() => agent.destroy());
    for (let count = 1; count <= 5; count += 1) {
      const response = await sendRequest({ url, agent, body: { stream: false, pad: 'x'.repeat(70_000) } });
      expect(response.json).toMatchObject({
        object: 'chat.completion',
        usage: { prompt_tokens: 16_245, total_tokens: 16_265 },
      });
      expect(supplier.requestCount()).toBe(count);
    }
  });

  it('waits for the whole of a large body', async () => {
    const { url } = await start();
    const { sse } = await streamRequest({ url, body: { pad: 'x'.repeat(500_000), stream: true } });
    expect(sse.sawDone).toBe(true);
  });

  it('understands chunked bodies and pipelined requests', async () => {
    const { supplier, url } = await start();
    const chunked =
      'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"str\r\nb\r\neam": 1   }\r\n0\r\n\r\n';
    const sized = 'POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}';
    const received = await sendBytes({ url, parts: [chunked + sized.slice(0, 20), sized.slice(20)] });
    expect(received.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(supplier.requestCount()).toBe(2);
  });
});

describe('the program', () => {
  const main = fileURLToPath(new URL('../dist/faulty-supplier-main.js', import.meta.url));

  async function startProgram(args: string[]) {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    closers.push(() => void child.kill('SIGKILL'));
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { baseUrl } = JSON.parse(String(line).replace('SUPPLIER_READY ', '')) as { baseUrl: string };
    return { child, url: `${baseUrl}/chat/completions` };
  }

  it('serves in a process of its own and ends on SIGTERM', async () => {
    const { child, url } = await startProgram(['--mode', 'bench', '--chunks', '3']);
    const { sse } = await streamRequest({ url, body: { stream: true } });
    expect(sse.text.split(' ')).toHaveLength(3);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('behaves as told and ends when its parent is gone', async () => {
    const args = ['--mode', 'behave', '--behaviour', '{"kind":"error","status":503}', '--api-key', 'k'];
    const { child, url } = await startProgram(args);
    expect(await sendRequest({ url, key: 'k', body: {} })).toMatchObject({ status: 503 });
    child.stdin.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
