import { type Command, Option } from 'commander';
import { present } from '../context.ts';
import { type GridContext, handleGrid } from '../grid/context.ts';
import { parseCount } from '../input/numbers.ts';
import { type Column, cell, counted, shortTime, tableLines } from '../output/table.ts';

const EXAMPLES = `
Examples:
  opengrid balances --key-file desk.pem
  opengrid positions --json
  opengrid trades --market text-prime --limit 20
  opengrid transfer to-consumption text-prime 3`;

/** `opengrid balances|positions|trades|transfer`: what the account has, did, and can move. */
export function addHoldingCommands(program: Command): void {
  const balances = program.command('balances').description('USD, units in trading, and tokens to spend');
  handleGrid(balances.addHelpText('after', EXAMPLES), 'reader', showBalances);
  const positions = program.command('positions').description('what is held, and what it cost');
  handleGrid(positions.addHelpText('after', EXAMPLES), 'reader', showPositions);
  const trades = program
    .command('trades')
    .description('own trades, the latest first')
    .option('--market <market>', 'symbol or id')
    .option('--limit <count>', 'at most this many', parseCount, 50)
    .addHelpText('after', EXAMPLES);
  handleGrid(trades, 'reader', showTrades);
  addTransfer(program);
}

const TRADING: readonly Column[] = [
  { title: 'TRADING', value: (row) => row.instrument_symbol },
  { title: 'TOTAL', align: 'right', value: (row) => row.total_balance },
  { title: 'AVAILABLE', align: 'right', value: (row) => row.available_balance },
  { title: 'IN ORDERS', align: 'right', value: (row) => row.locked_balance },
];

const CONSUMPTION: readonly Column[] = [
  { title: 'CONSUMPTION', value: (row) => row.instrument_symbol },
  { title: 'TOKENS', align: 'right', value: (row) => row.total_tokens },
  { title: 'FREE', align: 'right', value: (row) => row.free_tokens },
  { title: 'IN FLIGHT', align: 'right', value: (row) => row.held_tokens },
];

async function showBalances(context: GridContext): Promise<void> {
  const { grid, style } = context;
  const [trading, consumption] = await Promise.all([
    grid.tradingAccounts.list().toArray(),
    grid.consumptionAccounts.list().toArray(),
  ]);
  const tokens = consumption.length === 0 ? [] : ['', ...tableLines(CONSUMPTION, consumption, style)];
  const lines = [...tableLines(TRADING, trading, style), ...tokens];
  present(context, { data: { trading, consumption }, lines });
}

const POSITIONS: readonly Column[] = [
  { title: 'INSTRUMENT', value: (row) => row.instrument_symbol },
  { title: 'UNITS', align: 'right', value: (row) => row.quantity },
  { title: 'AVERAGE COST', align: 'right', value: (row) => row.average_cost },
  { title: 'COST', align: 'right', value: (row) => row.total_cost },
  { title: 'VALUE', align: 'right', value: (row) => row.current_market_value },
  { title: 'STATUS', value: (row) => row.status },
];

async function showPositions(context: GridContext): Promise<void> {
  const rows = await context.grid.positions.list().toArray();
  const lines = rows.length === 0 ? ['Nothing is held.'] : tableLines(POSITIONS, rows, context.style);
  present(context, { data: rows, lines });
}

const TRADES: readonly Column[] = [
  { title: 'TIME', value: (row) => shortTime(row.execution_timestamp) },
  { title: 'MARKET', value: (row) => row.instrument_symbol },
  { title: 'SIDE', value: (row) => row.side },
  { title: 'UNITS', align: 'right', value: (row) => row.quantity },
  { title: 'PRICE', align: 'right', value: (row) => row.price },
  { title: 'VALUE', align: 'right', value: (row) => row.total_value },
  { title: 'FEE', align: 'right', value: (row) => row.fee },
  { title: 'ORDER ID', value: (row) => row.order_id },
];

async function showTrades(context: GridContext, command: Command): Promise<void> {
  const { market, limit } = command.opts<{ market?: string; limit: number }>();
  const list = context.grid.trades.list({ market_id: market, limit: Math.min(limit, 500) });
  const rows = await list.toArray(limit);
  const lines = rows.length === 0 ? ['No trades yet.'] : tableLines(TRADES, rows, context.style);
  present(context, { data: rows, lines });
}

function addTransfer(program: Command): void {
  const transfer = program
    .command('transfer')
    .description('move units between trading and consumption')
    .addHelpText('after', EXAMPLES);
  for (const direction of ['to-consumption', 'to-trading'] as const) {
    const description =
      direction === 'to-consumption'
        ? 'make units available to inference'
        : 'take whole, unopened units back into trading';
    const moving = transfer
      .command(direction)
      .description(description)
      .argument('<instrument>', 'symbol or id')
      .argument('<units>', 'how many', parseCount)
      .addOption(
        new Option('--idempotency-key <key>', 'the same key moves units once, however often it is sent'),
      );
    handleGrid(moving, 'signer', (context, command) => move(context, { command, direction }));
  }
}

async function move(
  context: GridContext,
  { command, direction }: { command: Command; direction: 'to-consumption' | 'to-trading' },
): Promise<void> {
  const [instrument, quantity] = command.processedArgs as [string, number];
  const { transfers } = context.grid;
  const params = { instrument_id: instrument, quantity };
  const { idempotencyKey } = command.opts<{ idempotencyKey?: string }>();
  const options = { idempotencyKey };
  const isToConsumption = direction === 'to-consumption';
  const data = isToConsumption
    ? await transfers.toConsumption(params, options)
    : await transfers.toTrading(params, options);
  const where = isToConsumption ? 'consumption' : 'trading';
  present(context, {
    data,
    lines: [`Moved ${counted(quantity, 'unit')} of ${cell(instrument)} to ${where}.`],
  });
}
