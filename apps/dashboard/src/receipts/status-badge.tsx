import type { Receipt } from '@opengrid/sdk';
import { Badge } from '../components/badge.tsx';

/** How a request ended, in one word. */
export const StatusBadge = ({ receipt }: { receipt: Receipt }) => {
  if (receipt.status === 'pending') return <Badge title="The request is still running.">running</Badge>;
  if (receipt.status === 'error') {
    return (
      <Badge tone="bad" title="Not billed.">
        {receipt.error_code ?? 'error'}
      </Badge>
    );
  }
  if (receipt.finish_reason === 'client_disconnect') {
    return (
      <Badge tone="warn" title="The client left; what had been written to it was billed.">
        hung up
      </Badge>
    );
  }
  return <Badge tone="good">settled</Badge>;
};
