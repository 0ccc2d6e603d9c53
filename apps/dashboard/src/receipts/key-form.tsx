import { type FormEvent, useId, useState } from 'react';
import { keyProblem } from '../lib/api-key.ts';

/** Asks for a consumption key. It is handed on and not kept here. */
export const KeyForm = ({ onKey }: { onKey: (apiKey: string) => void }) => {
  const id = useId();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const apiKey = text.trim();
    const found = keyProblem(apiKey);
    setProblem(found);
    if (found === null) onKey(apiKey);
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-2 p-4" data-part="key-form">
      <label htmlFor={id} className="font-medium">
        Show my receipts
      </label>
      <p className="max-w-prose text-sm text-text-2">
        Receipts belong to an account, so they need one of its consumption keys. The key stays in the memory
        of this page: it is sent only to this server, never stored, and forgotten when you reload or close the
        tab.
      </p>
      <div className="flex flex-wrap gap-2">
        <input
          id={id}
          type="password"
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="sk-or-v1-…"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          data-1p-ignore=""
          data-lpignore="true"
          aria-invalid={problem !== null}
          aria-describedby={problem === null ? undefined : `${id}-problem`}
          className="h-9 min-w-0 grow basis-64 rounded-control border border-line bg-surface-0 px-3 font-mono text-sm placeholder:text-text-3"
        />
        <button
          type="submit"
          className="h-9 rounded-control bg-accent-fill px-4 text-sm font-medium text-accent-text hover:brightness-110"
        >
          Show receipts
        </button>
      </div>
      {problem !== null && (
        <p id={`${id}-problem`} role="alert" className="text-sm text-sell">
          {problem}
        </p>
      )}
    </form>
  );
};
