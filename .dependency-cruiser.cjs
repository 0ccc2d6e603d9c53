// The arrows between the rooms (ARCHITECTURE.md, "The rooms"). `npm run lint` fails when one is broken.
// dependency-cruiser parses TypeScript through swc without JSX; the dashboard has it.
const swc = require('@swc/core');
const parseFileSync = swc.parseFileSync;
swc.parseFileSync = (file, options) => parseFileSync(file, { ...options, tsx: file.endsWith('.tsx') });

const rooms = 'inference|trading|platform|billing|suppliers';
const server = '^apps/server/src/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'pure-packages-import-nothing-of-ours',
      comment: 'exchange and wire are pure: no other room, no I/O.',
      severity: 'error',
      from: { path: '^packages/(exchange|wire)/src', pathNot: '\\.test\\.ts$' },
      to: { path: '^(apps|testing)/|^packages/(sdk)/' },
    },
    {
      name: 'exchange-has-no-dependency',
      severity: 'error',
      from: { path: '^packages/exchange/src', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm', 'core', 'npm-dev', 'npm-optional'] },
    },
    {
      name: 'exchange-and-wire-do-not-know-each-other',
      severity: 'error',
      from: { path: '^packages/(exchange|wire)/src' },
      to: { path: '^packages/(exchange|wire)/', pathNot: '^packages/$1/' },
    },
    {
      name: 'wire-does-no-io',
      severity: 'error',
      // A MAC is a pure function of key and text; the transcripts of tests are files.
      from: { path: '^packages/wire/src', pathNot: '\\.test\\.ts$|/conversation/(seal|testing)\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(util|buffer)$' },
    },
    {
      name: 'sdk-stands-alone',
      severity: 'error',
      from: { path: '^packages/sdk/src', pathNot: '\\.test\\.ts$' },
      to: { path: '^(apps|testing)/|^packages/(exchange|wire)/' },
    },
    {
      name: 'clients-speak-through-the-sdk',
      severity: 'error',
      from: { path: '^apps/(cli|dashboard)/src', pathNot: '\\.test\\.ts$' },
      to: { path: '^apps/server/|^packages/(exchange|wire)/' },
    },
    {
      name: 'surfaces-do-not-reach-sideways',
      comment: 'inference, trading, platform, billing and suppliers meet only in main.ts, through ports.',
      severity: 'error',
      from: { path: `${server}(${rooms})/`, pathNot: '\\.test\\.ts$' },
      to: { path: `${server}(${rooms})/`, pathNot: `${server}$1/` },
    },
    {
      name: 'sequencer-knows-no-surface',
      severity: 'error',
      from: { path: `${server}sequencer/`, pathNot: '\\.test\\.ts$' },
      to: { path: `${server}(${rooms})/` },
    },
    {
      name: 'store-knows-no-room',
      severity: 'error',
      from: { path: `${server}(store|telemetry)/`, pathNot: '\\.test\\.ts$' },
      to: { path: `${server}(${rooms}|sequencer)/` },
    },
    {
      name: 'only-main-wires',
      severity: 'error',
      from: { path: server, pathNot: `${server}(main|program/.*|index)\\.ts$|\\.test\\.ts$` },
      to: { path: `${server}main\\.ts$` },
    },
    {
      name: 'production-code-uses-no-test-doubles',
      severity: 'error',
      from: { path: '^(packages|apps)/', pathNot: '(\\.test|/testing|/testing/.*)\\.ts$' },
      to: { path: '^testing/' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules|/dist/' },
    exclude: { path: '/dist/|\\.gen\\.' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['opengrid-source', 'import', 'node'],
    },
  },
};
