import type { Receipt } from '@opengrid/sdk';
import { Bar, rowKeys } from '../components/skeleton.tsx';
import { Age, Amount } from '../components/values.tsx';
import { formatCount, formatDuration, formatRate, missing } from '../lib/format.ts';
import { StatusBadge } from './status-badge.tsx';

/** Digits after the point of a cost: what one token at the smallest tick can cost. */
export const costDigits = 10;

const cell = 'px-2 py-2 text-right whitespace-nowrap';

const columns: { label: string; className: string }[] = [
  { label: 'When', className: 'py-2 pr-2 pl-4 text-left whitespace-nowrap' },
  { label: 'Instrument', className: 'px-2 py-2 text-left' },
  { label: 'In', className: cell },
  { label: 'Out', className: cell },
  { label: 'Cost, USD', className: cell },
  { label: 'First token', className: cell },
  { label: 'Tok/s', className: cell },
  { label: 'Supplier', className: 'px-2 py-2 text-left' },
  { label: 'Status', className: 'py-2 pr-4 pl-2 text-left' },
];

type RowProps = { receipt: Receipt; onOpen: (requestId: string) => void };

const supplierOf = (receipt: Receipt): string => receipt.served_by?.supplier ?? missing;

/** The part of a row that opens it; it covers the row, which makes the row one target. */
const OpenButton = ({ receipt, onOpen }: RowProps) => (
  <button
    type="button"
    onClick={() => onOpen(receipt.request_id)}
    aria-label={`Receipt ${receipt.request_id}`}
    className="after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
  >
    <Age iso={receipt.created_at} />
  </button>
);

const WideRow = ({ receipt, onOpen }: RowProps) => (
  <tr
    className="relative border-b border-line last:border-0 hover:bg-surface-2"
    data-receipt={receipt.request_id}
  >
    <td className="py-2 pr-2 pl-4 text-text-2">
      <OpenButton {...{ receipt, onOpen }} />
    </td>
    <td className="px-2 py-2 font-medium whitespace-nowrap">{receipt.requested_model}</td>
    <td className={cell}>{formatCount(receipt.usage.input_tokens)}</td>
    <td className={cell}>{formatCount(receipt.usage.output_tokens)}</td>
    <td className={cell}>
      <Amount amount={receipt.cost.amount} fractionDigits={costDigits} />
    </td>
    <td className={cell}>{formatDuration(receipt.timing.ttft_ms)}</td>
    <td className={cell}>{formatRate(receipt.timing.tokens_per_second)}</td>
    <td className="max-w-40 truncate px-2 py-2 text-text-2" title={supplierOf(receipt)}>
      {supplierOf(receipt)}
    </td>
    <td className="py-2 pr-4 pl-2">
      <StatusBadge receipt={receipt} />
    </td>
  </tr>
);

const NarrowRow = ({ receipt, onOpen }: RowProps) => (
  <li
    className="relative border-b border-line px-4 py-3 text-sm last:border-0"
    data-receipt={receipt.request_id}
  >
    <div className="flex items-center gap-2">
      <span className="font-medium">{receipt.requested_model}</span>
      <StatusBadge receipt={receipt} />
      <span className="ml-auto">
        <Amount amount={receipt.cost.amount} fractionDigits={costDigits} />
      </span>
    </div>
    <div className="mt-1 flex items-center gap-x-3 text-xs whitespace-nowrap text-text-3">
      <OpenButton {...{ receipt, onOpen }} />
      <span>
        {formatCount(receipt.usage.input_tokens)} in, {formatCount(receipt.usage.output_tokens)} out
      </span>
      <span>{formatDuration(receipt.timing.ttft_ms)}</span>
      <span className="ml-auto min-w-0 truncate">{supplierOf(receipt)}</span>
    </div>
  </li>
);

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

/** Rows in the shape of receipts, while they are read. */
export const ReceiptSkeleton = () => (
  <table className="w-full text-sm">
    <tbody>
      {rowKeys(4).map((key) => (
        <tr key={key} className="h-10 border-b border-line last:border-0">
          <td className="pl-4">
            <Bar className="w-10" />
          </td>
          <td>
            <Bar className="w-24" />
          </td>
          <td className="pr-4 text-right">
            <Bar className="w-20" />
          </td>
        </tr>
      ))}
    </tbody>
  </table>
);

type ReceiptTableProps = { receipts: readonly Receipt[]; onOpen: (requestId: string) => void };

/** Receipts, newest first: a table where there is room, cards where there is not. */
export const ReceiptTable = ({ receipts, onOpen }: ReceiptTableProps) => (
  <>
    <div className="hidden overflow-x-auto md:block">
      <table className="w-full text-sm">
        <HeadRow />
        <tbody>
          {receipts.map((receipt) => (
            <WideRow key={receipt.request_id} {...{ receipt, onOpen }} />
          ))}
        </tbody>
      </table>
    </div>
    <ul className="md:hidden">
      {receipts.map((receipt) => (
        <NarrowRow key={receipt.request_id} {...{ receipt, onOpen }} />
      ))}
    </ul>
  </>
);
