import type { Instrument, Model } from '@opengrid/sdk';
import { useQuery } from '@tanstack/react-query';
import type { KeyboardEvent } from 'react';
import { Badge } from '../components/badge.tsx';
import { Card } from '../components/card.tsx';
import { EmptyNote, ErrorNote } from '../components/notes.tsx';
import { Bar, rowKeys } from '../components/skeleton.tsx';
import { LivePrice } from '../components/values.tsx';
import { formatCount, formatDecimal, spreadOf } from '../lib/format.ts';
import { origin } from '../lib/grid.ts';
import { instrumentsQuery, modelsQuery } from '../lib/queries.ts';
import { readCommand } from '../lib/snippets.ts';

type Selection = { selected: string | undefined; onSelect: (symbol: string) => void };

const cell = 'px-2 py-2 text-right whitespace-nowrap';
// On a phone a row keeps name and price; bid and ask stand in a second line below them.
const wideCell = `${cell} max-sm:hidden`;

const columns: { label: string; className: string }[] = [
  { label: 'Instrument', className: 'py-2 pr-2 pl-4 text-left' },
  { label: 'Last', className: `${cell} max-sm:pr-4` },
  { label: 'Bid', className: wideCell },
  { label: 'Ask', className: wideCell },
  { label: 'Spread', className: wideCell },
  { label: '24 h units', className: `${wideCell} pr-4` },
];

const HeadRow = () => (
  <thead>
    <tr className="border-b border-line text-xs text-text-3">
      {columns.map(({ label, className }) => (
        <th key={label} scope="col" className={`${className} font-normal`}>
          {label}
        </th>
      ))}
    </tr>
  </thead>
);

const SkeletonRows = () => (
  <tbody>
    {rowKeys(9).map((key) => (
      <tr key={key} className="border-b border-line last:border-0">
        {columns.map(({ label, className }, index) => (
          <td key={label} className={`${className} h-13`}>
            <Bar className={index === 0 ? 'w-28' : 'w-12'} />
          </td>
        ))}
      </tr>
    ))}
  </tbody>
);

/** Moves the focus, and with it the selection, along the list. */
const onArrow = (event: KeyboardEvent<HTMLTableSectionElement>): void => {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0) return;
  const buttons = [...event.currentTarget.querySelectorAll('button')];
  const index = buttons.indexOf(document.activeElement as HTMLButtonElement);
  const next = buttons[index + step];
  if (index === -1 || next === undefined) return;
  event.preventDefault();
  next.focus();
  next.click();
};

type RowProps = Selection & { model: Model; volume: number | null | undefined };

const Row = ({ model, volume, selected, onSelect }: RowProps) => {
  const { last, bid, ask } = model.pricing;
  const spread = spreadOf(bid, ask);
  return (
    <tr
      data-instrument={model.id}
      aria-selected={model.id === selected}
      className="relative h-13 border-b border-line last:border-0 hover:bg-surface-2 aria-selected:bg-surface-2 aria-selected:shadow-[inset_2px_0_0_var(--accent)]"
    >
      <td className="py-1.5 pr-2 pl-4">
        {/* The button covers its whole row, so that the row is one target and one stop of the keyboard. */}
        <button
          type="button"
          onClick={() => onSelect(model.id)}
          className="block text-left font-medium after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
        >
          {model.id}
        </button>
        <span className="flex flex-wrap gap-1 text-xs text-text-3">
          {model.display_name}
          {model.stage === 'preview' && <span>· preview</span>}
        </span>
      </td>
      <td className={`${cell} max-sm:pr-4`}>
        <LivePrice price={last} className="font-medium" />
        {(bid ?? ask) !== null && (
          <span className="block text-xs text-text-3 sm:hidden">
            {formatDecimal(bid)} / {formatDecimal(ask)}
          </span>
        )}
      </td>
      <td className={`${wideCell} text-buy`}>
        <LivePrice price={bid} />
      </td>
      <td className={`${wideCell} text-sell`}>
        <LivePrice price={ask} />
      </td>
      <td className={`${wideCell} text-text-2`}>{formatDecimal(spread?.spread)}</td>
      <td className={`${wideCell} pr-4 text-text-2`}>{formatCount(volume)}</td>
    </tr>
  );
};

const volumesOf = (instruments: readonly Instrument[] | undefined): Map<string, number | null | undefined> =>
  new Map((instruments ?? []).map((instrument) => [instrument.symbol, instrument.volume_24h]));

const Body = ({ models, selected, onSelect }: Selection & { models: readonly Model[] }) => {
  const instruments = useQuery(instrumentsQuery);
  const volumes = volumesOf(instruments.data);
  return (
    <tbody onKeyDown={onArrow}>
      {models.map((model) => (
        <Row key={model.id} {...{ model, selected, onSelect }} volume={volumes.get(model.id)} />
      ))}
    </tbody>
  );
};

/** Every instrument with its prices; choosing one shows its book. */
export const InstrumentList = ({ selected, onSelect }: Selection) => {
  const { data: models, error } = useQuery(modelsQuery);
  return (
    <Card id="instruments" title="Instruments" note="USD per unit of 1 000 000 tokens">
      {error !== null && models === undefined && <ErrorNote error={error} />}
      {models?.length === 0 ? (
        <EmptyNote title="No instrument is listed" command={readCommand(origin, '/v1/models')}>
          Start with the demo market, or activate an instrument as operator.
        </EmptyNote>
      ) : (
        <table className="w-full text-sm">
          <HeadRow />
          {models === undefined ? <SkeletonRows /> : <Body {...{ models, selected, onSelect }} />}
        </table>
      )}
    </Card>
  );
};

/** How the instrument's endpoints came to be trusted; said wherever the instrument is shown large. */
export const QualificationBadge = ({ qualification }: { qualification: Model['qualification'] }) => {
  if (qualification === 'probed') {
    return (
      <Badge tone="good" title="The endpoints behind it were measured by probes.">
        <span className="max-sm:sr-only">qualification </span>
        probed
      </Badge>
    );
  }
  return (
    <Badge
      tone="warn"
      title="At least one endpoint behind it was let in by the operator and is not measured."
    >
      <span className="max-sm:sr-only">qualification </span>
      {qualification}
    </Badge>
  );
};
