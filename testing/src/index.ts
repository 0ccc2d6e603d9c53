export * from './bench-supplier.ts';
export * from './canary.ts';
export * from './canary-search.ts';
export * from './client.ts';
export * from './clock.ts';
export * from './faulty-supplier.ts';
export * from './sse-recorder.ts';
export * from './supplier-behaviour.ts';
export { supplierErrorMark } from './supplier-script.ts';
