import type { BodyBuilder } from '../conversation/body-builder.ts';
import type { OutputFormat } from '../conversation/model.ts';
import type { Effort } from '../effort.ts';
import { isJsonObject, type JsonObject } from '../json/parse.ts';

/** The least budget of reasoning this wire takes. */
const MIN_BUDGET = 1_024;
/** Budgets for the efforts, inside the ranges that are read as them. */
const BUDGETS: Readonly<Record<Exclude<Effort, 'none'>, number>> = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 24_576,
  xhigh: 32_768,
  max: 65_536,
};

/** What reasoning is asked for, and the shape of the answer, which share a member on this wire. */
export interface ReasoningSource {
  /** As they are sent. */
  readonly messages: readonly JsonObject[];
  readonly format: OutputFormat | undefined;
}

const REASONING_BLOCKS: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);

function blocksOf(message: JsonObject | undefined): readonly JsonObject[] {
  return Array.isArray(message?.content) ? (message.content as readonly JsonObject[]) : [];
}

/**
 * Whether the last of the messages, as this wire has them, answer calls of the model before which it did
 * not reason, or before which its reasoning was left out. With a budget, this wire refuses to begin
 * reasoning in the middle of such a round.
 */
export function isInsideRound(messages: readonly JsonObject[]): boolean {
  const last = messages.at(-1);
  const isAnswering = last?.role === 'user' && blocksOf(last).some(({ type }) => type === 'tool_result');
  const asked = messages.findLast(({ role }) => role === 'assistant');
  return isAnswering && !blocksOf(asked).some(({ type }) => REASONING_BLOCKS.has(type));
}

function forcesTool(choice: unknown): boolean {
  return isJsonObject(choice) && (choice.type === 'any' || choice.type === 'tool');
}

/** Settles what does not go together with reasoning: the sampling parameters, of which it takes none. */
function makeRoom(builder: BodyBuilder): void {
  const dropped = { temperature: 'temperature', top_k: 'topK', top_p: 'topP' } as const;
  for (const [name, field] of Object.entries(dropped)) {
    if (!builder.has(name)) continue;
    builder.remove(name);
    builder.leaveOut(field as (typeof dropped)[keyof typeof dropped]);
  }
}

function budgetField(effort: Effort, maxTokens: number): JsonObject | undefined {
  const ceiling = Math.floor(maxTokens / 2);
  if (effort === 'none' || ceiling < MIN_BUDGET) return undefined;
  const budget = Math.min(BUDGETS[effort], ceiling);
  return { type: 'enabled', budget_tokens: budget };
}

function thinkingField(
  builder: BodyBuilder,
  effort: Effort,
  messages: readonly JsonObject[],
): JsonObject | undefined {
  const { capabilities } = builder.upstream;
  if (effort === 'none' || forcesTool(builder.get('tool_choice'))) return undefined;
  if (capabilities.thinking === 'adaptive') return { type: 'adaptive' };
  if (isInsideRound(messages)) return undefined;
  return budgetField(effort, Number(builder.get('max_tokens')));
}

/** On this wire reasoning is off unless it is switched on. A budget can express every effort. */
function effortFor(builder: BodyBuilder): Effort | undefined {
  const { effort } = builder.request;
  if (effort === 'none') return undefined;
  return builder.upstream.capabilities.thinking === 'budget' ? effort : builder.effort();
}

/** Writes effort and format as this wire has them: `thinking` and `output_config`. */
export function setReasoning(builder: BodyBuilder, { messages, format }: ReasoningSource): void {
  const { capabilities } = builder.upstream;
  const effort = effortFor(builder);
  const isSwitchable = effort !== undefined && capabilities.thinking !== undefined;
  const thinking = isSwitchable ? thinkingField(builder, effort, messages) : undefined;
  if (thinking !== undefined) {
    builder.set('thinking', thinking);
    makeRoom(builder);
  } else if (effort !== undefined) builder.leaveOutEffort();
  const isAdaptive = thinking?.type === 'adaptive';
  const isSchema = format?.type === 'json_schema' && capabilities.jsonSchema === true;
  if (!isAdaptive && !isSchema) return;
  builder.set('output_config', {
    ...(isAdaptive ? { effort: effort === 'minimal' ? 'low' : effort } : {}),
    ...(isSchema ? { format: { type: 'json_schema', schema: format.schema } } : {}),
  });
}
