import { parseInstrumentReference, parseMarketReference, type Reference } from '@opengrid/wire';
import type { Instrument, InstrumentCatalogue } from '../ports/catalogue.ts';
import type { Database } from '../store/database.ts';
import { SHIPPED_INSTRUMENTS, type ShippedInstrument } from './instrument-table.ts';
import { instrumentIdOf, marketIdOf } from './uuid.ts';

const INSERT = `
  insert into instruments (instrument_no, instrument_id, market_id, symbol, name, family, tier, stage, status,
    spec_version, specification, created_at_ms, updated_at_ms)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
  on conflict do nothing`;

const SELECT = `
  select instrument_no as "instrumentNo", instrument_id as "instrumentId", market_id as "marketId", symbol, name,
    family, tier, stage, status, spec_version as "specVersion", specification,
    created_at_ms as "createdAtMs", updated_at_ms as "updatedAtMs"
  from instruments order by instrument_no`;

function rowOf(shipped: ShippedInstrument, nowMs: number): unknown[] {
  const { instrumentNo, symbol, name, family, tier, stage, status, specification } = shipped;
  const ids = [instrumentNo, instrumentIdOf(symbol), marketIdOf(symbol)];
  return [...ids, symbol, name, family, tier, stage, status, 1, JSON.stringify(specification), nowMs];
}

/** Inserts the shipped instruments that the store does not have yet. What an operator has changed stays. */
export async function seedInstruments(database: Database, nowMs: number): Promise<void> {
  await database.transaction(async (tx) => {
    for (const shipped of SHIPPED_INSTRUMENTS) {
      await tx.query({ text: INSERT, values: rowOf(shipped, nowMs) });
    }
  });
}

/** Seeds what is missing and reads the catalogue into memory. */
export async function loadCatalogue(database: Database, nowMs = Date.now()): Promise<InstrumentCatalogue> {
  await seedInstruments(database, nowMs);
  const { rows } = await database.query<Instrument>({ text: SELECT });
  return catalogueOf(rows);
}

function uuidPart(id: string): string {
  return id.slice(id.indexOf('-') + 1);
}

/** A catalogue of the given instruments. */
export function catalogueOf(instruments: readonly Instrument[]): InstrumentCatalogue {
  const bySymbol = new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
  const byNo = new Map(instruments.map((instrument) => [instrument.instrumentNo, instrument]));
  const byInstrumentUuid = new Map(instruments.map((entry) => [uuidPart(entry.instrumentId), entry]));
  const byMarketUuid = new Map(instruments.map((entry) => [uuidPart(entry.marketId), entry]));
  const resolve = (reference: Reference | undefined, byUuid: ReadonlyMap<string, Instrument>) => {
    if (reference === undefined) return undefined;
    return reference.kind === 'uuid' ? byUuid.get(reference.uuid) : bySymbol.get(reference.symbol);
  };
  return {
    find: (reference) =>
      resolve(parseInstrumentReference(reference), byInstrumentUuid) ??
      resolve(parseMarketReference(reference), byMarketUuid),
    byNumber: (instrumentNo) => byNo.get(instrumentNo),
    list: () => instruments,
  };
}
