import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rename, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Addresses of unix sockets have room for about 100 bytes; longer ones are cut without an error. */
const MAX_PATH_BYTES = 100;

/** Path of the socket in a data folder. */
export function adminSocketPath(dataFolder: string): string {
  return join(dataFolder, 'admin.sock');
}

/**
 * Has `listen` bind the admin socket of a data folder, so that nobody but the owner of the process can ever open it: it is
 * bound in a folder that only the owner may enter, gets its mode there, and is then moved into place, over one that a
 * killed process left. (A umask would do as well, but is that of every thread, the store's included.)
 *
 * @returns removes the socket, unless another process has put its own there since.
 */
export async function placeAdminSocket(
  dataFolder: string,
  listen: (path: string) => Promise<unknown>,
): Promise<() => Promise<void>> {
  const path = adminSocketPath(dataFolder);
  const name = `.admin-${randomBytes(4).toString('hex')}`;
  await mkdir(join(dataFolder, name), { mode: 0o700 });
  try {
    await withShortPath(dataFolder, (folder) => listen(join(folder, name, 's')));
    await chmod(join(dataFolder, name, 's'), 0o600);
    await rename(join(dataFolder, name, 's'), path);
  } finally {
    await rm(join(dataFolder, name), { recursive: true, force: true });
  }
  const { ino } = await stat(path);
  return async () => {
    const current = await stat(path).catch(() => undefined);
    if (current?.ino === ino) await rm(path, { force: true });
  };
}

/** Names a folder by a path that leaves room for a socket: its own, or a link from the folder for temporary files. */
async function withShortPath(folder: string, use: (path: string) => Promise<unknown>): Promise<void> {
  if (Buffer.byteLength(folder) <= MAX_PATH_BYTES - '/.admin-12345678/s'.length) {
    await use(folder);
    return;
  }
  const links = await mkdtemp(join(tmpdir(), 'og-'));
  try {
    await symlink(folder, join(links, 'd'));
    await use(join(links, 'd'));
  } finally {
    await rm(links, { recursive: true, force: true });
  }
}
