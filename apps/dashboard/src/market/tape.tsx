import type { PublicTrade } from '@opengrid/sdk';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Card } from '../components/card.tsx';
import { EmptyNote, ErrorNote } from '../components/notes.tsx';
import { Bar, rowKeys } from '../components/skeleton.tsx';
import { Age } from '../components/values.tsx';
import { formatCount, formatDecimal } from '../lib/format.ts';
import { origin } from '../lib/grid.ts';
import { tradesQuery } from '../lib/queries.ts';
import { readCommand } from '../lib/snippets.ts';

const cell = 'w-1/3 px-4 text-right';

const sides = {
  buy: { arrow: '▲', text: 'text-buy', label: 'bought' },
  sell: { arrow: '▼', text: 'text-sell', label: 'sold' },
};

const Trade = ({ trade, isNew }: { trade: PublicTrade; isNew: boolean }) => {
  const { arrow, text, label } = sides[trade.side];
  return (
    <tr className={`h-6 ${isNew ? 'arrive' : ''}`} data-trade={trade.trade_id}>
      <td className={`${cell} text-left whitespace-nowrap ${text}`}>
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
      <th scope="col" className={`${cell} text-left font-normal`}>
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
    {rowKeys(12).map((key) => (
      <tr key={key} className="h-6">
        <td className={`${cell} text-left`}>
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

/** The trades themselves. Only those that came after the first look are marked as new. */
const Trades = ({ trades }: { trades: readonly PublicTrade[] }) => {
  const [firstSeen] = useState(() => trades[0]?.sequence ?? 0);
  return (
    <tbody>
      {trades.map((trade) => (
        <Trade key={trade.trade_id} trade={trade} isNew={trade.sequence > firstSeen} />
      ))}
    </tbody>
  );
};

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
