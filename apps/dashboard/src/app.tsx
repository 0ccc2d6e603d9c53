import type { Model } from '@opengrid/sdk';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useConnection } from './frame/connection-light.tsx';
import { Header } from './frame/header.tsx';
import { modelsQuery } from './lib/queries.ts';
import { chooseInstrument, useSelection } from './lib/selection.ts';
import { InstrumentHeader } from './market/instrument-header.tsx';
import { InstrumentList } from './market/instrument-list.tsx';
import { MarketSkeleton, NoMarket } from './market/market-skeleton.tsx';
import { OrderBookCard } from './market/order-book.tsx';
import { Tape } from './market/tape.tsx';
import { Quickstart } from './quickstart/quickstart.tsx';
import { ReceiptsCard } from './receipts/receipts-card.tsx';

const Footer = () => (
  <footer className="mx-auto max-w-[1440px] px-4 pt-2 pb-8 text-xs text-text-3 lg:px-6">
    One unit is 1 000 000 tokens, input and output alike. Prompts and answers pass through and are never
    stored.
  </footer>
);

/** Below this width the book stands under the list, so that choosing scrolls to it. */
const stackedQuery = '(max-width: 63.99rem)';

const SelectedMarket = ({ model }: { model: Model }) => (
  <>
    <InstrumentHeader key={model.id} model={model} />
    <OrderBookCard key={`book-${model.id}`} symbol={model.id} />
    <Tape key={`tape-${model.id}`} symbol={model.id} />
  </>
);

/** Greys old prices out. A part of its own, so that its clock does not draw the whole market anew each second. */
const MarketGrid = ({ children }: { children: ReactNode }) => (
  <div className={`market-grid ${useConnection() === 'stale' ? 'stale' : ''}`}>{children}</div>
);

const Market = () => {
  const { data: models } = useQuery(modelsQuery);
  const [wanted, select] = useSelection();
  const model = chooseInstrument(models ?? [], wanted);
  const choose = (symbol: string): void => {
    select(symbol);
    if (!window.matchMedia(stackedQuery).matches) return;
    document.querySelector('[data-part=header]')?.scrollIntoView({ behavior: 'smooth' });
  };
  return (
    <>
      <MarketGrid>
        <InstrumentList selected={model?.id} onSelect={choose} />
        {models === undefined && <MarketSkeleton />}
        {models?.length === 0 && <NoMarket />}
        {model !== undefined && <SelectedMarket model={model} />}
      </MarketGrid>
      <div className="grid gap-3 xl:grid-cols-[minmax(0,7fr)_minmax(0,4fr)]">
        <ReceiptsCard />
        <Quickstart model={model?.id ?? 'text-standard'} />
      </div>
    </>
  );
};

/** The page at `/`. */
export const App = () => (
  <>
    <a
      href="#main"
      className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-20 focus:rounded-control focus:bg-accent-fill focus:px-3 focus:py-2 focus:text-accent-text"
    >
      Skip to the market
    </a>
    <Header />
    <main id="main" className="mx-auto flex max-w-[1440px] flex-col gap-3 p-3 lg:px-6 lg:py-4">
      <Market />
    </main>
    <Footer />
  </>
);
