import type { ReactNode } from 'react';

type CardProps = { id: string; title: string; note?: ReactNode; children: ReactNode; className?: string };

/** A titled part of the page. */
export const Card = ({ id, title, note, children, className = '' }: CardProps) => (
  <section
    aria-labelledby={`${id}-title`}
    data-part={id}
    className={`flex min-w-0 flex-col overflow-hidden rounded-card border border-line bg-surface-1 ${className}`}
  >
    <header className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-4 py-2">
      <h2 id={`${id}-title`} className="font-semibold">
        {title}
      </h2>
      <div className="ml-auto text-xs text-text-3">{note}</div>
    </header>
    {children}
  </section>
);
