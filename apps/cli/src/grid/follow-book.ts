import { type BookView, ConnectionError, type Live, type LiveStatus } from '@opengrid/sdk';
import { bookLine, bookLines } from '../output/book.ts';
import type { GridContext } from './context.ts';

/** Depths that the server's stream has. */
const STREAM_DEPTHS = [10, 25, 100] as const;

/** Shows a book and every change of it until the person has seen enough, or the server refuses it. */
export async function followBook(
  context: GridContext,
  { market, depth }: { market: string; depth: number },
): Promise<void> {
  const live = context.grid.live();
  const stop = (): void => live.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  process.stdout.once('error', stop);
  const show = printerOf(context, { market, depth });
  const book = live.book(market, { depth: STREAM_DEPTHS.find((one) => one >= depth) ?? 100 });
  if (process.stdout.isTTY && !context.isJson) show(null);
  book.onChange((view) => {
    if (live.status.state !== 'closed') show(cut(view, depth));
  });
  try {
    await Promise.race([endOf(live), book.ready().then(() => endOf(live))]);
  } catch (error) {
    // Ended on purpose before there was a book: nothing went wrong.
    if (live.status.state !== 'closed' || live.status.error !== null) throw error;
  } finally {
    live.close();
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

/** Resolves when the connection was closed on purpose. A server that cannot be reached at all is not waited for. */
function endOf(live: Live): Promise<void> {
  return new Promise((resolve, reject) => {
    let wasOpen = live.status.state === 'open';
    const look = ({ state, error }: LiveStatus): void => {
      wasOpen ||= state === 'open';
      if (state === 'waiting' && !wasOpen) reject(new ConnectionError('The server could not be reached.'));
      else if (state === 'closed' && error !== null) reject(error);
      else if (state === 'closed') resolve();
    };
    live.onStatus(look);
    look(live.status);
  });
}

function cut(view: BookView | null, depth: number): BookView | null {
  return view === null ? null : { ...view, bids: view.bids.slice(0, depth), asks: view.asks.slice(0, depth) };
}

/** Draws over itself on a terminal; elsewhere a change is a line, and JSON where that was asked for. */
function printerOf(
  { isJson, style }: GridContext,
  { market, depth }: { market: string; depth: number },
): (view: BookView | null) => void {
  const write = (text: string): void => void process.stdout.write(text);
  if (isJson) return (view) => write(`${JSON.stringify(view ?? { status: 'resyncing' })}\n`);
  if (!process.stdout.isTTY) return (view) => write(`${bookLine(view)}\n`);
  let drawn = 0;
  return (view) => {
    const lines = bookLines(view, { market, depth, style });
    // Up to where the last one began, and everything below is wiped.
    const back = drawn === 0 ? '' : `\u001b[${drawn}A\u001b[J`;
    drawn = lines.length;
    write(`${back}${lines.join('\n')}\n`);
  };
}
