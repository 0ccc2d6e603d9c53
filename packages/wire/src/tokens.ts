/** What is known of an input without a tokenizer. */
export interface InputSize {
  /** UTF-8 bytes of messages, tools and schemas. */
  readonly textBytes: number;
  readonly imageCount: number;
}

/** Bytes of UTF-8 per token of English prose and code, on the low side so that estimates are rather high. */
export const DEFAULT_BYTES_PER_TOKEN = 3.6;

/** What one image is taken for: the usual cost of a large picture in the common vision models. */
export const TOKENS_PER_IMAGE = 1600;

/**
 * A cheap estimate of input tokens, at least 1: bytes over a ratio that may be calibrated for each model,
 * and a flat number for each image.
 *
 * @throws RangeError when the ratio is not positive.
 */
export function estimateInputTokens(input: InputSize, bytesPerToken = DEFAULT_BYTES_PER_TOKEN): number {
  if (!(bytesPerToken > 0)) throw new RangeError('bytes per token must be positive');
  return Math.max(1, Math.ceil(input.textBytes / bytesPerToken) + input.imageCount * TOKENS_PER_IMAGE);
}
