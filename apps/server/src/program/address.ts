import { createServer } from 'node:net';

/**
 * Listens for a moment. A start that cannot have its address must fail before it takes the writer's lease away from the
 * process that has both.
 * @throws what `listen` fails with, such as EADDRINUSE.
 */
export async function assertAddressFree({ host, port }: { host: string; port: number }): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen({ host, port, exclusive: true }, resolve);
  });
  await new Promise<void>((resolve) => probe.close(() => resolve()));
}
