import { type KeyboardEvent, useId, useState } from 'react';
import { Card } from '../components/card.tsx';
import { CodeBlock } from '../components/code-block.tsx';
import { origin } from '../lib/grid.ts';
import { quickstart, type Snippet } from '../lib/snippets.ts';

type TabsProps = { snippets: Snippet[]; active: Snippet; onChoose: (id: string) => void; panelId: string };

/** Tabs as assistive technology expects them: one stop of the keyboard, arrows move between them. */
const Tabs = ({ snippets, active, onChoose, panelId }: TabsProps) => {
  const move = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const next = snippets[snippets.indexOf(active) + step];
    if (step === 0 || next === undefined) return;
    onChoose(next.id);
    event.currentTarget.querySelectorAll<HTMLElement>('[role=tab]')[snippets.indexOf(next)]?.focus();
  };
  return (
    <div role="tablist" aria-label="Language" onKeyDown={move} className="flex gap-1">
      {snippets.map(({ id, label }) => (
        <button
          key={id}
          type="button"
          role="tab"
          aria-selected={id === active.id}
          aria-controls={panelId}
          tabIndex={id === active.id ? 0 : -1}
          onClick={() => onChoose(id)}
          className="rounded-control px-2.5 py-1 text-sm text-text-2 hover:text-text-1 aria-selected:bg-surface-3 aria-selected:text-text-1"
        >
          {label}
        </button>
      ))}
    </div>
  );
};

/** A first request against this very server, for the selected instrument. */
export const Quickstart = ({ model }: { model: string }) => {
  const panelId = useId();
  const [chosen, setChosen] = useState('curl');
  const snippets = quickstart(origin, model);
  const active = snippets.find(({ id }) => id === chosen) ?? snippets[0];
  if (active === undefined) return null;
  return (
    <Card id="quickstart" title="Quickstart" note="any OpenAI SDK works" className="self-start">
      <div className="flex flex-col gap-3 p-4">
        <p className="text-sm text-text-2">
          Change the base URL and the key, put an instrument in{' '}
          <code className="font-mono text-xs">model</code>. The first start of the server printed a key.
        </p>
        <Tabs {...{ snippets, active, panelId }} onChoose={setChosen} />
        <div id={panelId} role="tabpanel" aria-label={active.label}>
          <CodeBlock code={active.code} label={`${active.label} snippet`} />
        </div>
      </div>
    </Card>
  );
};
