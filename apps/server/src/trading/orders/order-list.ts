import type { InstrumentCatalogue } from '../../ports/catalogue.ts';
import { instrumentField, timeField, wordField, words } from '../list/fields.ts';
import { type ListSpec, TEXT_FIELD } from '../list/list-page.ts';
import { ORDER_COLUMNS } from './order-record.ts';

const OPEN = ['active', 'partially_filled'];
const CLOSED = ['filled', 'cancelled', 'expired', 'rejected'];

/** `open` and `active` both mean "not over", `closed` means "over". */
const STATUSES: ReadonlyMap<string, readonly string[]> = new Map([
  ...words('partially_filled', ...CLOSED),
  ['active', OPEN],
  ['open', OPEN],
  ['closed', CLOSED],
  // Statuses of other systems that clients ask for and that no order here ever has.
  ['pending', []],
  ['cancellation_pending', []],
]);

export function orderList(instruments: InstrumentCatalogue): ListSpec {
  return {
    name: 'orders',
    source: `select ${ORDER_COLUMNS}, (select user_id from accounts where account_number = $1) as "userId"
      from orders where account_number = $1`,
    fields: {
      market_id: instrumentField(instruments, '"instrumentNo"'),
      instrument_id: instrumentField(instruments, '"instrumentNo"'),
      side: wordField('side', words('buy', 'sell')),
      status: wordField('status', STATUSES),
      type: wordField('type', words('limit', 'market')),
      client_order_id: TEXT_FIELD('"clientOrderId"'),
      trader_id: TEXT_FIELD('"userId"'),
      start_datetime: timeField('"submittedAtMs"', '>='),
      end_datetime: timeField('"submittedAtMs"', '<'),
    },
    sorts: {
      submitted_at: '"submittedAtMs"',
      updated_at: '"updatedAtMs"',
      price: 'coalesce("priceTicks", 0)',
    },
    direction: 'desc',
    tie: '"orderSeq"',
    maxLimit: 500,
  };
}
