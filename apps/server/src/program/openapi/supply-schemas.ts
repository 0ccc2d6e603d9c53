import { z } from 'zod';
import {
  answerOf,
  COUNT,
  DIGITS,
  INSTRUMENT_ID,
  INSTRUMENT_MEMBERS,
  INTEGER,
  id,
  MONEY,
  named,
  pageOf,
  TEXT,
  TIME,
  UNIT_DECIMAL,
  UNITS,
} from './parts.ts';

/** What suppliers are shown of the units they issued, and the self-test that every caller may ask for. */

const ISSUANCE = named(
  'Issuance',
  z.strictObject({
    id: id('issuance'),
    issuance_id: id('issuance'),
    issuance_account_id: id('issuance_account'),
    instrument_id: INSTRUMENT_ID,
    instrument_symbol: TEXT,
    quantity: UNITS,
    unit_from: UNITS,
    unit_to: UNITS,
    spec_version: INTEGER,
    status: z.enum(['issued', 'retired']),
    issued_at: TIME,
    created_at: TIME,
  }),
);
export const ISSUANCE_ANSWER = answerOf('Issuance', ISSUANCE);
export const ISSUANCE_PAGE = pageOf('Issuance', ISSUANCE);

export const ISSUANCE_SUMMARY_PAGE = pageOf(
  'IssuanceSummary',
  named(
    'IssuanceSummary',
    z.strictObject({
      ...INSTRUMENT_MEMBERS,
      total_issued: UNITS,
      quantity: UNITS,
      units_available: UNITS,
      units_transferred_to_trading: UNITS,
      units_sold: UNITS,
      units_delivered: UNITS,
      units_retired: UNITS,
    }),
  ),
);

export const RETIREMENT_ANSWER = answerOf(
  'Retirement',
  z.strictObject({
    instrument_id: INSTRUMENT_ID,
    instrument_symbol: TEXT,
    quantity: UNITS,
    units: z.array(z.strictObject({ from: UNITS, to: UNITS })),
    status: z.literal('retired'),
    retired_at: TIME,
  }),
);

export const ISSUANCE_ACCOUNT_PAGE = pageOf(
  'IssuanceAccount',
  named(
    'IssuanceAccount',
    z.strictObject({
      account_id: id('issuance_account'),
      issuance_account_id: id('issuance_account'),
      id: id('issuance_account'),
      user_id: id('user'),
      instrument_id: INSTRUMENT_ID,
      instrument_symbol: TEXT,
      status: z.literal('active'),
      total_issued: DIGITS,
      total_transferred: DIGITS,
      available_balance: DIGITS,
      total_balance: UNITS,
      total_deposits: UNITS,
      total_transferred_to_trading: UNITS,
      total_transfers: COUNT,
      last_deposit_at: TIME.nullable(),
      last_transfer_at: TIME.nullable(),
      created_at: TIME,
      updated_at: TIME,
    }),
  ),
);

export const ISSUANCE_TRANSFER_ANSWER = answerOf(
  'IssuanceTransfer',
  z.strictObject({
    status: z.literal('accepted'),
    message: TEXT,
    transfer_id: id('transfer'),
    id: id('transfer'),
    trading_account_id: id('trading_account'),
    instrument_id: INSTRUMENT_ID,
    quantity: UNITS,
  }),
);

const LIABILITY = named(
  'Liability',
  z.strictObject({
    instrument_id: INSTRUMENT_ID,
    instrument_symbol: TEXT,
    total_liability: UNIT_DECIMAL,
    fulfilled: UNIT_DECIMAL,
    outstanding: UNIT_DECIMAL,
    escrowed_usd: MONEY,
    released_usd: MONEY,
    collateral_usd: MONEY,
  }),
);
export const LIABILITY_ANSWER = answerOf('Liability', LIABILITY);
export const LIABILITY_PAGE = pageOf('Liability', LIABILITY);

const VERDICT = z.enum(['ok', 'warn', 'fail']);

export const DIAGNOSTICS_ANSWER = answerOf(
  'Diagnostics',
  z.strictObject({
    status: VERDICT.meta({ description: 'The worst of the checks.' }),
    service: z.enum(['consumption', 'trading', 'opengrid', 'platform']),
    server_time: TIME,
    checks: z.array(
      z.strictObject({
        name: TEXT,
        status: VERDICT,
        code: TEXT,
        detail: TEXT,
        next_action: z.string().optional(),
      }),
    ),
    summary: z.record(z.string(), z.unknown()),
  }),
);
