import { z } from 'zod';
import type { Instrument, InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { AccountDirectory } from '../../ports/identity.ts';
import type { Sequencer } from '../../sequencer/types.ts';
import type { Database } from '../../store/database.ts';
import type { RecordedCommand } from '../auth/replays.ts';
import { recordedOf, refusal, submit } from '../engine.ts';
import { QUANTITY, REFERENCE } from '../http/fields.ts';
import { fail, parseBody, type TradingAnswer, type TradingCall, type TradingRoute } from '../http/route.ts';

export interface TransferDeps {
  readonly sequencer: Sequencer;
  readonly database: Database;
  readonly instruments: InstrumentCatalogue;
  readonly accounts: AccountDirectory;
}

/** Body of a transfer. Unknown members are ignored. */
export const TRANSFER = z.object({ instrument_id: REFERENCE, quantity: QUANTITY });

interface TransferRow {
  readonly transfer_id: string;
  readonly instrument_no: number;
  readonly quantity_units: number;
  readonly transferred_at_ms: number;
}

/** Moving units from the front of the holdings to consumption. */
export function toConsumptionRoute(deps: TransferDeps): TradingRoute {
  return {
    method: 'POST',
    path: '/transfers/trading-to-consumption',
    scope: 'account:write',
    consumptionKeys: 'refused',
    rate: 'read',
    keep: 'transfers',
    body: TRANSFER,
    handle: (call) => transfer(deps, call),
    replay: (call, recorded) => replayTransfer(deps, call, recorded),
  };
}

/** The instrument of a transfer. @throws GridFailure `instrument_not_found`, also where it has no market. */
export function instrumentOf({ instruments, sequencer }: TransferDeps, reference: string): Instrument {
  const instrument = instruments.find(reference);
  if (instrument === undefined || sequencer.exchange.rulesOf(instrument.instrumentNo) === undefined)
    throw fail('instrument_not_found');
  return instrument;
}

async function transfer(deps: TransferDeps, call: TradingCall): Promise<TradingAnswer> {
  const body = parseBody(TRANSFER, call.body);
  const instrument = instrumentOf(deps, body.instrument_id);
  const result = await submit(deps.sequencer, call, {
    command: {
      kind: 'transfer_to_consumption',
      account: call.caller.accountNumber,
      instrument: instrument.instrumentNo,
      quantityUnits: body.quantity,
    },
  });
  if (!result.ok) throw refusal(result, instrument);
  const { transferId = '', lotIds = [] } = result;
  const answer = transferAnswer(instrument, { transferId, lotIds, quantityUnits: body.quantity });
  return { ...answer, recorded: recordedOf(result) };
}

/** Existing clients read the fields at the top level. */
export function transferAnswer(
  instrument: Instrument,
  made: { transferId: string; lotIds: readonly string[]; quantityUnits: number },
): TradingAnswer {
  const head = { status: 'success', transfer_id: made.transferId };
  const details = { instrument_id: instrument.instrumentId, quantity: made.quantityUnits, lots: made.lotIds };
  return { status: 200, body: { ...head, data: { ...head, ...details } } };
}

async function replayTransfer(
  { database, instruments }: TransferDeps,
  call: TradingCall,
  recorded: RecordedCommand,
): Promise<TradingAnswer> {
  const { accountNumber } = call.caller;
  const { rows } = await database.query<TransferRow>({
    text: 'select * from transfers where transfer_id = $1 and account_number = $2',
    values: [recorded.objectId, accountNumber],
  });
  const row = rows[0];
  const instrument = row === undefined ? undefined : instruments.byNumber(row.instrument_no);
  if (row === undefined || instrument === undefined) throw fail('outcome_unknown');
  const lots = await database.query<{ lot_id: string }>({
    text: `select lot_id from lots where account_number = $1 and instrument_no = $2 and deposited_at_ms = $3
           order by lot_seq`,
    values: [accountNumber, row.instrument_no, row.transferred_at_ms],
  });
  const lotIds = lots.rows.map(({ lot_id: id }) => id);
  return transferAnswer(instrument, {
    transferId: row.transfer_id,
    lotIds,
    quantityUnits: row.quantity_units,
  });
}
