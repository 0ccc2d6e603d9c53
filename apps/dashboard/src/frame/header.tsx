import { LogoIcon } from '../components/icons.tsx';
import { ConnectionLight } from './connection-light.tsx';
import { ThemeSwitch } from './theme-switch.tsx';

/** The bar at the top: where am I, is it live, how does it look. */
export const Header = () => (
  <header className="sticky top-0 z-10 border-b border-line bg-surface-0">
    <div className="mx-auto flex h-14 max-w-[1440px] items-center gap-3 px-4 lg:px-6">
      <a href="/" className="flex items-center gap-2.5">
        <LogoIcon />
        <span className="text-lg font-semibold tracking-tight">OpenGrid</span>
      </a>
      <p className="hidden text-sm text-text-3 md:block">Spot exchange for LLM inference</p>
      <div className="ml-auto flex items-center gap-2">
        <ConnectionLight />
        <ThemeSwitch />
      </div>
    </div>
  </header>
);
