import { parentPort } from 'node:worker_threads';
import { countTokens, setMergeCacheSize } from 'gpt-tokenizer/encoding/o200k_base';
import type { CountQuestion, CountReply } from './count-protocol.ts';

// Text of users may spell out special tokens; they are counted as the text they are.
const AS_TEXT = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

// The tokenizer would remember pieces of the texts it has seen.
setMergeCacheSize(0);

parentPort?.on('message', ({ id, text }: CountQuestion) => {
  const reply: CountReply = { id, tokens: countTokens(text, AS_TEXT) };
  parentPort?.postMessage(reply);
});
