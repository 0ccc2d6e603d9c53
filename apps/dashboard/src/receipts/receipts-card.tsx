import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { Card } from '../components/card.tsx';
import { CodeBlock } from '../components/code-block.tsx';
import { EmptyNote, ErrorNote } from '../components/notes.tsx';
import { gridWithKey, origin } from '../lib/grid.ts';
import { type KeySession, receiptsQuery } from '../lib/queries.ts';
import { readWithKeyCommand } from '../lib/snippets.ts';
import { KeyForm } from './key-form.tsx';
import { ReceiptDialog } from './receipt-dialog.tsx';
import { ReceiptSkeleton, ReceiptTable } from './receipt-table.tsx';

const ReceiptList = ({ session }: { session: KeySession }) => {
  const { data: receipts, error } = useQuery(receiptsQuery(session));
  const [openId, setOpenId] = useState<string | null>(null);
  if (error !== null && receipts === undefined) return <ErrorNote error={error} />;
  if (receipts === undefined) return <ReceiptSkeleton />;
  if (receipts.length === 0) {
    return (
      <EmptyNote title="No request yet" command={readWithKeyCommand(origin, '/v1/usage')}>
        Send one with the snippet of the quickstart: its receipt is here as soon as the answer ends.
      </EmptyNote>
    );
  }
  return (
    <>
      <ReceiptTable receipts={receipts} onOpen={setOpenId} />
      {openId !== null && (
        <ReceiptDialog key={openId} session={session} requestId={openId} onClose={() => setOpenId(null)} />
      )}
    </>
  );
};

/** The pasted key, held by a client in memory until it is forgotten. */
const useKeySession = () => {
  const cache = useQueryClient();
  const nextId = useRef(1);
  const [session, setSession] = useState<KeySession | null>(null);
  const open = (apiKey: string): void => {
    setSession({ id: nextId.current, grid: gridWithKey(apiKey) });
    nextId.current += 1;
  };
  const forget = (): void => {
    if (session === null) return;
    cache.removeQueries({ queryKey: ['receipts', session.id] });
    cache.removeQueries({ queryKey: ['receipt', session.id] });
    setSession(null);
  };
  return { session, open, forget };
};

const ForgetButton = ({ onForget }: { onForget: () => void }) => (
  <button
    type="button"
    onClick={onForget}
    className="rounded-control px-2 py-1 text-text-2 hover:bg-surface-2 hover:text-text-1"
  >
    Forget the key
  </button>
);

/** The last receipts of the account whose key was pasted. */
export const ReceiptsCard = () => {
  const { session, open, forget } = useKeySession();
  return (
    <Card id="receipts" title="Last receipts" note={session !== null && <ForgetButton onForget={forget} />}>
      {session === null ? (
        <>
          <KeyForm onKey={open} />
          <div className="px-4 pb-4">
            <CodeBlock
              code={readWithKeyCommand(origin, '/v1/usage?limit=20')}
              label="the same as a request"
            />
          </div>
        </>
      ) : (
        <ReceiptList key={session.id} session={session} />
      )}
    </Card>
  );
};
