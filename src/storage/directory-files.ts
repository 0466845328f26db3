import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from './database.ts';
import { codeOf, StorageRefused } from './errors.ts';
import { openDatabase } from './open-database.ts';
import { isMissing, syncDirectory } from './private-files.ts';
import type { ReceiptStore } from './receipt.ts';
import { openReceiptFile } from './receipt-file.ts';
import { setAside } from './set-aside.ts';

/** A member's state on the disk; see `StateFiles` of the replica. */
export interface DirectoryFiles {
  openDatabase(kind: 'log' | 'data'): Promise<Database>;
  openReceipts(): Promise<ReceiptStore>;
  setAside(what: 'log' | 'data' | 'receipt'): Promise<string>;
  openIncoming(how: 'fresh' | 'found'): Promise<Database>;
  discardIncoming(): Promise<void>;
  switchData(): Promise<void>;
}

/**
 * `log/`, `data/` and `receipt` in a member's data directory, and beside them while a snapshot comes in and takes the
 * place of what was there:
 *
 *     data.incoming/  what comes      ─┐ 2. renamed
 *     data/           what is in use ◀─┘
 *        └─ 1. renamed ─▶ data.replaced/  3. removed
 */
export function directoryFiles(dataDir: string): DirectoryFiles {
  const at = (name: string): string => join(dataDir, name);
  return {
    openDatabase: (kind) => openDatabase(at(kind), { kind }),
    openReceipts: () => openReceiptFile(at('receipt')),
    setAside: (what) => setAside(at(what)),
    openIncoming: async (how) => {
      if (how === 'fresh') await remove(at(incoming));
      return await openDatabase(at(incoming), { kind: 'data' });
    },
    discardIncoming: async () => {
      await remove(at(incoming));
      await remove(at(replaced));
    },
    switchData: async () => {
      await remove(at(replaced));
      await move(at('data'), at(replaced), dataDir);
      await move(at(incoming), at('data'), dataDir);
      await remove(at(replaced));
    },
  };
}

/** A crash on the way leaves a rest, which nobody opens: it is removed by the next one. */
async function remove(path: string): Promise<void> {
  await changing(path, rm(path, { recursive: true, force: true }));
}

/** Harmless if nothing is there: an attempt that was cut off had come so far. */
async function move(from: string, to: string, directory: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (reason) {
    if (!isMissing(reason)) throw cannotChange(from, reason);
  }
  await changing(directory, syncDirectory(directory));
}

async function changing(path: string, change: Promise<void>): Promise<void> {
  try {
    await change;
  } catch (reason) {
    throw cannotChange(path, reason);
  }
}

function cannotChange(path: string, cause: unknown): StorageRefused {
  return new StorageRefused({
    what: `It cannot be renamed or removed (${codeOf(cause) ?? String(cause)}).`,
    where: path,
    advice: 'Give this process the right to write to the data directory, and start it again.',
    cause,
  });
}

const incoming = 'data.incoming';
const replaced = 'data.replaced';
