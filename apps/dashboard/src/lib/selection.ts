import type { Model } from '@opengrid/sdk';
import { useState } from 'react';

const parameter = 'instrument';

const fromAddress = (): string | null => new URLSearchParams(window.location.search).get(parameter);

const toAddress = (symbol: string): void => {
  const url = new URL(window.location.href);
  url.searchParams.set(parameter, symbol);
  window.history.replaceState(null, '', url);
};

/** The instrument asked for if it is listed, else the first one that is for sale, else the first. */
export const chooseInstrument = (models: readonly Model[], wanted: string | null): Model | undefined =>
  models.find((model) => model.id === wanted?.toLowerCase()) ??
  models.find((model) => model.pricing.ask !== null) ??
  models[0];

/** The selected symbol, kept in the address so that a link shows the same book. */
export const useSelection = (): [string | null, (symbol: string) => void] => {
  const [wanted, setWanted] = useState(fromAddress);
  const select = (symbol: string): void => {
    toAddress(symbol);
    setWanted(symbol);
  };
  return [wanted, select];
};
