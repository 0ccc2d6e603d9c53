import { formatMoneyMicros } from '@opengrid/wire';
import type { Instrument } from '../../ports/catalogue.ts';
import type { SequencerStatus } from '../../sequencer/types.ts';
import type { AccountBalances } from '../accounts/balances.ts';
import { type Check, failure, okCheck, warning } from './check.ts';

/** Checks that both kinds of credential share. */

export function usdCheck(name: string, { usd }: AccountBalances): Check {
  const available = formatMoneyMicros(usd.availableMicros);
  if (usd.availableMicros > 0) return okCheck(name, 'usd_available', `${available} USD can be spent.`);
  const next = 'Add USD, or move units that you have to consumption.';
  return warning(name, 'usd_empty', { detail: 'There is no USD to spend.', next });
}

/** Which of the instruments that are offered cannot be had at the moment. */
export function unavailable(
  instruments: readonly Instrument[],
  isAvailable: (instrument: Instrument) => boolean,
): string[] {
  const offered = instruments.filter(({ status }) => status !== 'inactive');
  return offered.filter((instrument) => !isAvailable(instrument)).map(({ symbol }) => symbol);
}

export function listCheck(
  name: string,
  missing: readonly string[],
  texts: { ok: [code: string, detail: string]; bad: [code: string, detail: string]; next: string },
): Check {
  if (missing.length === 0) return okCheck(name, ...texts.ok);
  const [code, detail] = texts.bad;
  return warning(name, code, { detail: `${detail} ${missing.join(', ')}.`, next: texts.next });
}

export function engineCheck({ isAccepting }: Pick<SequencerStatus, 'isAccepting'>): Check {
  const name = 'engine';
  if (isAccepting) return okCheck(name, 'engine_ready', 'The exchange takes commands.');
  const next = 'Wait a moment and try again; nothing is lost.';
  return failure(name, 'engine_unavailable', { detail: 'The exchange takes no commands now.', next });
}
