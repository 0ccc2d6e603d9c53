import { CopyButton } from './copy-button.tsx';

/** Code to paste. Long lines scroll inside the block, never the page. */
export const CodeBlock = ({ code, label }: { code: string; label: string }) => (
  <div className="min-w-0 rounded-control border border-line bg-surface-0">
    <div className="flex items-center justify-between gap-2 border-b border-line py-1 pr-1 pl-3">
      <span className="truncate text-xs text-text-3">{label}</span>
      <CopyButton text={code} label={label} />
    </div>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
    <section tabIndex={0} aria-label={label} className="overflow-x-auto p-3">
      <pre className="font-mono text-xs text-text-2">{code}</pre>
    </section>
  </div>
);
