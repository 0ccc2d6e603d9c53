import { Bar } from '../components/skeleton.tsx';
import { OrderBookSkeleton } from './order-book.tsx';
import { TapeSkeleton } from './tape.tsx';

const frame = 'flex min-h-20 items-center rounded-card border border-line bg-surface-1 px-4 py-3';

/** The place of the selected market while nothing is known about it. */
export const MarketSkeleton = () => (
  <>
    <div data-part="header" className={frame} aria-busy="true">
      <div className="flex flex-col gap-3">
        <Bar className="h-5 w-40" />
        <Bar className="w-64" />
      </div>
    </div>
    <OrderBookSkeleton />
    <TapeSkeleton />
  </>
);

/** The same place where no instrument is listed. */
export const NoMarket = () => (
  <div data-part="header" className={frame}>
    <p className="text-sm text-text-3">
      Price, order book and trades of an instrument stand here once one is listed.
    </p>
  </div>
);
