import type { Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { codeOf, StorageRefused } from './errors.ts';

/** Refuses a file or directory that others may read: values, and later password hashes, are in there (CVE-2020-15113). */
export function refuseLooseMode(path: string, stats: Stats): void {
  // Windows has no such bits.
  if ((stats.mode & 0o077) === 0 || process.platform === 'win32') return;
  const wanted = stats.isDirectory() ? '700' : '600';
  throw new StorageRefused({
    what: `Other users of this machine have access to it (mode ${(stats.mode & 0o777).toString(8)}).`,
    where: path,
    advice: `Run: chmod ${wanted} ${path}`,
  });
}

/** Makes the creation, renaming or removal of files in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** True if the error says that the file is not there. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}
