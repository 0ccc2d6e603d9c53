export { Content } from './content.ts';
export * from './errors/catalogue.ts';
export * from './errors/envelopes.ts';
export * from './errors/grid-error.ts';
