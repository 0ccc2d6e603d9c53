import { describe, expect, it } from 'vitest';
import { type Lane, Lanes } from './lanes.ts';

/** Runs the jobs of the lanes, queued behind one that is running, and tells the order in which they ran. */
async function orderOf(jobs: readonly Lane[]): Promise<string> {
  const lanes = new Lanes();
  const ran: string[] = [];
  const done = ['query' as const, ...jobs].map((lane) =>
    lanes.run(lane, async () => {
      ran.push(lane === 'commit' ? 'C' : 'q');
    }),
  );
  await Promise.all(done);
  return ran.join('');
}

describe('lanes', () => {
  it('let commits go ahead of queries that came first', async () => {
    expect(await orderOf(['query', 'query', 'commit', 'query', 'commit'])).toBe('qCCqqq');
  });

  it('let a query through after eight commits, so that readers do not starve', async () => {
    const commits = Array.from({ length: 20 }, () => 'commit' as const);
    expect(await orderOf(['query', 'query', 'query', ...commits])).toBe('qCCCCCCCCqCCCCCCCCqCCCCq');
  });

  it('wait for the next commit of a busy sequencer before they turn to the queries', async () => {
    const lanes = new Lanes();
    const ran: string[] = [];
    const commit = (name: string) => lanes.run('commit', async () => void ran.push(name));
    const sequence = async () => {
      for (const name of ['C1', 'C2', 'C3']) {
        await commit(name);
        // Acknowledging a batch and building the next one takes a number of promises, but no event.
        for (let step = 0; step < 10; step += 1) await Promise.resolve();
      }
    };
    const sequencer = sequence();
    const query = lanes.run('query', async () => void ran.push('q'));
    await Promise.all([sequencer, query]);
    expect(ran).toEqual(['C1', 'C2', 'C3', 'q']);
  });

  it('never run two jobs at once, and go on after one that fails', async () => {
    const lanes = new Lanes();
    let running = 0;
    const job = async () => {
      running += 1;
      expect(running).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      throw new Error('failed');
    };
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => lanes.run('query', job)));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(
      outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.message === 'failed'),
    ).toBe(true);
    await lanes.idle();
  });
});
