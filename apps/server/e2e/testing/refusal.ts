import { type RawResponse, supplierErrorMark } from '@opengrid/testing';
import { expect } from 'vitest';

/** The body of an error in OpenAI's shape, with the exchange's own member beside it. */
export interface Refusal {
  readonly error: { message: string; type: string; param: string | null; code: string };
  readonly errors: { code: string; message: string; detail: string; context?: Record<string, unknown> };
}

/** A line of a stack trace in any form that Node prints. */
const STACK_LINE = /\bat .{1,200}[:/](\d+):\d+|\.(ts|js):\d+/;

/** Nothing of an error may show how the program is made, or what a supplier said. */
export function expectNothingInside(text: string, secrets: readonly string[] = []): void {
  expect(text).not.toMatch(STACK_LINE);
  expect(text).not.toContain(supplierErrorMark);
  for (const secret of secrets) expect(text).not.toContain(secret);
}

/** The answer is an error of this status and code, in the shape that every error has. */
export function expectRefusal(answer: RawResponse, status: number, code: string): Refusal {
  const body = answer.json as Refusal;
  expect([answer.status, body?.error?.code], answer.text).toEqual([status, code]);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(answer.headers['x-grid-request-id']).toMatch(/^req_[0-9a-hjkmnp-tv-z]{26}$/);
  expect(answer.headers['x-grid-error-code']).toBe(code);
  expect(Object.keys(body).sort()).toEqual(['error', 'errors']);
  expect(body.error.message).toMatch(/^[A-Z'].+\.$/);
  expect(body.error.type).toMatch(/_error$|^insufficient_quota$/);
  expect(body.error).toHaveProperty('param');
  expect(body.errors).toMatchObject({ code, message: body.error.message });
  expectNothingInside(answer.text);
  return body;
}
