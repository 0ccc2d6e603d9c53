import { CopyButton } from './copy-button.tsx';

/** Code to paste. Long lines scroll inside the block, never the page. */
export const CodeBlock = ({ code, label }: { code: string; label: string }) => (
  <div className="relative min-w-0 rounded-control border border-line bg-surface-0">
    <div className="absolute top-1 right-1 rounded-control bg-surface-0">
      <CopyButton text={code} label={label} />
    </div>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
    <section tabIndex={0} aria-label={label} className="overflow-x-auto p-3 pt-9">
      <pre className="font-mono text-xs text-text-2">{code}</pre>
    </section>
  </div>
);
