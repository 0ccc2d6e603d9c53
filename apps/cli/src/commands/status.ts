import type { Command } from 'commander';
import { asRow, isRow, type Row } from '../admin/answer.ts';
import { type Context, handle, present } from '../context.ts';
import { fieldLines } from '../output/table.ts';

type Field = readonly [name: string, value: unknown];

/** `opengrid status`. */
export function addStatusCommand(program: Command): void {
  handle(program.command('status').description('show whether the server runs and how it does'), status);
}

async function status(context: Context): Promise<void> {
  const data = asRow(await context.admin.get('/status'));
  const lines = [
    `The server on ${context.dataFolder} is running.`,
    '',
    ...fieldLines(flatten(data), context.style),
  ];
  present(context, { data, lines });
}

/** Members of members are shown as `outer inner`. What a server counts may grow, so no list of names is kept here. */
function flatten(row: Row, outer = ''): Field[] {
  return Object.entries(row).flatMap(([member, value]): Field[] => {
    const name = `${outer}${words(member)}`;
    return isRow(value) ? flatten(value, `${name} `) : [[name, value]];
  });
}

/** `commandSeq` and `command_seq` both read as `command seq`. */
function words(member: string): string {
  return member
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();
}
