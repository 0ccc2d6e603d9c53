import { useEffect, useState } from 'react';
import { CheckIcon, CopyIcon } from './icons.tsx';

type State = 'idle' | 'copied' | 'failed';

const words: Record<State, string> = { idle: 'Copy', copied: 'Copied', failed: 'Select the text to copy it' };

/** Copies a text. Browsers allow that only on https and on localhost; elsewhere the button says what to do. */
export const CopyButton = ({ text, label }: { text: string; label: string }) => {
  const [state, setState] = useState<State>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), 2_000);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = (): void => {
    if (!navigator.clipboard) {
      setState('failed');
      return;
    }
    navigator.clipboard.writeText(text).then(
      () => setState('copied'),
      () => setState('failed'),
    );
  };
  return (
    <button
      type="button"
      onClick={copy}
      aria-label={`${words[state]}: ${label}`}
      className="inline-flex items-center gap-1.5 rounded-control px-2 py-1 text-xs text-text-2 hover:bg-surface-3 hover:text-text-1"
    >
      {state === 'copied' ? <CheckIcon /> : <CopyIcon />}
      <span aria-live="polite">{words[state]}</span>
    </button>
  );
};
