import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore, type Store } from '../mvcc/index.ts';
import { BackupDamaged, type BackupManifest, directoryFiles, openDatabase, readBackup } from '../storage/index.ts';
import { systemClock } from './system-clock.ts';
import { type BackupProgress, takeInBackup } from './take-in-backup.ts';

export interface VerifiedBackup {
  readonly manifest: BackupManifest;
  readonly keys: number;
  /** Of all kinds: present and past values, changes, leases. */
  readonly records: number;
}

/**
 * Really opens a backup: builds a store of it in a directory of its own in `scratchDir`, which is removed again, opens that
 * and reads all of it. Rejects with `BackupDamaged`.
 */
export async function verifyBackup(
  backup: AsyncIterable<Uint8Array>,
  scratchDir: string,
  onProgress?: BackupProgress,
): Promise<VerifiedBackup> {
  const reader = await readBackup(backup);
  const { manifest, chunks } = reader;
  const directory = await mkdtemp(join(scratchDir, 'balsa-verify-'));
  try {
    const { records } = await takeInBackup(reader, directoryFiles(directory), systemClock, onProgress);
    const database = await openDatabase(join(directory, 'data'), { kind: 'data' });
    try {
      const store = await openStore({
        database,
        groupId: manifest.groupId,
        clock: systemClock,
        bootstrapMembers: [],
        flushIntervalMs: 1000,
        flushChangesMax: 1000,
        flushBytesMax: pageBytesMax,
      });
      try {
        return { manifest, keys: await readKeys(store), records };
      } finally {
        await store.close();
      }
    } finally {
      await database.close();
    }
  } finally {
    await chunks.return();
    await rm(directory, { recursive: true, force: true });
  }
}

async function readKeys(store: Store): Promise<number> {
  const view = store.readView();
  let keys = 0;
  try {
    const options = { limit: 1000, bytesMax: pageBytesMax, keysOnly: false };
    for (let start: Uint8Array | undefined = new Uint8Array(); start !== undefined; ) {
      const page: Awaited<ReturnType<typeof view.page>> = await view.page({ start, end: undefined }, options);
      keys += page.kvs.length;
      start = page.next;
    }
  } finally {
    await view.close();
  }
  if (keys !== store.keyCount) throw new BackupDamaged(`${keys} of its ${store.keyCount} keys can be read`, 0);
  return keys;
}

const pageBytesMax = 4 * 1024 * 1024;
