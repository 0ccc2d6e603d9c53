import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Addresses of unix sockets have room for about 100 bytes; the system cuts longer ones without an error. */
const MAX_PATH_BYTES = 100;

/** Where the server of a data folder listens for its operator. */
export function adminSocketPath(dataFolder: string): string {
  return join(dataFolder, 'admin.sock');
}

/** Names the socket by a path that fits into an address: its own, or one through a link that is removed after use. */
export async function withSocketAddress<T>(
  dataFolder: string,
  use: (address: string) => Promise<T>,
): Promise<T> {
  const path = adminSocketPath(dataFolder);
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return use(path);
  const links = await mkdtemp(join(tmpdir(), 'og-cli-'));
  try {
    await symlink(dataFolder, join(links, 'd'));
    return await use(adminSocketPath(join(links, 'd')));
  } finally {
    await rm(links, { recursive: true, force: true });
  }
}
