// Writes the pages of docs/ that are made from code. Build first (`npm run build:code`); a test tells when it is due.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorPage } from './docs/error-page.mjs';
import { inventoryPage } from './docs/inventory-page.mjs';

const root = new URL('../', import.meta.url);
const fromBuild = (path) => import(new URL(path, root).href);
const { ERROR_CATALOGUE } = await fromBuild('packages/wire/dist/index.js');
const { DATA_INVENTORY } = await fromBuild('apps/server/dist/store/inventory.js');

for (const [path, text] of [
  ['docs/reference/errors.md', errorPage(ERROR_CATALOGUE)],
  ['docs/reference/data-inventory.md', inventoryPage(DATA_INVENTORY)],
]) {
  writeFileSync(fileURLToPath(new URL(path, root)), text);
  console.log(`wrote ${path}`);
}
