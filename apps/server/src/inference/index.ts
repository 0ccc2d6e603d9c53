export type { InferenceDeps, InferenceRoom, MarketQuote, MarketQuotes } from './deps.ts';
export type { InstanceRoutingMode } from './redirect/routing-mode.ts';
export { registerInference } from './register.ts';
export { DEFAULT_INFERENCE_SETTINGS, type InferenceSettings } from './settings.ts';
