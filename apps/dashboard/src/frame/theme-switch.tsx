import type { ReactNode } from 'react';
import { MoonIcon, SunIcon, SystemIcon } from '../components/icons.tsx';
import { type Theme, useTheme } from '../lib/theme.ts';

const choices: { theme: Theme; label: string; icon: ReactNode }[] = [
  { theme: 'system', label: 'Theme of the system', icon: <SystemIcon /> },
  { theme: 'light', label: 'Light theme', icon: <SunIcon /> },
  { theme: 'dark', label: 'Dark theme', icon: <MoonIcon /> },
];

/** System, light or dark; remembered. */
export const ThemeSwitch = () => {
  const [theme, setTheme] = useTheme();
  return (
    <fieldset aria-label="Theme" className="flex rounded-full border border-line p-0.5">
      {choices.map((choice) => (
        <button
          key={choice.theme}
          type="button"
          title={choice.label}
          aria-label={choice.label}
          aria-pressed={choice.theme === theme}
          onClick={() => setTheme(choice.theme)}
          className="rounded-full p-1 text-text-3 hover:text-text-1 aria-pressed:bg-surface-3 aria-pressed:text-text-1"
        >
          {choice.icon}
        </button>
      ))}
    </fieldset>
  );
};
