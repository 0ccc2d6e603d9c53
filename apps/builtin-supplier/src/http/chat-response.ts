import { randomBytes } from 'node:crypto';
import type { Ending } from '../completion.ts';
import { MODEL_ID } from '../model-card.ts';

/** Usage as OpenAI reports it. */
export type Usage = {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
  completion_tokens_details: { reasoning_tokens: number };
};

/** The usage block of one completion. */
export function usageOf(promptTokens: number, completionTokens: number): Usage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}

/** Writes the JSON of one answer: a `chat.completion`, or the events of its stream. */
export class ChatResponse {
  readonly #head: { id: string; created: number; model: string; system_fingerprint: string };

  constructor(fingerprint: string) {
    this.#head = {
      id: `chatcmpl-${randomBytes(12).toString('hex')}`,
      created: Math.floor(Date.now() / 1_000),
      model: MODEL_ID,
      system_fingerprint: fingerprint,
    };
  }

  /** The body of an answer that is sent whole. */
  whole(content: string, { reason, usage }: { reason: Ending['reason']; usage: Usage }): string {
    const message = { role: 'assistant', content, refusal: null };
    const choices = [{ index: 0, message, logprobs: null, finish_reason: reason }];
    return JSON.stringify({ ...this.#head, object: 'chat.completion', choices, usage });
  }

  /**
   * An event with a delta; `usage` is null where the client asked for a usage event, and absent where it did
   * not.
   */
  delta(delta: object, { reason, usage }: { reason?: Ending['reason']; usage: null | undefined }): string {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason: reason ?? null }];
    return this.#event({ choices, usage });
  }

  /** The event that carries only the usage. */
  usage(usage: Usage): string {
    return this.#event({ choices: [], usage });
  }

  #event(fields: object): string {
    return `data: ${JSON.stringify({ ...this.#head, object: 'chat.completion.chunk', ...fields })}\n\n`;
  }
}

/** The line that ends a stream. */
export const STREAM_END = 'data: [DONE]\n\n';
