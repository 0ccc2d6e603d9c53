import type { BookView, LiveLevel } from '@opengrid/sdk';
import { type Command, InvalidArgumentError } from 'commander';
import { present } from '../context.ts';
import { type GridContext, handleGrid } from '../grid/context.ts';
import { followBook } from '../grid/follow-book.ts';
import { bookLines } from '../output/book.ts';
import { type Column, tableLines } from '../output/table.ts';

const EXAMPLES = `
Examples:
  opengrid book text-prime                 live; Ctrl-C ends it
  opengrid book text-prime --depth 5 --once
  opengrid book text-prime --json | jq .bids[0]    one object a change
  opengrid markets

On a terminal the book is drawn in place, elsewhere every change is a line. Market data need no key.`;

const MARKETS: readonly Column[] = [
  { title: 'MARKET', value: (row) => row.symbol },
  { title: 'STATE', value: (row) => row.trading_state },
  { title: 'BID', align: 'right', value: (row) => row.bid },
  { title: 'ASK', align: 'right', value: (row) => row.ask },
  { title: 'LAST', align: 'right', value: (row) => row.last_price },
  { title: 'VOLUME 24H', align: 'right', value: (row) => row.volume_24h },
];

/** `opengrid book` and `opengrid markets`. */
export function addMarketCommands(program: Command): void {
  const book = program
    .command('book')
    .description('the order book of a market, live')
    .argument('<market>', 'symbol or id')
    .option('--depth <levels>', 'levels a side, 1 to 100', parseDepth, 10)
    .option('--once', 'print it once and end')
    .addHelpText('after', EXAMPLES);
  handleGrid(book, 'nothing', showBook);
  const markets = program.command('markets').description('all markets with their best prices');
  handleGrid(markets.addHelpText('after', EXAMPLES), 'nothing', showMarkets);
}

function parseDepth(text: string): number {
  const depth = Number(text);
  if (/^\d{1,3}$/.test(text) && depth >= 1 && depth <= 100) return depth;
  throw new InvalidArgumentError('must be a whole number, 1 to 100.');
}

async function showBook(context: GridContext, command: Command): Promise<void> {
  const [market] = command.processedArgs as [string];
  const { depth, once } = command.opts<{ depth: number; once?: boolean }>();
  if (once !== true) {
    await followBook(context, { market, depth });
    return;
  }
  const book = await context.grid.markets.orderbook(market, { depth });
  const level = ({ price, quantity }: LiveLevel): LiveLevel => ({ price, quantity });
  const view: BookView = {
    ...book,
    market_id: market,
    bids: book.bids.map(level),
    asks: book.asks.map(level),
  };
  // Only a book that is drawn over itself needs rows for levels that are not there.
  const shown = Math.min(depth, Math.max(1, view.bids.length, view.asks.length));
  const lines = bookLines(view, { market, depth: shown, style: context.style });
  present(context, { data: book, lines });
}

async function showMarkets(context: GridContext): Promise<void> {
  const { grid } = context;
  const markets = await grid.markets.list().toArray();
  const rows = await Promise.all(
    markets.map(async (market) => ({ ...market, ...(await grid.markets.ticker(market.market_id)) })),
  );
  present(context, { data: rows, lines: tableLines(MARKETS, rows, context.style) });
}
