import type { Order, PlaceOrderParams } from '@opengrid/sdk';
import { type Command, Option } from 'commander';
import { present } from '../context.ts';
import { usageFailure } from '../failure.ts';
import { type GridContext, handleGrid } from '../grid/context.ts';
import { parseCount, parsePrice } from '../input/numbers.ts';
import { type Column, cell, counted, fieldLines, shortTime, tableLines } from '../output/table.ts';

const EXAMPLES = `
Examples:
  opengrid orders place buy text-prime 10 --price 0.90
  opengrid orders place sell text-prime 5 --price 1.10 --post-only --client-id desk-17
  opengrid orders place buy text-prime 1 --type market --price 1.00     no worse than 1.00
  opengrid orders list --market text-prime
  opengrid orders amend order_01jz3v8m2k7f9q0x4w6t5s1r8a --price 0.92
  opengrid orders cancel order_01jz3v8m2k7f9q0x4w6t5s1r8a
  opengrid orders cancel-all --market text-prime --side sell
  opengrid orders cancel-after 60      cancels everything unless it is called again within 60 s

Every command is signed with the key of --key-file or OPENGRID_KEY_FILE.`;

const COLUMNS: readonly Column[] = [
  { title: 'ORDER ID', value: (row) => row.order_id },
  { title: 'MARKET', value: (row) => row.instrument_symbol },
  { title: 'SIDE', value: (row) => row.side },
  { title: 'PRICE', align: 'right', value: (row) => row.price },
  { title: 'UNITS', align: 'right', value: (row) => row.quantity },
  { title: 'FILLED', align: 'right', value: (row) => row.filled_quantity },
  { title: 'AVERAGE', align: 'right', value: (row) => row.average_price },
  { title: 'STATUS', value: (row) => row.status },
  { title: 'SUBMITTED', value: (row) => shortTime(row.submitted_at) },
  { title: 'CLIENT ID', value: (row) => row.client_order_id },
];

/** `opengrid orders place|list|show|amend|cancel|cancel-all|cancel-after`. */
export function addOrderCommands(program: Command): void {
  const orders = program
    .command('orders')
    .description('orders of the account whose key signs')
    .addHelpText('after', EXAMPLES);
  addPlace(orders);
  addList(orders);
  const showing = orders.command('show').description('show one order').argument('<order>', 'id of the order');
  handleGrid(showing, 'reader', async (context, command) => {
    const order = await context.grid.orders.retrieve(argument(command));
    present(context, { data: order, lines: orderLines(order, context) });
  });
  addAmend(orders);
  addCancels(orders);
}

function argument(command: Command): string {
  return String(command.args[0]);
}

function addPlace(orders: Command): void {
  const placing = orders
    .command('place')
    .description('place an order')
    .argument('<side>', 'buy or sell')
    .argument('<market>', 'symbol or id')
    .argument('<units>', 'how many units of 1,000,000 tokens', parseCount)
    .option('--price <usd>', 'USD per unit; on a market order the worst that is acceptable', parsePrice)
    .addOption(new Option('--type <type>', 'limit or market').choices(['limit', 'market']).default('limit'))
    .addOption(
      new Option('--time-in-force <word>', 'how long it is good').choices([
        'gtc',
        'ioc',
        'fok',
        'gtd',
        'day',
      ]),
    )
    .option('--expire-at <time>', 'end of a gtd order, ISO 8601 with offset')
    .option('--post-only', 'refuse it rather than trade at once')
    .option('--transfer', 'buys: every fill goes to consumption at once')
    .addOption(
      new Option('--self-trade <rule>', 'when it would meet an order of the same account').choices([
        'cancel_newest',
        'cancel_oldest',
        'cancel_both',
        'decrement',
      ]),
    )
    .option('--client-id <id>', 'your own id; the same id is never two orders')
    .addHelpText('after', EXAMPLES);
  handleGrid(placing, 'signer', place);
}

interface PlaceOptions {
  readonly type: 'limit' | 'market';
  readonly price?: string;
  readonly timeInForce?: PlaceOrderParams['time_in_force'];
  readonly expireAt?: string;
  readonly postOnly?: boolean;
  readonly transfer?: boolean;
  readonly selfTrade?: PlaceOrderParams['self_trade_prevention'];
  readonly clientId?: string;
}

async function place(context: GridContext, command: Command): Promise<void> {
  const [side, market, quantity] = command.processedArgs as [string, string, number];
  const options = command.opts<PlaceOptions>();
  if (side !== 'buy' && side !== 'sell') throw usageFailure('The side must be buy or sell.');
  if (options.type === 'limit' && options.price === undefined)
    throw usageFailure('A limit order needs --price.', 'A market order is asked for with --type market.');
  if ((options.timeInForce === 'gtd') !== (options.expireAt !== undefined))
    throw usageFailure('--time-in-force gtd and --expire-at go together.');
  const order = await context.grid.orders.place({
    market_id: market,
    side,
    type: options.type,
    quantity,
    price: options.price,
    time_in_force: options.timeInForce,
    expire_at: options.expireAt,
    post_only: options.postOnly,
    should_autotransfer: options.transfer,
    self_trade_prevention: options.selfTrade,
    client_order_id: options.clientId,
  });
  present(context, { data: order, lines: orderLines(order, context) });
}

function orderLines(order: Order, { style }: GridContext): string[] {
  const fields = COLUMNS.map((column) => [column.title.toLowerCase(), column.value(order)] as const);
  const ended = order.closure_reason === null ? [] : [['ended by', order.closure_reason] as const];
  return fieldLines([...fields, ['fee', order.fee], ...ended], style);
}

function addList(orders: Command): void {
  const listing = orders
    .command('list')
    .description('list orders, the latest first')
    .option('--market <market>', 'symbol or id')
    .addOption(new Option('--side <side>').choices(['buy', 'sell']))
    .option('--status <status>', 'open, closed, all, or a status such as filled', 'open')
    .option('--limit <count>', 'at most this many', parseCount, 50);
  handleGrid(listing, 'reader', async (context, command) => {
    const { market, side, status, limit } = command.opts<{
      market?: string;
      side?: 'buy' | 'sell';
      status: string;
      limit: number;
    }>();
    const wanted = { market_id: market, side, status: status === 'all' ? undefined : status };
    const list = context.grid.orders.list({ ...wanted, limit: Math.min(limit, 500) });
    const rows = await list.toArray(limit);
    const lines = rows.length === 0 ? ['No such orders.'] : tableLines(COLUMNS, rows, context.style);
    present(context, { data: rows, lines });
  });
}

function addAmend(orders: Command): void {
  const amending = orders
    .command('amend')
    .description('change price or size of an order in one step')
    .argument('<order>', 'id of the order')
    .option('--price <usd>', 'new price', parsePrice)
    .option('--units <count>', 'new total, what is filled included', parseCount);
  handleGrid(amending, 'signer', async (context, command) => {
    const { price, units } = command.opts<{ price?: string; units?: number }>();
    if (price === undefined && units === undefined) throw usageFailure('Name --price, --units or both.');
    const order = await context.grid.orders.amend(argument(command), { price, quantity: units });
    present(context, { data: order, lines: orderLines(order, context) });
  });
}

function addCancels(orders: Command): void {
  const cancelling = orders
    .command('cancel')
    .description('cancel orders; one that is cancelled already is no error')
    .argument('<order...>', 'ids of the orders');
  handleGrid(cancelling, 'signer', async (context, command) => {
    const results: { order_id: string; already_cancelled: boolean }[] = [];
    for (const order_id of command.args) {
      const { already_cancelled } = await context.grid.orders.cancel(order_id);
      results.push({ order_id, already_cancelled });
    }
    const lines = results.map(
      (result) =>
        `${cell(result.order_id)} ${result.already_cancelled ? 'was cancelled before' : 'is cancelled'}.`,
    );
    present(context, { data: results, lines });
  });
  const all = orders
    .command('cancel-all')
    .description('cancel every open order')
    .option('--market <market>', 'of this market only')
    .addOption(new Option('--side <side>', 'of this side only').choices(['buy', 'sell']));
  handleGrid(all, 'signer', async (context, command) => {
    const { market, side } = command.opts<{ market?: string; side?: 'buy' | 'sell' }>();
    const data = await context.grid.orders.cancelAll({ market_id: market, side });
    present(context, { data, lines: [`Cancelled ${counted(data.cancelled, 'order')}.`] });
  });
  addCancelAfter(orders);
}

function addCancelAfter(orders: Command): void {
  const timing = orders
    .command('cancel-after')
    .description('cancel every open order unless this is called again in time')
    .argument('<seconds>', '5 to 600, or 0 to switch it off')
    .option('--market <market>', 'a timer of this market only');
  handleGrid(timing, 'signer', async (context, command) => {
    if (!/^\d{1,3}$/.test(argument(command))) throw usageFailure('The time must be whole seconds, 0 to 600.');
    const { market } = command.opts<{ market?: string }>();
    const timeoutMs = Number(argument(command)) * 1_000;
    const data = await context.grid.orders.cancelAllAfter({ timeout_ms: timeoutMs, market_id: market });
    const sentence = data.armed
      ? `Everything is cancelled at ${shortTime(data.trigger_at)} unless this is called again.`
      : 'The timer is off.';
    present(context, { data, lines: [sentence] });
  });
}
