import type { ReactNode } from 'react';

const tones = {
  neutral: 'bg-surface-2 text-text-2',
  warn: 'bg-warn-fill text-warn',
  good: 'bg-buy-fill text-buy',
  bad: 'bg-sell-fill text-sell',
};

type BadgeProps = { children: ReactNode; tone?: keyof typeof tones; title?: string };

/** A word that classifies; `title` explains it on hover. */
export const Badge = ({ children, tone = 'neutral', title }: BadgeProps) => (
  <span title={title} className={`rounded px-1.5 py-0.5 text-xs whitespace-nowrap ${tones[tone]}`}>
    {children}
  </span>
);
