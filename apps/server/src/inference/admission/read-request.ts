import type { IncomingHttpHeaders } from 'node:http';
import {
  type DialectName,
  dialects,
  estimateInputTokens,
  fitToInstrument,
  type GridError,
  gridError,
  type InferenceRequest,
  parsePriceTicks,
  type Result,
} from '@opengrid/wire';
import type { Instrument, InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { Caller } from '../../ports/identity.ts';
import { formatTokens } from '../metering/input-text.ts';

/** A request that its instrument can serve, and what its headers asked for. */
export interface ReadRequest {
  readonly request: InferenceRequest;
  readonly instrument: Instrument;
  readonly inputTokens: number;
  readonly maxPriceTicks: number | null;
  readonly headers: Readonly<Record<string, string>>;
}

const LONGEST_NAME = 64;

function refuse(error: GridError): { ok: false; error: GridError } {
  return { ok: false, error };
}

/** Reads body and headers of a request in its dialect. Errors: those of the wire, and of model, price and length. */
export function readRequest(
  source: { dialect: DialectName; body: Uint8Array; headers: IncomingHttpHeaders },
  caller: Caller,
  instruments: InstrumentCatalogue,
): Result<ReadRequest> {
  const strictParams = source.headers['x-grid-strict-params'] === 'true';
  const parsed = dialects[source.dialect].readRequest(source.body, { strictParams });
  if (!parsed.ok) return parsed;
  const found = findInstrument(parsed.value.model ?? caller.defaultInstrument, instruments);
  if (!found.ok) return found;
  const price = readMaxPrice(source.headers['x-grid-max-price']);
  if (!price.ok) return price;
  return fit(parsed.value, found.value, price.value);
}

function findInstrument(model: string | null, instruments: InstrumentCatalogue): Result<Instrument> {
  if (model === null) {
    const message = "'model' is required: name an instrument, such as text-standard.";
    return refuse(gridError('invalid_request', { param: 'model', message }));
  }
  const instrument = instruments.find(model);
  if (instrument !== undefined && instrument.status !== 'inactive') return { ok: true, value: instrument };
  const message = `No instrument named '${model.slice(0, LONGEST_NAME)}'.`;
  return refuse(gridError('model_not_found', { param: 'model', message }));
}

function readMaxPrice(header: string | string[] | undefined): Result<number | null> {
  if (header === undefined) return { ok: true, value: null };
  const ticks = parsePriceTicks(header);
  if (ticks !== undefined && ticks > 0) return { ok: true, value: ticks };
  const message = "'x-grid-max-price' must be a price in USD per unit with at most 4 decimals.";
  return refuse(gridError('invalid_request', { param: 'x-grid-max-price', message }));
}

function fit(
  request: InferenceRequest,
  instrument: Instrument,
  maxPriceTicks: number | null,
): Result<ReadRequest> {
  const { specification } = instrument;
  const fitted = fitToInstrument(request, {
    maxOutputTokens: specification.maxOutputTokens,
    images: specification.acceptsImages,
    temperature: specification.acceptsTemperature,
    efforts: specification.reasoningEfforts,
    reasoningToggle: specification.hasReasoningToggle,
  });
  if (!fitted.ok) return fitted;
  const inputTokens = estimateInputTokens(request) + formatTokens(request);
  const limit = specification.maxInputTokens;
  if (inputTokens > limit) {
    const message = `The input is about ${inputTokens} tokens; this instrument accepts ${limit}.`;
    const context = { limit, estimated: inputTokens };
    return refuse(gridError('context_length_exceeded', { param: 'messages', message, context }));
  }
  const { effectiveEffort, loweredOutputLimit } = fitted.value;
  const headers = {
    'x-grid-instrument': instrument.symbol,
    'x-grid-spec-version': String(instrument.specVersion),
    ...(effectiveEffort === undefined ? {} : { 'x-grid-effective-effort': effectiveEffort }),
    ...(loweredOutputLimit === undefined ? {} : { 'x-grid-output-limit': String(loweredOutputLimit) }),
  };
  return {
    ok: true,
    value: { request: fitted.value.request, instrument, inputTokens, maxPriceTicks, headers },
  };
}
