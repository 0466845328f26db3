import { readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf, StorageRefused } from './errors.ts';
import { isMissing, syncDirectory } from './private-files.ts';

/**
 * Renames a damaged file or directory to `<path>.damaged-<n>`, beside those of earlier times, so that a sound one can
 * take its place and people can still look at it. Resolves with the new name when the rename is durable; with the old
 * one if nothing is there.
 */
export async function setAside(path: string): Promise<string> {
  const directory = dirname(path);
  try {
    const names = new Set(await readdir(directory));
    let number = 1;
    while (names.has(nameAside(path, number))) number++;
    const aside = join(directory, nameAside(path, number));
    await rename(path, aside);
    await syncDirectory(directory);
    return aside;
  } catch (cause) {
    if (isMissing(cause)) return path;
    throw new StorageRefused({
      what: `It is damaged and cannot be renamed (${codeOf(cause) ?? String(cause)}).`,
      where: path,
      advice: 'Give this process the right to write to the directory above it, and start it again.',
      cause,
    });
  }
}

function nameAside(path: string, number: number): string {
  return `${basename(path)}.damaged-${number}`;
}
