import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import OpenAI from 'openai';
import { describe, expect, it, vi } from 'vitest';
import { MODEL_ID } from './model-card.ts';
import { startBuiltinSupplier } from './supplier.ts';

const API_KEY = 'sk-test-key';

function ask(baseURL: string, apiKey = API_KEY): Promise<OpenAI.ChatCompletion> {
  return new OpenAI({ apiKey, baseURL, maxRetries: 0 }).chat.completions.create({
    model: MODEL_ID,
    messages: [{ role: 'user', content: 'Tell me about the whale.' }],
    max_tokens: 10,
  });
}

describe('the supplier in a worker thread', () => {
  it('answers, and frees its port when closed', async () => {
    const supplier = await startBuiltinSupplier({ apiKey: API_KEY, tokensPerSecond: 0 });
    expect(supplier.baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    expect((await ask(supplier.baseUrl)).usage?.completion_tokens).toBeLessThanOrEqual(10);
    await expect(ask(supplier.baseUrl, 'wrong')).rejects.toMatchObject({ status: 401 });
    await supplier.close();
    await supplier.close();
    expect(await supplier.ended).toBe('closed');
    await expect(ask(supplier.baseUrl)).rejects.toBeInstanceOf(OpenAI.APIConnectionError);
  });

  it('says why it cannot start', async () => {
    const first = await startBuiltinSupplier({ apiKey: API_KEY });
    const port = Number(new URL(first.baseUrl).port);
    await expect(startBuiltinSupplier({ apiKey: API_KEY, port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await first.close();
  });

  it('tells when its thread ends unasked', async () => {
    const on = vi.spyOn(Worker.prototype, 'on');
    const supplier = await startBuiltinSupplier({ apiKey: API_KEY });
    const worker = on.mock.contexts[0] as Worker;
    on.mockRestore();
    await worker.terminate();
    expect(await supplier.ended).toBe('failed');
    await supplier.close();
  });
});

describe('the supplier as a process', () => {
  it('prints its address, answers and ends on a signal', async () => {
    const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
    const child = spawn(process.execPath, [main, '--port', '0'], {
      env: { BUILTIN_SUPPLIER_KEY: API_KEY },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [baseUrl] = (await once(createInterface(child.stdout), 'line')) as [string];
    expect((await ask(baseUrl)).object).toBe('chat.completion');
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
  });
});
