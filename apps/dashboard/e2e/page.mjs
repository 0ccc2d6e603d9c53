// The page in a real browser against a running server.
//   node e2e/page.mjs --url http://127.0.0.1:4000 [--key sk-or-v1-…] [--out pictures] [--browser /usr/bin/chromium]
// The key may come from OPENGRID_API_KEY instead. Its account must have at least one receipt, and the server one trade.
// Ends with `N passed, N failed` and exit code 1 when anything failed.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values: flags } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:4000' },
    key: { type: 'string', default: process.env.OPENGRID_API_KEY ?? '' },
    out: { type: 'string' },
    browser: { type: 'string', default: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium' },
  },
});

const desktop = { width: 1440, height: 900 };
const phone = { width: 390, height: 844 };
const browserFlags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const quietFlags = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];

let passed = 0;
let failed = 0;

const print = (line) => process.stdout.write(`${line}\n`);

/** The first line of a failure, without the key. */
const reasonOf = (error) =>
  String(error.message ?? error)
    .split('\n')[0]
    .replaceAll(flags.key || '\0', '[key]');

const check = async (name, test) => {
  try {
    await test();
    passed += 1;
    print(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    print(`FAIL ${name}: ${reasonOf(error)}`);
  }
};

const expect = (condition, message) => {
  if (!condition) throw new Error(message);
};

const picture = async (page, name) => {
  if (!flags.out) return;
  await page.evaluate(() => window.scrollTo(0, 0));
  await mkdir(flags.out, { recursive: true });
  await page.screenshot({ path: join(flags.out, `${name}.png`) });
  await page.screenshot({ path: join(flags.out, `${name}-full.png`), fullPage: true });
};

/** Opens the page and collects everything the browser complains about. */
const openPage = async (browser, options) => {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      complaints.push(`${message.type()}: ${message.text()} ${message.location().url ?? ''}`);
    }
  });
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${new URL(response.url()).pathname}`);
  });
  await page.goto(flags.url);
  await page.locator('[data-part=book] [data-side=ask]').first().waitFor({ timeout: 15_000 });
  await page.locator('[data-connection=live]').waitFor({ timeout: 15_000 });
  return { page, complaints };
};

/** Texts of every row that matches, one list of cells a row. */
const cellsOf = (page, selector) =>
  page.evaluate(
    (wanted) =>
      [...document.querySelectorAll(wanted)].map((row) =>
        [...row.cells].map((cell) => cell.textContent.trim()),
      ),
    selector,
  );

/** Numbers of a book side, best price first. */
const levelsOf = async (page, side) => {
  const rows = await cellsOf(page, `[data-part=book] [data-side=${side}]`);
  const levels = rows.map((row) => row.map((text) => Number(text.replace(/[^\d.]/g, ''))));
  return side === 'ask' ? levels.reverse() : levels;
};

const checkSide = (levels, direction) => {
  let total = 0;
  for (const [index, [price, quantity, cumulative]] of levels.entries()) {
    total += quantity;
    expect(cumulative === total, `row ${index}: total ${cumulative} where the quantities make ${total}`);
    const better = levels[index - 1]?.[0];
    expect(better === undefined || (price - better) * direction > 0, `row ${index}: price out of order`);
  }
};

const checkMarket = async (page) => {
  await check('the instruments are listed and one is selected', async () => {
    expect((await page.locator('[data-instrument]').count()) >= 4, 'fewer than four instruments');
    expect(
      (await page.locator('[data-instrument][aria-selected=true]').count()) === 1,
      'not exactly one selected',
    );
    const row = await page.locator('[data-instrument][aria-selected=true]').textContent();
    expect(/\d+\.\d{4}/.test(row), 'the selected instrument shows no price');
  });
  await check('the book shows asks in order with running totals', async () => {
    const asks = await levelsOf(page, 'ask');
    expect(asks.length > 0, 'no ask');
    checkSide(asks, 1);
  });
  await check('bids, where there are any, are in order and below the asks', async () => {
    const bids = await levelsOf(page, 'bid');
    checkSide(bids, -1);
    const [[bestAsk]] = await levelsOf(page, 'ask');
    expect(bids.length === 0 || bids[0][0] < bestAsk, 'the book is crossed');
  });
  await check('the tape shows trades with price, units and age', async () => {
    await page.locator('[data-trade]').first().waitFor({ timeout: 5_000 });
    const [[price, units, age]] = await cellsOf(page, '[data-trade]');
    expect(/\d+\.\d{4}$/.test(price) && /^\d+$/.test(units), `odd trade: ${price}, ${units}`);
    expect(/^(now|\d+ (s|min|h|d))$/.test(age), `odd age: ${age}`);
  });
  await check('the quickstart names this origin and the selected instrument', async () => {
    const code = await page.locator('[data-part=quickstart] pre').textContent();
    const symbol = await page
      .locator('[data-instrument][aria-selected=true]')
      .getAttribute('data-instrument');
    expect(code.includes(`${new URL(flags.url).origin}/v1`), 'another origin');
    expect(code.includes(symbol), 'another instrument');
  });
};

const checkSelection = async (page) => {
  await check('choosing another instrument shows it, in the address too', async () => {
    const row = page.locator('[data-instrument][aria-selected=false]').first();
    const symbol = await row.getAttribute('data-instrument');
    await row.locator('button').click();
    await page.locator(`[data-part=header] code:text-is("${symbol}")`).waitFor({ timeout: 5_000 });
    expect(new URL(page.url()).searchParams.get('instrument') === symbol, 'the address was not changed');
    await page.goBack().catch(() => {});
    await page.goto(flags.url);
    await page.locator('[data-part=book] [data-side=ask]').first().waitFor();
  });
};

const paste = async (page, key) => {
  await page.locator('[data-part=key-form] input').fill(key);
  await page.locator('[data-part=key-form] button[type=submit]').click();
};

const checkWrongKeys = async (page, complaints) => {
  await check('a text that is no key is refused on the spot', async () => {
    const before = complaints.length;
    await paste(page, 'sk-or-v1-short');
    await page.locator('[data-part=key-form] [role=alert]').waitFor({ timeout: 2_000 });
    expect(complaints.length === before, 'a request was made');
  });
  await check('an unknown key gives an error with a request id, and can be forgotten', async () => {
    const before = complaints.length;
    await paste(page, `sk-or-v1-${'0'.repeat(64)}`);
    await page.locator('[data-part=receipts] [data-state=error]').waitFor({ timeout: 5_000 });
    const note = await page.locator('[data-part=receipts] [data-state=error]').textContent();
    expect(/req_\w+/.test(note), 'no request id');
    await page.getByRole('button', { name: 'Forget the key' }).click();
    await page.locator('[data-part=key-form]').waitFor({ timeout: 2_000 });
    // The browser logs the 401 that this step asked for.
    await page.waitForTimeout(300);
    complaints.splice(before);
  });
};

const storedTexts = (page) =>
  page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]),
  );

const checkReceipts = async (page, name) => {
  await check('receipts appear after the key is pasted', async () => {
    await paste(page, flags.key);
    await page.locator('[data-receipt]:visible').first().waitFor({ timeout: 10_000 });
    const first = await page.locator('[data-receipt]:visible').first().textContent();
    expect(/0\.\d+|cancel|error|upstream/.test(first), `no cost in: ${first}`);
  });
  await check('the key is nowhere but in memory', async () => {
    expect(!(await storedTexts(page)).includes(flags.key), 'the key was stored');
    expect(!(await page.content()).includes(flags.key), 'the key is in the document');
  });
  await picture(page, `${name}-receipts`);
  await check('a receipt tells its story down to unit, trade and price', async () => {
    const settled = page.locator('[data-receipt]:visible', { hasText: 'settled' }).first();
    await settled.locator('button').click();
    const lot = page.locator('[data-part=receipt] [data-lot]').first();
    await lot.waitFor({ timeout: 5_000 });
    const text = await lot.textContent();
    for (const pattern of [/tokens/, /units? \d/, /trade_\w{26}/, /lot_\w{26}/, /\d+\.\d{4} USD per unit/]) {
      expect(pattern.test(text), `the draw lacks ${pattern}`);
    }
  });
  await picture(page, `${name}-story`);
  await check('Escape closes the receipt', async () => {
    await page.keyboard.press('Escape');
    await page.locator('[data-part=receipt]').waitFor({ state: 'detached', timeout: 2_000 });
  });
};

const checkCalm = async (page) => {
  await check('nothing moves while prices change', async () => {
    const shift = await page.evaluate(async () => {
      let score = 0;
      const observer = new PerformanceObserver((entries) => {
        for (const entry of entries.getEntries()) score += entry.value;
      });
      observer.observe({ type: 'layout-shift', buffered: false });
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      return score;
    });
    expect(shift < 0.01, `layout shift of ${shift}`);
  });
};

const checkHidden = async (page) => {
  await check('a hidden page asks for nothing', async () => {
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    });
    await page.waitForTimeout(1_500);
    let requests = 0;
    const count = () => {
      requests += 1;
    };
    page.on('request', count);
    await page.waitForTimeout(3_000);
    page.off('request', count);
    expect(requests === 0, `${requests} requests`);
    await page.evaluate(() => {
      Reflect.deleteProperty(document, 'visibilityState');
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    });
    await page.locator('[data-connection=live]').waitFor({ timeout: 10_000 });
  });
};

const checkTheme = async (page) => {
  await check('the theme can be chosen and is remembered', async () => {
    await page.getByRole('button', { name: 'Light theme' }).click();
    await page.reload();
    const theme = await page.evaluate(() => document.documentElement.dataset.theme);
    expect(theme === 'light', `theme ${theme} after a reload`);
    await page.getByRole('button', { name: 'Theme of the system' }).click();
  });
};

const checkLoss = async (page) => {
  await check('a server that goes away is said to be away, one that returns is live again', async () => {
    await page.route('**/v1/**', (route) => route.abort());
    await page.locator('[data-connection=reconnecting]').waitFor({ timeout: 10_000 });
    await page.locator('[data-connection=stale]').waitFor({ timeout: 20_000 });
    await page.unroute('**/v1/**');
    await page.locator('[data-connection=live]').waitFor({ timeout: 10_000 });
  });
};

const checkWidth = async (page, width) => {
  await check(`no sideways scroll at ${width} px`, async () => {
    await page.setViewportSize({ width, height: 844 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow <= 0, `${overflow} px too wide`);
  });
};

const checkComplaints = async (complaints, where) => {
  await check(`the browser has no complaint (${where})`, async () => {
    expect(complaints.length === 0, complaints.slice(0, 3).join(' | '));
  });
};

const onDesktop = async (browser) => {
  expect(flags.key !== '', 'no key: give --key or OPENGRID_API_KEY');
  const { page, complaints } = await openPage(browser, { viewport: desktop, colorScheme: 'dark' });
  await checkMarket(page);
  await picture(page, 'desktop-dark');
  await checkSelection(page);
  await checkCalm(page);
  await checkWrongKeys(page, complaints);
  await checkReceipts(page, 'desktop-dark');
  await checkHidden(page);
  await checkTheme(page);
  await checkComplaints(complaints, 'desktop');
  await checkLoss(page);
};

const onPhone = async (browser) => {
  const { page, complaints } = await openPage(browser, {
    viewport: phone,
    colorScheme: 'dark',
    hasTouch: true,
  });
  await picture(page, 'phone-dark');
  await checkReceipts(page, 'phone-dark');
  for (const width of [390, 320, 768, 1024, 1280]) await checkWidth(page, width);
  await checkComplaints(complaints, 'phone');
};

const inLight = async (browser) => {
  for (const [name, viewport] of Object.entries({ 'desktop-light': desktop, 'phone-light': phone })) {
    const { page, complaints } = await openPage(browser, { viewport, colorScheme: 'light' });
    await checkReceipts(page, name);
    await picture(page, name);
    await checkComplaints(complaints, name);
  }
};

const browser = await chromium.launch({
  executablePath: flags.browser,
  args: [...browserFlags, ...quietFlags],
});
try {
  for (const part of [onDesktop, onPhone, inLight]) {
    await check(`${part.name} runs to its end`, () => part(browser));
  }
} finally {
  await browser.close();
}
print(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
