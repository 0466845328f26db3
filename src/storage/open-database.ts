import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Level } from 'level';
import type { Database } from './database.ts';
import {
  codeOf,
  DamagedStorage,
  damageAdvice,
  laterDamageAdvice,
  StorageInUse,
  StorageRefused,
  unreadable,
} from './errors.ts';
import { type Inspection, inspectDirectory } from './inspect-directory.ts';
import { refuseLooseMode, syncDirectory } from './private-files.ts';

export interface DatabaseOptions {
  /** `log`: written once, read once, small values already checksummed: no compression. `data`: the store's tables. */
  readonly kind: 'log' | 'data';
  /** Also the size of LevelDB's journal, which is read at open, and about what LevelDB keeps in memory, twice. */
  readonly writeBufferBytes?: number;
  /** Uncompressed table blocks kept in memory. */
  readonly cacheBytes?: number;
  /** LevelDB maps the tables that it has open: so many of that size count as this process's memory. */
  readonly maxOpenFiles?: number;
  readonly tableBytes?: number;
}

const defaults = {
  // The log is read through at every start, and then hardly ever: what stays mapped of it should be little (74 files, 64 of
  // them tables, are the least that LevelDB takes). A list of everything maps as much of the store as may stay open; a read
  // of a table that is not open costs some 25 µs more.
  log: { writeBufferBytes: 4 * 2 ** 20, cacheBytes: 2 ** 20, maxOpenFiles: 74, tableBytes: 2 ** 19 },
  data: { writeBufferBytes: 8 * 2 ** 20, cacheBytes: 8 * 2 ** 20, maxOpenFiles: 74, tableBytes: 2 ** 19 },
} as const;

/**
 * Opens a LevelDB directory, or makes it, with everything around it that LevelDB does not check itself: the files are
 * read before LevelDB touches them, and what LevelDB reports only to its own `LOG` counts as damage.
 *
 * Rejects with `DamagedStorage`, `StorageInUse`, or `StorageRefused`.
 */
export async function openDatabase(directory: string, options: DatabaseOptions): Promise<Database> {
  await ensurePrivateDirectory(directory);
  let inspection: Inspection;
  try {
    inspection = await inspectDirectory(directory);
  } catch (reason) {
    // A database that another process is writing to may look damaged.
    if (await isLocked(directory)) throw inUse(directory, reason);
    throw reason;
  }
  const level = await openLevel(directory, options);
  const report = await readOwnLog(directory, inspection);
  if (report === undefined) return level;
  await level.close();
  throw report;
}

/** Makes the directory readable for its owner only; one that is there has to be so already. */
export async function ensurePrivateDirectory(directory: string): Promise<void> {
  try {
    const created = await mkdir(directory, { recursive: true, mode: 0o700 });
    if (created !== undefined) return await syncDirectory(dirname(created));
  } catch (cause) {
    throw new StorageRefused({
      what: `The directory cannot be made (${codeOf(cause) ?? String(cause)}).`,
      where: directory,
      advice: 'Name a directory that this process may write to.',
      cause,
    });
  }
  refuseLooseMode(directory, await stat(directory));
}

async function openLevel(directory: string, options: DatabaseOptions): Promise<Level<Buffer, Buffer>> {
  const { kind } = options;
  const level = new Level<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    compression: kind !== 'log',
    writeBufferSize: options.writeBufferBytes ?? defaults[kind].writeBufferBytes,
    cacheSize: options.cacheBytes ?? defaults[kind].cacheBytes,
    maxOpenFiles: options.maxOpenFiles ?? defaults[kind].maxOpenFiles,
    maxFileSize: options.tableBytes ?? defaults[kind].tableBytes,
  });
  try {
    await level.open();
    return level;
  } catch (reason) {
    const code = codeOf(reason);
    if (code === 'LEVEL_LOCKED') throw inUse(directory, reason);
    if (code === 'LEVEL_CORRUPTION') {
      const what = `LevelDB finds the database damaged (${describe(reason)}).`;
      throw new DamagedStorage({ what, where: directory, advice: damageAdvice, cause: reason });
    }
    throw new StorageRefused({
      what: `LevelDB cannot open the database (${describe(reason)}).`,
      where: directory,
      advice: 'Check the disk, its free space and the rights of this process, and start it again.',
      cause: reason,
    });
  }
}

/** LevelDB looks for its lock first, so an open that must not find a database says whether it is locked, and no more. */
async function isLocked(directory: string): Promise<boolean> {
  const level = new Level(directory);
  try {
    await level.open({ createIfMissing: false, errorIfExists: true });
    await level.close();
    return false;
  } catch (reason) {
    return codeOf(reason) === 'LEVEL_LOCKED';
  }
}

/** What LevelDB skipped while it opened: anything but the end of a journal that was seen to be torn. */
async function readOwnLog(directory: string, { tornJournals }: Inspection): Promise<Error | undefined> {
  const path = join(directory, 'LOG');
  let text: string;
  try {
    text = await readFile(path, 'latin1');
  } catch (reason) {
    return unreadable(path, reason);
  }
  const skipped = text.split('\n').filter((line) => /dropping|ignoring error|corruption/i.test(line));
  const unexpected = skipped.filter((line) => !tornJournals.some((name) => line.includes(`/${name}: dropping`)));
  if (unexpected.length === 0) return undefined;
  return new DamagedStorage({
    what: `LevelDB skipped data while it opened: ${unexpected.slice(0, 3).join('; ').slice(0, 1000)}`,
    where: path,
    advice: laterDamageAdvice,
  });
}

function inUse(directory: string, cause: unknown): StorageInUse {
  return new StorageInUse({
    what: 'Another process has this database open.',
    where: directory,
    advice: 'Stop it first, or give this member a data directory of its own.',
    cause,
  });
}

/** The innermost message: classic-level wraps LevelDB's into one that says only that the database is not open. */
function describe(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason);
  return reason.cause === undefined ? reason.message : describe(reason.cause);
}
