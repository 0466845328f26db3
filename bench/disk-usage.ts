import { lstatSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

/** `stat` counts in these, whatever the file system's own blocks are. */
const statBlockBytes = 512;

/** Bytes that the files in a directory take on the disk: files with holes count what is there. */
export function diskUsage(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    // LevelDB and etcd remove files while they are counted.
    const found = lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    bytes += (found?.blocks ?? 0) * statBlockBytes;
  }
  return bytes;
}

export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
