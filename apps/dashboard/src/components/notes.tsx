import type { ReactNode } from 'react';
import { explain } from '../lib/explain.ts';
import { CodeBlock } from './code-block.tsx';
import { CopyButton } from './copy-button.tsx';

type EmptyNoteProps = { title: string; children: ReactNode; command: string };

/** Nothing here yet: what would be, and the request that shows it. */
export const EmptyNote = ({ title, children, command }: EmptyNoteProps) => (
  <div className="flex flex-col gap-3 p-4" data-state="empty">
    <div>
      <p className="font-medium">{title}</p>
      <p className="max-w-prose text-sm text-text-2">{children}</p>
    </div>
    <CodeBlock code={command} label="the same as a request" />
  </div>
);

/** What happened, what to do, and the id to quote. */
export const ErrorNote = ({ error }: { error: unknown }) => {
  const { title, advice, requestId } = explain(error);
  return (
    <div
      role="alert"
      className="m-4 rounded-control border border-line bg-surface-2 p-3 text-sm"
      data-state="error"
    >
      <p className="font-medium text-sell">
        <span aria-hidden="true">! </span>
        {title}
      </p>
      <p className="text-text-2">{advice}</p>
      {requestId !== null && (
        <p className="mt-1 flex flex-wrap items-center gap-x-2 text-xs text-text-3">
          Request id <code className="font-mono break-all">{requestId}</code>
          <CopyButton text={requestId} label="request id" />
        </p>
      )}
    </div>
  );
};
