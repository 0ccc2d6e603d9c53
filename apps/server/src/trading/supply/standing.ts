import type { Instrument } from '../../ports/catalogue.ts';
import type { AccountProfile } from '../../ports/identity.ts';
import type { AccountDeps } from '../accounts/deps.ts';
import { fail, type TradingCall } from '../http/route.ts';

export type SupplyDeps = AccountDeps;

export const READ = {
  method: 'GET',
  scope: 'supply:read',
  consumptionKeys: 'refused',
  rate: 'read',
} as const;
export const WRITE = {
  method: 'POST',
  scope: 'supply:write',
  consumptionKeys: 'refused',
  rate: 'read',
  keep: 'transfers',
} as const;

/** What a supplier's lists with a row an instrument are filtered by. */
export const INSTRUMENT_FIELD: ReadonlySet<string> = new Set(['instrument_id']);

/** Only an approved supplier may use these routes. @throws GridFailure */
export function standing({ suppliers, accounts }: SupplyDeps, call: TradingCall): AccountProfile {
  const supplier = suppliers.supplierByAccount(call.caller.accountNumber);
  if (supplier?.status === 'suspended') throw fail('supplier_suspended');
  const owner = accounts.byNumber(call.caller.accountNumber);
  if (supplier?.status !== 'approved' || owner === undefined) throw fail('supplier_not_approved');
  return owner;
}

/** @throws GridFailure `instrument_not_found`, also where it has no market. */
export function marketOf({ instruments, sequencer }: SupplyDeps, reference: string): Instrument {
  const instrument = instruments.find(reference);
  if (instrument === undefined || sequencer.exchange.rulesOf(instrument.instrumentNo) === undefined)
    throw fail('instrument_not_found');
  return instrument;
}
