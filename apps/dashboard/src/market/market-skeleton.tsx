import { Bar } from '../components/skeleton.tsx';

/** The place of the selected market while nothing is known about it; empty when there is none. */
export const MarketSkeleton = ({ isLoading }: { isLoading: boolean }) => (
  <div
    data-part="header"
    className="min-h-20 rounded-card border border-line bg-surface-1 p-4"
    aria-busy={isLoading}
  >
    {isLoading ? (
      <div className="flex flex-col gap-3">
        <Bar className="h-5 w-40" />
        <Bar className="w-64" />
      </div>
    ) : (
      <p className="text-sm text-text-3">The order book of an instrument stands here once one is listed.</p>
    )}
  </div>
);
