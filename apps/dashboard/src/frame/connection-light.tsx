import { useQuery } from '@tanstack/react-query';
import { useNow } from '../lib/clock.ts';
import { type Connection, connectionOf } from '../lib/connection.ts';
import { modelsQuery } from '../lib/queries.ts';

/** Freshness of the page, read off the one poll that always runs. */
export const useConnection = (): Connection => {
  const nowMs = useNow();
  const { dataUpdatedAt, errorUpdatedAt } = useQuery(modelsQuery);
  return connectionOf({ lastSuccessMs: dataUpdatedAt, lastFailureMs: errorUpdatedAt, nowMs });
};

const looks: Record<Connection, { word: string; dot: string; hint: string }> = {
  connecting: { word: 'Connecting', dot: 'bg-text-3 breathe', hint: 'The first answer has not come yet.' },
  live: { word: 'Live', dot: 'bg-buy', hint: 'Prices are read every second.' },
  reconnecting: { word: 'Reconnecting', dot: 'bg-warn breathe', hint: 'The last answer failed or is late.' },
  stale: { word: 'Stale', dot: 'bg-sell', hint: 'No answer for a while: the prices shown are old.' },
};

/** Says whether what the page shows is current. */
export const ConnectionLight = () => {
  const connection = useConnection();
  const { word, dot, hint } = looks[connection];
  return (
    <p
      role="status"
      title={hint}
      data-connection={connection}
      className="flex items-center gap-2 rounded-full border border-line px-3 py-1 text-xs text-text-2"
    >
      <span aria-hidden="true" className={`size-2 rounded-full ${dot}`} />
      {word}
    </p>
  );
};
