import { beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../ports/supply.ts';
import { endpointOf } from '../testing.ts';
import { EndpointHealth } from './endpoint-health.ts';
import { isPrivateAddress } from './private-addresses.ts';

const endpoint: Endpoint = endpointOf({ baseUrl: 'http://127.0.0.1:1', apiKey: 'k' }, { maxConcurrency: 2 });
let health: EndpointHealth;

beforeEach(() => {
  health = new EndpointHealth({ failures: 3, windowMs: 10_000 });
});

function failAt(...timesMs: readonly number[]): void {
  for (const atMs of timesMs) {
    health.start(endpoint);
    health.end(endpoint, 'failure', atMs);
  }
}

describe('EndpointHealth', () => {
  it('opens the circuit at the third failure within ten seconds', () => {
    failAt(0, 11_000, 12_000);
    expect(health.unfitness(endpoint, 12_001)).toBeUndefined();
    failAt(13_000);
    expect(health.unfitness(endpoint, 13_001)).toBe('circuit_open');
    expect(health.unfitness(endpoint, 22_999)).toBe('circuit_open');
    expect(health.unfitness(endpoint, 23_000)).toBeUndefined();
  });

  it('lets one request try a broken endpoint, and closes the circuit when it succeeds', () => {
    failAt(0, 0, 0);
    health.start(endpoint);
    expect(health.unfitness(endpoint, 10_000)).toBe('circuit_open');
    health.end(endpoint, 'success', 10_100);
    failAt(10_200, 10_300);
    expect(health.unfitness(endpoint, 10_400)).toBeUndefined();
  });

  it('stays open when the try fails', () => {
    failAt(0, 0, 0);
    failAt(10_000);
    expect(health.unfitness(endpoint, 19_999)).toBe('circuit_open');
  });

  it('learns from a refusal for load: rests as asked, then takes fewer at once, and recovers', () => {
    const wide = endpointOf({ baseUrl: 'http://127.0.0.1:1', apiKey: 'k' }, { maxConcurrency: 100 });
    for (let index = 0; index < 10; index += 1) health.start(wide);
    health.end(wide, { kind: 'overloaded', restMs: 5_000 }, 1_000);
    expect(health.unfitness(wide, 5_999)).toBe('busy');
    for (let index = 0; index < 3; index += 1) health.end(wide, 'neutral', 2_000);
    expect([health.inFlight(wide), health.unfitness(wide, 6_000)]).toEqual([6, undefined]);
    health.start(wide);
    expect(health.unfitness(wide, 6_000)).toBe('busy');
    for (let index = 0; index < 7; index += 1) health.end(wide, 'success', 7_000);
    for (let index = 0; index < 2; index += 1) {
      health.start(wide);
      health.end(wide, 'success', 7_000);
    }
    for (let index = 0; index < 7; index += 1) health.start(wide);
    expect(health.unfitness(wide, 7_000)).toBeUndefined();
    expect(health.errorRate(wide)).toBe(0);
  });

  it('counts what runs against the declared concurrency', () => {
    health.start(endpoint);
    expect(health.unfitness(endpoint, 0)).toBeUndefined();
    health.start(endpoint);
    expect(health.unfitness(endpoint, 0)).toBe('busy');
    health.end(endpoint, 'neutral', 0);
    expect(health.unfitness(endpoint, 0)).toBeUndefined();
  });
});

describe('isPrivateAddress', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '192.168.0.1',
    '172.31.0.1',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    'not an address',
  ])('keeps %s out', (address) => expect(isPrivateAddress(address)).toBe(true));

  it.each(['1.1.1.1', '172.32.0.1', '2606:4700::1111', '::ffff:1.1.1.1'])('lets %s pass', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });
});
