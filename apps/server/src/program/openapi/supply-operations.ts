import { z } from 'zod';
import type { Operation } from './operation.ts';
import { paging, texts } from './queries.ts';
import {
  ISSUANCE_ACCOUNT_PAGE,
  ISSUANCE_ANSWER,
  ISSUANCE_PAGE,
  ISSUANCE_SUMMARY_PAGE,
  ISSUANCE_TRANSFER_ANSWER,
  LIABILITY_ANSWER,
  LIABILITY_PAGE,
  RETIREMENT_ANSWER,
} from './supply-schemas.ts';

const READ = { method: 'GET', tag: 'Supply', access: 'signature', errors: 'trading' } as const;
const CHANGE = { method: 'POST', tag: 'Supply', access: 'signed change', errors: 'trading' } as const;
const STANDING = ['supplier_not_approved', 'supplier_suspended'] as const;
const BAD_LIST = ['validation_failed', 'invalid_cursor'] as const;

/** Lists with a row an instrument are in the order of the instruments, and in no other. */
const rowsOf = (...fields: readonly string[]) =>
  z.object({ ...texts(...fields), ...paging({ orderBy: ['created_at'] }) }).omit({
    order_by: true,
    order_direction: true,
  });

/** Routes of suppliers. */
export const SUPPLY_OPERATIONS: readonly Operation[] = [
  {
    ...CHANGE,
    id: 'issueUnits',
    path: '/v1/supply-issuances',
    summary: 'Issues units',
    example: { instrument_id: 'text-standard', quantity: 100 },
    answers: { 201: { description: 'The issuance.', schema: ISSUANCE_ANSWER } },
    codes: [...STANDING, 'instrument_not_found', 'issuance_limit_exceeded'],
  },
  {
    ...READ,
    id: 'listIssuances',
    path: '/v1/supply-issuances',
    summary: 'Units issued',
    query: z.object({ ...texts('instrument_id', 'status'), ...paging({ orderBy: ['issued_at'] }) }),
    answers: { 200: { description: 'Issuances, newest first.', schema: ISSUANCE_PAGE } },
    codes: [...STANDING, ...BAD_LIST],
  },
  {
    ...READ,
    id: 'summariseIssuances',
    path: '/v1/supply-issuances/summary',
    summary: 'Where the issued units are',
    query: rowsOf('instrument_id'),
    answers: { 200: { description: 'A row an instrument.', schema: ISSUANCE_SUMMARY_PAGE } },
    codes: [...STANDING, ...BAD_LIST],
  },
  {
    ...CHANGE,
    id: 'retireUnits',
    path: '/v1/supply-issuances/retire',
    summary: 'Retires unsold units that are still in issuance',
    example: { instrument_id: 'text-standard', quantity: 100 },
    answers: { 200: { description: 'What was retired.', schema: RETIREMENT_ANSWER } },
    codes: [...STANDING, 'instrument_not_found', 'insufficient_balance'],
  },
  {
    ...READ,
    id: 'listIssuanceAccounts',
    path: '/v1/issuance-accounts',
    summary: 'Units that are not in trading yet',
    query: rowsOf('instrument_id', 'account_id', 'status'),
    answers: { 200: { description: 'A row an instrument.', schema: ISSUANCE_ACCOUNT_PAGE } },
    codes: [...STANDING, ...BAD_LIST],
  },
  {
    ...CHANGE,
    id: 'transferIssuedUnits',
    path: '/v1/issuance-accounts/transfer',
    summary: 'Moves issued units to trading',
    example: { instrument_id: 'text-standard', quantity: 100 },
    answers: { 202: { description: 'They are there at once.', schema: ISSUANCE_TRANSFER_ANSWER } },
    codes: [...STANDING, 'instrument_not_found', 'insufficient_balance', 'account_not_found'],
  },
  {
    ...READ,
    id: 'listLiabilities',
    path: '/v1/supplier-liability',
    summary: 'Units sold, delivered and owed, and their escrow',
    query: rowsOf('instrument_id'),
    answers: { 200: { description: 'A row an instrument.', schema: LIABILITY_PAGE } },
    codes: [...STANDING, ...BAD_LIST],
  },
  {
    ...READ,
    id: 'getLiability',
    path: '/v1/supplier-liability/{instrument_id}',
    summary: 'The same of one instrument',
    answers: { 200: { description: 'The figures.', schema: LIABILITY_ANSWER } },
    codes: [...STANDING, 'instrument_not_found'],
  },
];
