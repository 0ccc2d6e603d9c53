/** What must be true of the store, whatever happened on the way. */
import { Exchange, KIND } from '@opengrid/exchange';
import { hashState } from '../recovery.ts';
import { BUYER, INSTRUMENT } from '../testing.ts';
import type { Committed } from '../types.ts';
import type { Leader, Sent, World } from './world.ts';

export interface JournalRow {
  readonly seq: number;
  readonly batch: number;
  readonly at_ms: number;
  readonly body: Parameters<Exchange['apply']>[0]['command'] & { readonly tag?: number };
}

/** How long a commit may take when nothing is wrong. */
const PATIENCE_MS = 100;
/** Commands that the sequencer gives itself. */
const OF_THE_SEQUENCER: ReadonlySet<string> = new Set(['elapse']);

/** Sentences about what is wrong; none where all is well. `setUpSeq` is the last command before the simulation began. */
export function findings(world: World, journal: readonly JournalRow[], setUpSeq: number): string[] {
  return [
    ...world.wrong,
    ...world.faults.map((error) => `fault: ${error.stack ?? error.message}`),
    ...checkOrder(journal),
    ...checkOnce(world.sent, journal, setUpSeq),
    ...world.leaders.flatMap((leader) => checkLeader(leader, world.sent, journal)),
    ...world.leaders.flatMap((leader) => checkEarmarks(leader)),
    ...checkStates(world, journal),
  ];
}

function checkOrder(journal: readonly JournalRow[]): string[] {
  const wrong: string[] = [];
  for (const [index, row] of journal.entries()) {
    const before = journal[index - 1];
    if (row.seq !== index + 1) wrong.push(`the journal has ${row.seq} in place ${index + 1}`);
    if (before !== undefined && row.at_ms < before.at_ms) wrong.push(`time goes back at ${row.seq}`);
    // A batch of notices alone has no command, so that numbers may be missing.
    if (row.batch < (before?.batch ?? 1)) wrong.push(`batch ${row.batch} follows ${before?.batch}`);
  }
  return wrong;
}

/** Acknowledged: there once, where it was said to be. Not done: not there. Nothing is there that nobody sent. */
function checkOnce(sent: readonly Sent[], journal: readonly JournalRow[], setUpSeq: number): string[] {
  const wrong: string[] = [];
  const found = new Map<number, JournalRow>();
  for (const row of journal.slice(setUpSeq)) {
    const { tag, kind } = row.body;
    if (tag === undefined && OF_THE_SEQUENCER.has(kind)) continue;
    if (tag === undefined || tag > sent.length) wrong.push(`nobody sent command ${row.seq}`);
    else if (found.has(tag)) wrong.push(`${tag} is in the journal twice`);
    else found.set(tag, row);
  }
  for (const { tag, told } of sent) {
    const row = found.get(tag);
    if (told === undefined) wrong.push(`${tag} was never answered`);
    if (told === undefined || told === 'unknown') continue;
    const isAcknowledged = typeof told === 'object' && told.ok;
    if (!isAcknowledged && row !== undefined) wrong.push(`${tag} was refused and is in the journal`);
    if (isAcknowledged && (row?.seq !== told.seq || row.at_ms !== told.atMs)) {
      wrong.push(`${tag} was acknowledged as ${told.seq} and is ${row?.seq ?? 'not there'}`);
    }
  }
  return wrong;
}

/** A process publishes every command from its start on, once and in order, and keeps the order in which it was asked. */
function checkLeader(leader: Leader, sent: readonly Sent[], journal: readonly JournalRow[]): string[] {
  const wrong: string[] = [];
  let seq = leader.startedAtSeq;
  for (const entry of leader.published) {
    if (entry.seq !== seq + 1) wrong.push(`${entry.seq} was published after ${seq}`);
    if (journal[entry.seq - 1]?.at_ms !== entry.atMs) wrong.push(`${entry.seq} was published otherwise`);
    seq = entry.seq;
  }
  for (const [index, batch] of leader.batches.entries()) {
    if (index > 0 && batch <= leader.batches[index - 1]!) wrong.push(`batch ${batch} was published late`);
  }
  const acknowledged = sent
    .filter((one) => one.leader === leader && typeof one.told === 'object' && one.told.ok)
    .map(({ told }) => (told as Committed).seq);
  if (acknowledged.some((one, index) => index > 0 && one < acknowledged[index - 1]!)) {
    wrong.push('commands of one process changed their order');
  }
  if (leader.lost === 'broken') wrong.push('a process found its state broken');
  return wrong;
}

/** The last process is where the journal leads to, and has done what was due. Nothing was done before it was due. */
function checkStates(world: World, journal: readonly JournalRow[]): string[] {
  const wrong: string[] = [];
  const replay = new Exchange();
  for (const { seq, at_ms: atMs, body: command } of journal) {
    const isDue = (replay.nextDueMs() ?? Infinity) <= atMs;
    if (command.kind === 'elapse' && !isDue) wrong.push(`nothing was due at ${seq}`);
    if (!replay.apply({ seq, atMs, command }).ok) wrong.push(`${seq} is refused in a replay`);
  }
  const leader = world.leaders.at(-1)!;
  const { exchange } = leader.sequencer!;
  const [state, expected] = [exchange, replay].map((one) => hashState(JSON.stringify(one.export())));
  if (state !== expected) wrong.push('the state is not what the journal leads to');
  const overdueMs = world.clockOf(leader) - (exchange.nextDueMs() ?? Infinity);
  if (overdueMs > PATIENCE_MS) wrong.push(`what was due ${overdueMs} ms ago is not done`);
  return wrong;
}

/** Of every process that lives, also one that does not know yet that it was replaced: what is there is free. */
function checkEarmarks({ process, sequencer, hasOpenHolds }: Leader): string[] {
  if (process.isDead || hasOpenHolds || !sequencer?.status.isLeading) return [];
  const tokens = sequencer.exchange.balance(KIND.consumption, BUYER, INSTRUMENT);
  const free = sequencer.earmarks.freeTokens(BUYER, INSTRUMENT);
  return free === tokens ? [] : [`${free} tokens are free and ${tokens} are there`];
}
