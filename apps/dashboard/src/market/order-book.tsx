import { useQuery } from '@tanstack/react-query';
import { Card } from '../components/card.tsx';
import { EmptyNote, ErrorNote } from '../components/notes.tsx';
import { Bar, rowKeys } from '../components/skeleton.tsx';
import { formatCount, formatDecimal, spreadOf } from '../lib/format.ts';
import { origin } from '../lib/grid.ts';
import { bookDepth, bookQuery } from '../lib/queries.ts';
import { readCommand } from '../lib/snippets.ts';
import { type DepthRow, type DepthView, depthView } from './depth.ts';

type Side = 'bid' | 'ask';

const looks: Record<Side, { text: string; fill: string }> = {
  ask: { text: 'text-sell', fill: 'bg-sell-fill' },
  bid: { text: 'text-buy', fill: 'bg-buy-fill' },
};

const cell = 'relative w-1/3 px-4 text-right';
const firstCell = 'relative w-1/3 px-4 text-left';

/** One level with its depth behind it; empty rows keep their height. */
const Level = ({ row, side }: { row: DepthRow | null; side: Side }) => {
  if (row === null) return <tr className="h-6" />;
  const { price, quantity, total, order_count: orderCount } = row.level;
  return (
    <tr className="h-6" data-side={side} title={`${orderCount} ${orderCount === 1 ? 'order' : 'orders'}`}>
      <td className={`${firstCell} ${looks[side].text}`}>
        <span
          aria-hidden="true"
          // Scaling rather than resizing: the browser need not lay the table out again.
          style={{ transform: `scaleX(${row.share})` }}
          className={`absolute inset-y-px left-0 w-[300%] origin-right ${looks[side].fill}`}
        />
        <span className="relative">{formatDecimal(price)}</span>
      </td>
      <td className={cell}>{formatCount(quantity)}</td>
      <td className={`${cell} text-text-2`}>{formatCount(total)}</td>
    </tr>
  );
};

/** Said in the row next to the spread when a side has no order. */
const EmptySide = ({ children }: { children: string }) => (
  <tr className="h-6">
    <td colSpan={3} className="px-4 text-xs text-text-3">
      {children}
    </td>
  </tr>
);

const SpreadRow = ({ view }: { view: DepthView }) => {
  const spread = spreadOf(view.bids[0]?.level.price, view.asks.at(-1)?.level.price);
  return (
    <tr className="h-9 border-y border-line bg-surface-2">
      <td colSpan={3} className="px-4">
        <div className="flex items-center justify-between gap-2 text-xs text-text-3">
          {spread === null ? (
            <span>One side is empty: no spread</span>
          ) : (
            <>
              <span>
                Mid <span className="text-sm font-medium text-text-1">{spread.mid}</span>
              </span>
              <span>
                Spread <span className="text-text-2">{spread.spread}</span> · {spread.bps} bps
              </span>
            </>
          )}
        </div>
      </td>
    </tr>
  );
};

const Head = () => (
  <thead>
    <tr className="h-8 text-xs text-text-3">
      <th scope="col" className={`${firstCell} font-normal`}>
        Price
      </th>
      <th scope="col" className={`${cell} font-normal`}>
        Units
      </th>
      <th scope="col" className={`${cell} font-normal`}>
        Total
      </th>
    </tr>
  </thead>
);

// A row is a place, not a price: a level that comes or goes changes what rows say, and moves none of them.
const slots = rowKeys(bookDepth);

const Ladder = ({ view }: { view: DepthView }) => (
  <table className="w-full table-fixed overflow-hidden text-sm">
    <Head />
    <tbody aria-label="Asks">
      {slots.slice(0, view.asks.length - (view.asks.at(-1) ? 0 : 1)).map((slot, index) => (
        <Level key={slot} row={view.asks[index] ?? null} side="ask" />
      ))}
      {view.asks.at(-1) === null && <EmptySide>No ask rests here.</EmptySide>}
    </tbody>
    <tbody>
      <SpreadRow view={view} />
    </tbody>
    <tbody aria-label="Bids">
      {view.bids[0] === null && <EmptySide>No bid rests here.</EmptySide>}
      {slots.slice(0, view.bids.length - (view.bids[0] ? 0 : 1)).map((slot, index) => (
        <Level key={slot} row={view.bids[index] ?? null} side="bid" />
      ))}
    </tbody>
  </table>
);

const SkeletonLadder = () => (
  <table className="w-full table-fixed text-sm">
    <Head />
    <tbody>
      {rowKeys(2 * bookDepth + 1).map((key) => (
        <tr key={key} className="h-6">
          <td className={firstCell}>
            <Bar className="w-14" />
          </td>
          <td className={cell}>
            <Bar className="w-8" />
          </td>
          <td className={cell}>
            <Bar className="w-10" />
          </td>
        </tr>
      ))}
    </tbody>
  </table>
);

/** The book of an instrument that is not known yet. */
export const OrderBookSkeleton = () => (
  <Card id="book" title="Order book">
    <div className="pb-2" aria-busy="true">
      <SkeletonLadder />
    </div>
  </Card>
);

/** The resting orders of one instrument, asks above bids, cumulative depth behind the rows. */
export const OrderBookCard = ({ symbol }: { symbol: string }) => {
  const { data: book, error } = useQuery(bookQuery(symbol));
  const isEmpty = book?.asks.length === 0 && book.bids.length === 0;
  return (
    <Card id="book" title="Order book" note={book && `sequence ${formatCount(book.sequence)}`}>
      {error !== null && book === undefined && <ErrorNote error={error} />}
      {isEmpty && (
        <EmptyNote
          title="No order rests here"
          command={readCommand(origin, `/v1/markets/${symbol}/orderbook`)}
        >
          Offers of suppliers and bids of buyers appear as soon as one is placed.
        </EmptyNote>
      )}
      {book === undefined && error === null && <SkeletonLadder />}
      {book !== undefined && !isEmpty && (
        <div className="pb-2">
          <Ladder view={depthView(book, bookDepth)} />
        </div>
      )}
    </Card>
  );
};
