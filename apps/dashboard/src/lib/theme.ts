import { useState } from 'react';

/** `system` follows the operating system. */
export type Theme = 'system' | 'dark' | 'light';

const storageKey = 'opengrid.theme';

const remembered = (): Theme => {
  const theme = document.documentElement.dataset.theme;
  return theme === 'dark' || theme === 'light' ? theme : 'system';
};

const apply = (theme: Theme): void => {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === 'system') localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, theme);
  } catch {
    // Storage may be forbidden; the choice then lasts until the page is left.
  }
};

/** The theme and the way to change it; `public/theme.js` restores it before the first paint. */
export const useTheme = (): [Theme, (theme: Theme) => void] => {
  const [theme, setTheme] = useState(remembered);
  const choose = (next: Theme): void => {
    apply(next);
    setTheme(next);
  };
  return [theme, choose];
};
