export { MODEL_CARD, MODEL_ID } from './model-card.ts';
export {
  type BuiltinSupplierOptions,
  type BuiltinSupplierServer,
  type BuiltinSupplierStats,
  createBuiltinSupplierServer,
} from './server.ts';
export { type BuiltinSupplier, startBuiltinSupplier } from './supplier.ts';
