// The client in a real browser, from another origin: WebCrypto, CORS and the browser's own WebSocket. Needs a Chromium.
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { generateKey } from '@opengrid/sdk';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Instance } from './testing/instance.ts';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const sdkFolder = fileURLToPath(new URL('../../../packages/sdk', import.meta.url));

let instance: Instance;
let page: Server;
beforeAll(async () => {
  instance = await Instance.start({ engine: 'embedded' });
  page = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>SDK</title>');
  });
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  page.close();
  await instance.remove();
});

/** The client as one script that makes the name `sdk`. */
async function bundle(): Promise<string> {
  const output = await build({
    root: sdkFolder,
    logLevel: 'silent',
    configFile: false,
    build: { write: false, lib: { entry: `${sdkFolder}/src/index.ts`, formats: ['iife'], name: 'sdk' } },
  });
  const [first] = Array.isArray(output) ? output : [output];
  const chunks = first !== undefined && 'output' in first ? first.output : [];
  return chunks.map((chunk) => ('code' in chunk ? chunk.code : '')).join('\n');
}

/** Runs in the page. Text, because it knows the names of the page and not those of this file. */
const SCRIPT = `async ({ url, pem }) => {
  const signer = await sdk.signerFromKey(pem);
  const grid = new sdk.OpenGrid({ baseUrl: url, signer, signatureScheme: 'strict' });
  const bid = { market_id: 'text-prime', side: 'buy', type: 'limit', quantity: 1, price: '0.0100' };
  const first = await grid.orders.place(bid);
  const live = grid.live();
  const book = live.book('text-prime');
  const view = await book.ready();
  const second = await live.orders.place({ ...bid, price: '0.0200' });
  await grid.orders.cancelAll();
  const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  const stranger = new sdk.OpenGrid({ baseUrl: url, signer: await sdk.signerFromCryptoKeys(pair) });
  const refusal = await stranger.account.me().catch(({ code, requestId }) => [code, typeof requestId]);
  live.close();
  return { statuses: [first.status, second.status], bids: view.bids, refusal, resyncs: book.resyncCount };
}`;

it.skipIf(!existsSync(executablePath))('signs, trades and follows a book in a browser', async () => {
  const account = 'page@example.com';
  await instance.admin('POST', '/accounts', { email: account, mode: 'advanced' });
  await instance.admin('POST', `/accounts/${account}/credit`, { amount: '5.00' });
  const key = await generateKey();
  await instance.admin('POST', '/signing-keys', { account, label: 'page', public_key: key.publicKey });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${(page.address() as AddressInfo).port}/`);
    await tab.addScriptTag({ content: await bundle() });
    const input = JSON.stringify({ url: instance.url, pem: key.privateKeyPem });
    expect(await tab.evaluate(`(${SCRIPT})(${input})`)).toEqual({
      statuses: ['active', 'active'],
      bids: [{ price: '0.0100', quantity: 1 }],
      refusal: ['unknown_key', 'string'],
      resyncs: 0,
    });
  } finally {
    await browser.close();
  }
});
