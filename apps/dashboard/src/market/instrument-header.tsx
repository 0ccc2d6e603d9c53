import type { Model, Ticker } from '@opengrid/sdk';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Badge } from '../components/badge.tsx';
import { Bar } from '../components/skeleton.tsx';
import { LivePrice } from '../components/values.tsx';
import { formatCount, formatDecimal } from '../lib/format.ts';
import { marketQuery, tickerQuery } from '../lib/queries.ts';
import { QualificationBadge } from './instrument-list.tsx';

const Figure = ({ label, title, children }: { label: string; title?: string; children: ReactNode }) => (
  <div title={title} className="min-w-0">
    <dt className="text-xs whitespace-nowrap text-text-3">{label}</dt>
    <dd className="text-sm whitespace-nowrap">{children}</dd>
  </div>
);

const Unit = ({ children }: { children: ReactNode }) => <span className="text-text-3"> {children}</span>;

/** Change over 24 hours: colour, sign and arrow say the same. */
const Change = ({ ticker }: { ticker: Ticker }) => {
  const change = ticker.price_change_24h;
  if (change === undefined) return <span className="text-text-3">no trade in 24 h</span>;
  const rising = !change.startsWith('-');
  const percent = ticker.price_change_percent_24h;
  const sign = rising && /[1-9]/.test(change) ? '+' : '';
  return (
    <span className={rising ? 'text-buy' : 'text-sell'}>
      <span aria-hidden="true">{rising ? '▲' : '▼'}</span> {sign}
      {formatDecimal(change)}
      {percent !== undefined && ` (${sign}${percent} %)`}
    </span>
  );
};

const Name = ({ model }: { model: Model }) => {
  const { data: market } = useQuery(marketQuery(model.id));
  return (
    <div className="min-w-0">
      <h1 className="text-xl font-semibold tracking-tight">{model.display_name}</h1>
      <p className="mt-0.5 flex flex-wrap items-center gap-1.5 text-xs text-text-3">
        <code className="font-mono">{model.id}</code>
        {model.stage === 'preview' && <Badge title="Listed before its quality floor is set.">preview</Badge>}
        <QualificationBadge qualification={model.qualification} />
        {market !== undefined && market.trading_state !== 'open' && (
          <Badge tone="warn">{market.trading_state}</Badge>
        )}
      </p>
    </div>
  );
};

const Figures = ({ model, ticker }: { model: Model; ticker: Ticker | undefined }) => (
  <dl className="grid w-full grid-cols-3 gap-x-6 gap-y-2 sm:flex sm:w-auto sm:flex-wrap">
    <Figure label="24 h high">{formatDecimal(ticker?.high_24h)}</Figure>
    <Figure label="24 h low">{formatDecimal(ticker?.low_24h)}</Figure>
    <Figure label="24 h volume">
      {formatCount(ticker?.volume_24h)}
      <Unit>{ticker?.volume_24h === 1 ? 'unit' : 'units'}</Unit>
    </Figure>
    <Figure label="Context">
      {formatCount(model.context_length)}
      <Unit>tokens</Unit>
    </Figure>
    <Figure label="First token" title="Slowest time to the first token that is within the specification.">
      ≤ {formatCount(model.sla.ttft_ms_max)}
      <Unit>ms</Unit>
    </Figure>
    <Figure label="Speed" title="Slowest output that is within the specification.">
      ≥ {formatCount(model.sla.tokens_per_second_min)}
      <Unit>tok/s</Unit>
    </Figure>
  </dl>
);

/** Name, price and figures of the selected instrument. */
export const InstrumentHeader = ({ model }: { model: Model }) => {
  const { data: ticker } = useQuery(tickerQuery(model.id));
  return (
    <section
      aria-label={model.display_name}
      data-part="header"
      className="flex scroll-mt-16 flex-wrap items-center gap-x-10 gap-y-3 rounded-card border border-line bg-surface-1 px-4 py-3"
    >
      <Name model={model} />
      <div className="max-sm:ml-auto max-sm:text-right">
        <p className="text-xl font-semibold">
          {ticker === undefined ? <Bar className="w-20" /> : <LivePrice price={ticker.last_price} />}
        </p>
        <p className="text-xs">
          {ticker === undefined ? <Bar className="w-24" /> : <Change ticker={ticker} />}
        </p>
      </div>
      <Figures model={model} ticker={ticker} />
    </section>
  );
};
