// The page that shows the API document, in a real browser: it works under its policy and asks nobody but us. Needs a Chromium.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Instance } from './testing/instance.ts';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
let instance: Instance;
beforeAll(async () => {
  instance = await Instance.start({ engine: 'embedded' });
});
afterAll(async () => {
  await instance.remove();
});

it.skipIf(!existsSync(executablePath))('shows the API document, and nothing leaves this origin', async () => {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const tab = await browser.newPage();
    const asked = new Set<string>();
    const complaints: string[] = [];
    tab.on('request', (request) => asked.add(new URL(request.url()).origin));
    tab.on('pageerror', (error) => complaints.push(error.message));
    tab.on('console', (message) => {
      if (/content security policy/i.test(message.text())) complaints.push(message.text());
    });
    await tab.goto(`${instance.url}/reference`);
    await tab.getByRole('heading', { name: 'OpenGrid' }).first().waitFor();
    await tab.getByText('/v1/chat/completions').first().waitFor();
    await tab.evaluate('document.fonts.ready');
    expect([...asked]).toEqual([instance.url]);
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
  }
});
