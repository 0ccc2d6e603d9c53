import { type AnswerPart, partsOfAnswer } from '../conversation/answer-parts.ts';
import type { AnswerEnvelope } from '../conversation/answer-stream.ts';
import { inputOfArguments } from '../conversation/call-input.ts';
import type { AnswerEvent } from '../conversation/events.ts';
import type { JsonObject } from '../json/parse.ts';
import type { TokenUsage } from '../usage.ts';
import { messageHead, stopMembers } from './answer.ts';
import { usageToMessages } from './usage.ts';

function blocksOf(part: AnswerPart, envelope: AnswerEnvelope): readonly JsonObject[] {
  const { seal, request } = envelope;
  switch (part.type) {
    case 'text':
    case 'refusal':
      return [{ type: 'text', text: part.text }];
    case 'call':
      return [{ type: 'tool_use', id: part.id, name: part.name, input: inputOfArguments(part.arguments) }];
    case 'phase':
      return [];
    case 'redacted': {
      if (!request.showsReasoning || seal === undefined) return [];
      return [{ type: 'redacted_thinking', data: seal.wrap(part.opaque) }];
    }
    default: {
      if (!request.showsReasoning) return [];
      const signature = part.opaque === undefined ? '' : (seal?.wrap(part.opaque) ?? '');
      return [{ type: 'thinking', thinking: part.text, signature }];
    }
  }
}

/** Prints a complete answer as a message, with the usage that is billed. */
export function printMessage(
  events: readonly AnswerEvent[],
  envelope: AnswerEnvelope,
  usage: TokenUsage,
): string {
  const { parts, ...stop } = partsOfAnswer(events);
  const isRefused = parts.some(({ type }) => type === 'refusal');
  return JSON.stringify({
    ...messageHead(envelope),
    content: parts.flatMap((part) => blocksOf(part, envelope)),
    ...stopMembers({ ...stop, isRefused }),
    usage: usageToMessages(usage),
  });
}
