export { Content } from './content.ts';
export * from './errors/catalogue.ts';
export * from './errors/envelopes.ts';
export * from './errors/grid-error.ts';
export * from './ids.ts';
export * from './key-format.ts';
export * from './numbers.ts';
export * from './time.ts';
