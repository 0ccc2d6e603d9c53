import type { LotDraw, Receipt } from '@opengrid/sdk';
import type { ReactNode } from 'react';
import { Badge } from '../components/badge.tsx';
import { Amount } from '../components/values.tsx';
import { formatCount, formatDecimal, formatDuration, formatRate, formatUtc, missing } from '../lib/format.ts';
import { costDigits } from './receipt-table.tsx';
import { StatusBadge } from './status-badge.tsx';

type StepProps = { title: string; value?: ReactNode; children?: ReactNode };

const Step = ({ title, value, children }: StepProps) => (
  <li className="relative border-l border-line pb-5 pl-5 last:border-transparent last:pb-0">
    <span
      aria-hidden="true"
      className="absolute top-1.5 -left-[5px] size-[9px] rounded-full border-2 border-accent bg-surface-1"
    />
    <div className="flex flex-wrap items-baseline justify-between gap-x-3">
      <h3 className="font-medium">{title}</h3>
      <span className="text-sm text-text-2">{value}</span>
    </div>
    <div className="text-sm text-text-2">{children}</div>
  </li>
);

const serials = ({ unit_from: from, unit_to: to }: LotDraw): string =>
  from === to ? `unit ${formatCount(from)}` : `units ${formatCount(from)} to ${formatCount(to)}`;

/** One draw: how much of the request came from this lot, which units, bought in which trade at what price. */
const Draw = ({ draw, totalTokens }: { draw: LotDraw; totalTokens: number }) => (
  <li className="mt-2 rounded-control border border-line bg-surface-0 p-3" data-lot={draw.lot_id ?? 'none'}>
    <div className="flex flex-wrap items-baseline justify-between gap-x-3 text-text-1">
      <span>
        {formatCount(draw.tokens)} tokens <span className="text-text-3">from {serials(draw)}</span>
      </span>
      <Amount amount={draw.subtotal} fractionDigits={costDigits} />
    </div>
    <div aria-hidden="true" className="my-2 h-1.5 overflow-hidden rounded-full bg-surface-3">
      <div
        className="h-full origin-left rounded-full bg-accent-fill"
        style={{ transform: `scaleX(${draw.tokens / Math.max(1, totalTokens)})` }}
      />
    </div>
    <dl className="grid grid-cols-[auto_1fr] gap-x-3 gap-y-0.5 text-xs">
      <dt className="text-text-3">Price</dt>
      <dd>
        {draw.acquisition_price_per_unit === null
          ? 'no cost basis'
          : `${formatDecimal(draw.acquisition_price_per_unit)} USD per unit`}
      </dd>
      <dt className="text-text-3">Owed by</dt>
      <dd>{draw.supplier}</dd>
      <dt className="text-text-3">Trade</dt>
      <dd className="font-mono break-all">{draw.trade_id ?? missing}</dd>
      <dt className="text-text-3">Lot</dt>
      <dd className="font-mono break-all">{draw.lot_id ?? missing}</dd>
    </dl>
  </li>
);

const Served = ({ receipt }: { receipt: Receipt }) => {
  const served = receipt.served_by;
  if (served === null) return <Step title="Served by nobody">No supplier answered, nothing is billed.</Step>;
  return (
    <Step title={`Served by ${served.supplier}`}>
      <span className="flex flex-wrap items-center gap-1.5">
        {receipt.serving_model !== null && (
          <code className="font-mono text-xs break-all">{receipt.serving_model}</code>
        )}
        <Badge tone={served.qualification === 'probed' ? 'good' : 'warn'}>{served.qualification}</Badge>
        {served.substituted && (
          <Badge tone="warn" title="Another supplier stood in for the one that owes the units.">
            substitute
          </Badge>
        )}
      </span>
    </Step>
  );
};

const withinSpec = (receipt: Receipt): string => {
  if (receipt.in_spec === null) return '';
  const words = receipt.in_spec ? 'within the specification' : 'outside the specification';
  return receipt.spec_waived ? `${words}, measured without consequence` : words;
};

const Finished = ({ receipt }: { receipt: Receipt }) => (
  <Step
    title={receipt.status === 'pending' ? 'Running' : 'Finished'}
    value={formatDuration(receipt.timing.duration_ms)}
  >
    <span className="flex flex-wrap items-center gap-x-2">
      <StatusBadge receipt={receipt} />
      {receipt.finish_reason !== null && <span>{receipt.finish_reason} ·</span>}
      <span>
        {formatCount(receipt.usage.input_tokens)} tokens in, {formatCount(receipt.usage.output_tokens)} out ·
      </span>
      <span>{formatRate(receipt.timing.tokens_per_second)} tokens/s</span>
    </span>
  </Step>
);

const Drawn = ({ receipt }: { receipt: Receipt }) => {
  const draws = receipt.cost.breakdown ?? [];
  const totalTokens = receipt.usage.total_tokens ?? 0;
  return (
    <Step title="Drawn from" value={draws.length === 1 ? '1 lot' : `${draws.length} lots`}>
      {draws.length === 0 && 'No token of any lot was used.'}
      <ol>
        {draws.map((draw) => (
          <Draw key={`${draw.lot_id}-${draw.unit_from}`} {...{ draw, totalTokens }} />
        ))}
      </ol>
    </Step>
  );
};

const costWords: Record<string, string> = {
  pending: 'Not settled yet.',
  reconciled: 'The exact sum of the draws above; trade fees are on the trade.',
  unpriced: 'The priced part: some tokens have no cost basis.',
  cancelled: 'Not billed.',
};

/** What happened to one request, in order, down to the units it was paid with. */
export const Story = ({ receipt }: { receipt: Receipt }) => (
  <ol aria-label="Story of the request" className="mt-1 ml-1.5">
    <Step title="Requested" value={formatUtc(receipt.created_at)}>
      {receipt.requested_model} over <code className="font-mono text-xs">{receipt.endpoint}</code>
      {receipt.stream ? ', streamed' : ''}
    </Step>
    <Served receipt={receipt} />
    <Step title="First token" value={formatDuration(receipt.timing.ttft_ms)}>
      {withinSpec(receipt)}
    </Step>
    <Finished receipt={receipt} />
    <Drawn receipt={receipt} />
    <Step
      title="Cost"
      value={
        <span className="font-medium text-text-1">
          <Amount amount={receipt.cost.amount} fractionDigits={costDigits} /> USD
        </span>
      }
    >
      {costWords[receipt.cost.status] ?? receipt.cost.status}
    </Step>
  </ol>
);
