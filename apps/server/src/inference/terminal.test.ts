import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Terminal, type TerminalState } from './terminal.ts';

const STATES: readonly TerminalState[] = [
  'completed',
  'client_gone',
  'supplier_error',
  'timeout',
  'gateway_error',
];

describe('Terminal', () => {
  it('keeps the first end, whatever comes after it', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...STATES), { minLength: 1 }), (ends) => {
        const terminal = new Terminal();
        const accepted = ends.map((state) => terminal.end(state));
        expect(accepted.filter(Boolean)).toHaveLength(1);
        expect(accepted[0]).toBe(true);
        expect(terminal.state).toBe(ends[0]);
        expect(terminal.beginSettlement()).toBe(ends[0]);
      }),
    );
  });

  it('is settled once, after its end', () => {
    const terminal = new Terminal();
    expect(() => terminal.beginSettlement()).toThrow();
    expect(() => terminal.settled()).toThrow();
    terminal.end('completed');
    expect(() => terminal.correct('client_gone')).toThrow();
    terminal.beginSettlement();
    expect(() => terminal.beginSettlement()).toThrow();
    expect(terminal.correct('client_gone')).toBe('client_gone');
    terminal.settled();
    expect([terminal.isSettled, terminal.state]).toEqual([true, 'client_gone']);
    expect(() => terminal.settled()).toThrow();
    expect(terminal.end('timeout')).toBe(false);
  });
});
