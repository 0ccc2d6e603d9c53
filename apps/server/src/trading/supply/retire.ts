import { formatIso } from '@opengrid/wire';
import type { Committed } from '../../sequencer/types.ts';
import type { RecordedCommand } from '../auth/replays.ts';
import { recordedOf, refusal, submit } from '../engine.ts';
import {
  fail,
  ok,
  parseBody,
  type TradingAnswer,
  type TradingCall,
  type TradingRoute,
} from '../http/route.ts';
import { TRANSFER } from '../transfers/to-consumption.ts';
import { marketOf, type SupplyDeps, standing, WRITE } from './standing.ts';

interface Run {
  readonly from: number;
  readonly to: number;
}

/** Takes unsold units that are still in issuance out of the world, newest serials first. */
export function retireRoute(deps: SupplyDeps): TradingRoute {
  return {
    ...WRITE,
    path: '/supply-issuances/retire',
    body: TRANSFER,
    handle: (call) => retire(deps, call),
    replay: (call, recorded) => replayRetire(deps, call, recorded),
  };
}

async function retire(deps: SupplyDeps, call: TradingCall): Promise<TradingAnswer> {
  standing(deps, call);
  const { instrument_id: reference, quantity } = parseBody(TRANSFER, call.body);
  const instrument = marketOf(deps, reference);
  const { accountNumber: account } = call.caller;
  const command = {
    kind: 'retire_issued',
    account,
    instrument: instrument.instrumentNo,
    quantityUnits: quantity,
  } as const;
  const result = await submit(deps.sequencer, call, { command });
  if (!result.ok) throw refusal(result, instrument);
  const answer = retireAnswer(deps, { no: instrument.instrumentNo, runs: runsOf(result), atMs: result.atMs });
  return { ...answer, recorded: recordedOf(result) };
}

function runsOf({ outcome }: Committed): Run[] {
  return outcome.events.flatMap((event) =>
    event.type === 'retired' ? [{ from: event.unitFrom, to: event.unitTo }] : [],
  );
}

function retireAnswer(
  { instruments }: SupplyDeps,
  { no, runs, atMs }: { no: number; runs: readonly Run[]; atMs: number },
): TradingAnswer {
  const instrument = instruments.byNumber(no)!;
  return ok({
    instrument_id: instrument.instrumentId,
    instrument_symbol: instrument.symbol,
    quantity: runs.reduce((sum, { from, to }) => sum + to - from + 1, 0),
    units: [...runs].sort((a, b) => a.from - b.from),
    status: 'retired',
    retired_at: formatIso(atMs),
  });
}

/** A copy of a retirement: the runs that its command took. */
async function replayRetire(
  deps: SupplyDeps,
  call: TradingCall,
  recorded: RecordedCommand,
): Promise<TradingAnswer> {
  standing(deps, call);
  const { rows } = await deps.database.query<Run & { no: number }>({
    text: `select instrument_no as no, unit_from as "from", unit_to as "to" from retirements
           where command_seq = $1 and account_number = $2`,
    values: [recorded.commandSeq, call.caller.accountNumber],
  });
  if (rows[0] === undefined) throw fail('outcome_unknown');
  const runs = rows.map(({ from, to }) => ({ from, to }));
  return retireAnswer(deps, { no: rows[0].no, runs, atMs: recorded.atMs });
}
