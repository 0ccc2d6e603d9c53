import { formatIso, formatPriceTicks } from '@opengrid/wire';
import type { InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { SupplierDirectory } from '../../ports/supply.ts';
import type { Database } from '../../store/database.ts';
import { fail, type TradingCall, type TradingRoute } from '../http/route.ts';
import { wordField, words } from '../list/fields.ts';
import { type ListSpec, listPage } from '../list/list-page.ts';

export interface LotDeps {
  readonly database: Database;
  readonly instruments: InstrumentCatalogue;
  readonly suppliers: SupplierDirectory;
}

interface LotRow {
  readonly lot_id: string;
  readonly instrument_no: number;
  readonly trade_id: string | null;
  readonly price_ticks: number | null;
  readonly issuer_account: number;
  readonly unit_from: number;
  readonly unit_to: number;
  readonly tokens_total: number;
  readonly tokens_remaining: number;
  readonly status: string;
  readonly deposited_at_ms: number;
  readonly executed_at_ms: number | null;
}

function lotList(instrumentNo: number): ListSpec {
  return {
    name: `lots ${instrumentNo}`,
    source: `select l.*, t.trade_id, t.executed_at_ms from lots l left join trades t on t.trade_seq = l.trade_seq
             where l.account_number = $1 and l.instrument_no = ${instrumentNo}`,
    fields: { status: wordField('status', words('open', 'exhausted', 'expired', 'moved', 'bought_back')) },
    sorts: { drawing_order: 'acquisition' },
    direction: 'asc',
    tie: 'unit_from',
    maxLimit: 100,
  };
}

/** Lots of one consumption account, in the order in which they are drawn. */
export function lotRoute(
  deps: LotDeps,
  accountsOf: (call: TradingCall) => Promise<Record<string, unknown>[]>,
): TradingRoute {
  return {
    method: 'GET',
    path: '/consumption-accounts/:account_id/lots',
    scope: 'account:read',
    consumptionKeys: 'allowed',
    rate: 'read',
    handle: async (call) => {
      const rows = await accountsOf(call);
      const account = rows.find(({ account_id: id }) => id === call.params.account_id);
      if (account === undefined) throw fail('account_not_found');
      const instrument = deps.instruments.find(String(account.instrument_id))!;
      return listPage<LotRow>(deps.database, lotList(instrument.instrumentNo), {
        accountNumber: call.caller.accountNumber,
        query: call.query,
        shape: (lot) => lotShape(lot, { suppliers: deps.suppliers, instrumentId: instrument.instrumentId }),
      });
    },
  };
}

function lotShape(
  lot: LotRow,
  { suppliers, instrumentId }: { suppliers: SupplierDirectory; instrumentId: string },
): Record<string, unknown> {
  const supplier = suppliers.supplierByAccount(lot.issuer_account);
  return {
    lot_id: lot.lot_id,
    id: lot.lot_id,
    instrument_id: instrumentId,
    trade_id: lot.trade_id,
    supplier_id: supplier?.supplierId ?? null,
    supplier: supplier?.displayName ?? null,
    unit_from: lot.unit_from,
    unit_to: lot.unit_to,
    acquisition_price_per_unit: lot.price_ticks === null ? null : formatPriceTicks(lot.price_ticks),
    tokens_total: lot.tokens_total,
    tokens_remaining: lot.tokens_remaining,
    acquired_at: formatIso(lot.executed_at_ms ?? lot.deposited_at_ms),
    deposited_at: formatIso(lot.deposited_at_ms),
    opened: lot.tokens_remaining < lot.tokens_total,
    expires_at: null,
    status: lot.status,
  };
}
