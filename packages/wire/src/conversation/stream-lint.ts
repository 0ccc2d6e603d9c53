import { SseParser } from '../sse/parser.ts';
import type { DialectName } from './model.ts';

// What clients of each dialect rely on, checked on the text of a stream. For tests.

type Printed = Record<string, unknown> & { type?: string };

interface Linted {
  /** What is wrong with the stream; empty when nothing is. */
  readonly faults: readonly string[];
  /** How the stream ended. */
  readonly end: 'complete' | 'error' | 'none';
}

function printedEvents(text: string): readonly { name: string | undefined; data: string }[] {
  const parser = new SseParser();
  const batches = [parser.push(new TextEncoder().encode(text)), parser.end()];
  return batches.flatMap(({ events }) => events).map(({ event, data }) => ({ name: event, data }));
}

class Faults {
  readonly found: string[] = [];

  expect(evidence: unknown, fault: string): void {
    if (evidence !== true) this.found.push(fault);
  }
}

function endOf(types: readonly (string | undefined)[], stops: readonly string[]): Linted['end'] {
  if (types.includes('error')) return 'error';
  return types.some((type) => type !== undefined && stops.includes(type)) ? 'complete' : 'none';
}

const DELTAS_OF: Readonly<Record<string, readonly string[]>> = {
  text: ['text_delta', 'citations_delta'],
  thinking: ['thinking_delta', 'signature_delta'],
  tool_use: ['input_json_delta'],
  redacted_thinking: [],
};

function lintMessages(text: string): Linted {
  const faults = new Faults();
  const open = new Map<unknown, string>();
  let next = 0;
  const events = printedEvents(text).map(({ name, data }) => ({ name, event: JSON.parse(data) as Printed }));
  const types = events.map(({ event }) => event.type);
  for (const { name, event } of events) {
    faults.expect(name === event.type, `event ${name} holds ${event.type}`);
    const block = event.content_block as { type: string } | undefined;
    const delta = event.delta as { type?: string } | undefined;
    if (event.type === 'content_block_start') {
      faults.expect(event.index === next, `block ${event.index} where ${next} was due`);
      next += 1;
      open.set(event.index, block?.type ?? '');
    } else if (event.type === 'content_block_delta') {
      const kind = open.get(event.index) ?? '';
      faults.expect(
        DELTAS_OF[kind]?.includes(delta?.type ?? '') === true,
        `${delta?.type} in a block of ${kind}`,
      );
    } else if (event.type === 'content_block_stop') {
      faults.expect(open.delete(event.index), `block ${event.index} stops and was not open`);
    }
  }
  const end = endOf(types, ['message_stop']);
  faults.expect(types.filter((type) => type === 'message_start').length <= 1, 'more than one start');
  faults.expect(
    types.length === 0 || types[0] === 'message_start' || types[0] === 'error',
    `begins with ${types[0]}`,
  );
  if (end === 'complete') {
    faults.expect(open.size === 0, 'blocks are open at the end');
    faults.expect(types.slice(-2).join() === 'message_delta,message_stop', 'no delta and stop at the end');
    faults.expect(types.filter((type) => type === 'message_stop').length === 1, 'more than one stop');
  }
  return { faults: faults.found, end };
}

interface OutputItem {
  readonly id: string;
  parts: number;
  isPartOpen: boolean;
}

/** Follows the items of a response and the parts in them. */
class ItemLint {
  readonly open = new Map<unknown, OutputItem>();
  readonly done: unknown[] = [];
  readonly #faults: Faults;
  #next = 0;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  take(event: Printed): void {
    const { type = '', output_index: index } = event;
    const item = event.item as { id: string } | undefined;
    if (type === 'response.output_item.added') {
      this.#faults.expect(index === this.#next, `item ${index} where ${this.#next} was due`);
      this.#next += 1;
      this.open.set(index, { id: item?.id ?? '', parts: 0, isPartOpen: false });
    } else if (type === 'response.output_item.done') {
      this.#faults.expect(
        this.open.get(index)?.isPartOpen === false,
        `item ${index} is done and was not ready`,
      );
      this.open.delete(index);
      this.done[index as number] = event.item;
    } else if (index !== undefined) this.#part(event, this.open.get(index));
  }

  #part(event: Printed, item: OutputItem | undefined): void {
    const { type = '' } = event;
    const place = event.content_index ?? event.summary_index;
    this.#faults.expect(item !== undefined && item.id === event.item_id, `${type} outside of its item`);
    if (item === undefined || place === undefined) return;
    if (type.endsWith('part.added')) {
      this.#faults.expect(!item.isPartOpen && place === item.parts, `${type} at ${place}`);
      item.isPartOpen = true;
      return;
    }
    this.#faults.expect(item.isPartOpen && place === item.parts, `${type} at ${place} outside of a part`);
    if (!type.endsWith('part.done')) return;
    item.isPartOpen = false;
    item.parts += 1;
  }
}

function lintResponses(text: string): Linted {
  const faults = new Faults();
  const items = new ItemLint(faults);
  const events = printedEvents(text).map(({ name, data }) => ({ name, event: JSON.parse(data) as Printed }));
  const types = events.map(({ event }) => event.type);
  for (const [index, { name, event }] of events.entries()) {
    faults.expect(name === event.type, `event ${name} holds ${event.type}`);
    faults.expect(event.sequence_number === index, `number ${event.sequence_number} where ${index} was due`);
    items.take(event);
  }
  const stops = ['response.completed', 'response.incomplete', 'response.failed'];
  const end = endOf(types, stops);
  faults.expect(
    types.length === 0 || types[0] === 'response.created' || types[0] === 'error',
    `begins with ${types[0]}`,
  );
  faults.expect(types.filter((type) => type === 'response.created').length <= 1, 'more than one start');
  if (end === 'complete') {
    const last = events.at(-1)?.event.response as { output: unknown[]; usage: unknown } | undefined;
    faults.expect(stops.includes(types.at(-1) ?? ''), 'something follows the end');
    faults.expect(items.open.size === 0, 'items are open at the end');
    faults.expect(JSON.stringify(last?.output) === JSON.stringify(items.done), 'the output is not the items');
    faults.expect(last?.usage !== null, 'no usage');
  }
  return { faults: faults.found, end };
}

interface Choice {
  readonly delta: {
    role?: string;
    tool_calls?: { index: number; id?: string; function: { name?: string } }[];
  };
  readonly finish_reason: string | null;
}

function lintChat(text: string): Linted {
  const faults = new Faults();
  const datas = printedEvents(text).map(({ data }) => data);
  const chunks = datas.filter((data) => data !== '[DONE]').map((data) => JSON.parse(data) as Printed);
  const choices = chunks.flatMap((chunk) => (chunk.choices ?? []) as Choice[]);
  let calls = 0;
  for (const [position, { delta }] of choices.entries()) {
    faults.expect((delta.role === 'assistant') === (position === 0), `role at chunk ${position}`);
    for (const call of delta.tool_calls ?? []) {
      const isNew = call.id !== undefined;
      faults.expect(isNew ? call.index === calls : call.index < calls, `call ${call.index} of ${calls}`);
      faults.expect(isNew === (call.function.name !== undefined), 'a name without its id');
      if (isNew) calls += 1;
    }
  }
  const isDone = datas.includes('[DONE]');
  const isError = chunks.some(({ error }) => error !== undefined);
  faults.expect(datas.filter((data) => data === '[DONE]').length <= 1, 'more than one end');
  if (isDone) {
    faults.expect(datas.at(-1) === '[DONE]', 'something follows the end');
    const finished = choices.filter(({ finish_reason }) => finish_reason !== null);
    faults.expect(finished.length === 1, `${finished.length} finish reasons`);
  }
  return { faults: faults.found, end: isError ? 'error' : isDone ? 'complete' : 'none' };
}

/** Checks the text of a stream of one choice as a strict client of its dialect would. */
export function lintStream(dialect: DialectName, text: string): Linted {
  if (dialect === 'messages') return lintMessages(text);
  return dialect === 'responses' ? lintResponses(text) : lintChat(text);
}
