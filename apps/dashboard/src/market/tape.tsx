import type { PublicTrade } from '@opengrid/sdk';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Card } from '../components/card.tsx';
import { EmptyNote, ErrorNote } from '../components/notes.tsx';
import { Bar, rowKeys } from '../components/skeleton.tsx';
import { Age } from '../components/values.tsx';
import { formatCount, formatDecimal } from '../lib/format.ts';
import { origin } from '../lib/grid.ts';
import { tapeLength, tradesQuery } from '../lib/queries.ts';
import { readCommand } from '../lib/snippets.ts';

const cell = 'w-1/3 px-4 text-right';
const firstCell = 'w-1/3 px-4 text-left';

const slots = rowKeys(tapeLength);

const sides = {
  buy: { arrow: '▲', text: 'text-buy', label: 'bought' },
  sell: { arrow: '▼', text: 'text-sell', label: 'sold' },
};

const Trade = ({ trade, isNew }: { trade: PublicTrade; isNew: boolean }) => {
  const { arrow, text, label } = sides[trade.side];
  return (
    <tr className={`h-6 ${isNew ? 'arrive' : ''}`} data-trade={trade.trade_id}>
      <td className={`${firstCell} whitespace-nowrap ${text}`}>
        <span aria-hidden="true" className="mr-1 text-[0.6em]">
          {arrow}
        </span>
        <span className="sr-only">{label} at </span>
        {formatDecimal(trade.price)}
      </td>
      <td className={cell}>{formatCount(trade.quantity)}</td>
      <td className={`${cell} text-text-3`}>
        <Age iso={trade.execution_timestamp} />
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
        Age
      </th>
    </tr>
  </thead>
);

const SkeletonTape = () => (
  <tbody>
    {slots.map((key) => (
      <tr key={key} className="h-6">
        <td className={firstCell}>
          <Bar className="w-14" />
        </td>
        <td className={cell}>
          <Bar className="w-8" />
        </td>
        <td className={cell}>
          <Bar className="w-8" />
        </td>
      </tr>
    ))}
  </tbody>
);

/** The newest sequence before the present trades came; at first their own, so that nothing counts as new. */
const useSeenBefore = (newest: number): number => {
  const [{ current, before }, setPair] = useState({ current: newest, before: newest });
  if (current === newest) return before;
  setPair({ current: newest, before: current });
  return current;
};

/** A row is a place; only a trade that just came is a row of its own, so that it can be marked and nothing moves. */
const Trades = ({ trades }: { trades: readonly PublicTrade[] }) => {
  const seenBefore = useSeenBefore(trades[0]?.sequence ?? 0);
  return (
    <tbody>
      {trades.map((trade, index) => {
        const isNew = trade.sequence > seenBefore;
        return <Trade key={isNew ? trade.trade_id : slots[index]} {...{ trade, isNew }} />;
      })}
    </tbody>
  );
};

/** The tape of an instrument that is not known yet. */
export const TapeSkeleton = () => (
  <Card id="trades" title="Last trades">
    <table className="w-full table-fixed text-sm" aria-busy="true">
      <Head />
      <SkeletonTape />
    </table>
  </Card>
);

/** Last trades, newest first. */
export const Tape = ({ symbol }: { symbol: string }) => {
  const { data: trades, error } = useQuery(tradesQuery(symbol));
  const isEmpty = trades?.length === 0;
  return (
    <Card id="trades" title="Last trades" note="side of the taker">
      {error !== null && trades === undefined && <ErrorNote error={error} />}
      {isEmpty && (
        <EmptyNote
          title="Nothing was traded yet"
          command={readCommand(origin, `/v1/markets/${symbol}/trades`)}
        >
          A request that needs more tokens than its account has buys them here, on this book.
        </EmptyNote>
      )}
      {!isEmpty && !(error !== null && trades === undefined) && (
        // The tape is as tall as its neighbour; what is older can be scrolled to.
        <div className="relative min-h-80 grow">
          <div className="absolute inset-0 overflow-y-auto pb-2">
            <table className="w-full table-fixed text-sm">
              <Head />
              {trades === undefined ? <SkeletonTape /> : <Trades key={symbol} trades={trades} />}
            </table>
          </div>
        </div>
      )}
    </Card>
  );
};
