import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { CodeBlock } from '../components/code-block.tsx';
import { CloseIcon } from '../components/icons.tsx';
import { ErrorNote } from '../components/notes.tsx';
import { origin } from '../lib/grid.ts';
import { type KeySession, receiptQuery } from '../lib/queries.ts';
import { readWithKeyCommand } from '../lib/snippets.ts';
import { ReceiptSkeleton } from './receipt-table.tsx';
import { Story } from './story.tsx';

type ReceiptProps = { session: KeySession; requestId: string };

const Content = ({ session, requestId }: ReceiptProps) => {
  const { data: receipt, error } = useQuery(receiptQuery(session, requestId));
  if (receipt === undefined) return error === null ? <ReceiptSkeleton /> : <ErrorNote error={error} />;
  return (
    <div className="flex flex-col gap-5 p-4">
      <Story receipt={receipt} />
      <CodeBlock
        code={readWithKeyCommand(origin, `/v1/usage/${requestId}`)}
        label="this receipt as a request"
      />
      <details className="text-sm">
        <summary className="cursor-pointer text-text-2">The receipt as JSON</summary>
        <div className="mt-2">
          <CodeBlock code={JSON.stringify(receipt, null, 2)} label="receipt" />
        </div>
      </details>
    </div>
  );
};

/** A sheet from the right with one receipt; Escape and the space beside it close it. */
export const ReceiptDialog = ({ session, requestId, onClose }: ReceiptProps & { onClose: () => void }) => {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard closes a dialog with Escape
    <dialog
      ref={dialog}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
      aria-labelledby="receipt-title"
      data-part="receipt"
      className="mr-0 ml-auto h-dvh max-h-none w-full max-w-xl overflow-y-auto border-l border-line bg-surface-1 text-text-1 backdrop:bg-black/50"
    >
      <header className="sticky top-0 z-10 flex items-center gap-3 border-b border-line bg-surface-1 px-4 py-3">
        <div className="min-w-0">
          <h2 id="receipt-title" className="font-semibold">
            Receipt
          </h2>
          <code className="block truncate font-mono text-xs text-text-3">{requestId}</code>
        </div>
        <button
          type="button"
          aria-label="Close"
          onClick={() => dialog.current?.close()}
          className="ml-auto rounded-control p-2 text-text-2 hover:bg-surface-2 hover:text-text-1"
        >
          <CloseIcon />
        </button>
      </header>
      <Content {...{ session, requestId }} />
    </dialog>
  );
};
