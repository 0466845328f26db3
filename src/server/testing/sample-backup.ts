import { MemoryLevel } from 'memory-level';
import { openExport } from '../../mvcc/index.ts';
import { openTestStore, put } from '../../mvcc/testing/test-store.ts';
import type { Database } from '../../storage/index.ts';
import { writeBackup } from '../../storage/index.ts';
import { groupId } from '../group.ts';

/** A backup, as a member would write it, of a store with so many keys and values of so many bytes. */
export async function sampleBackup({ keys, valueBytes = 10 }: { keys: number; valueBytes?: number }): Promise<Buffer> {
  const database: Database = new MemoryLevel({ keyEncoding: 'buffer', valueEncoding: 'buffer' });
  const { store, apply } = await openTestStore(database, { groupId });
  for (let i = 0; i < keys; i++) await apply(put(`key/${i}`, Buffer.alloc(valueBytes, `${i} `)));
  await store.flush();
  const exported = await openExport(database, groupId);
  const { appliedIndex, revision, compactRevision, keyCount, hash, bytesExpected, members } = exported;
  const frames: Buffer[] = [];
  const manifest = {
    clusterId: 'cdf818194e3a8c32',
    groupId,
    appliedIndex,
    term: 1,
    revision,
    compactRevision,
    keyCount,
    stateHash: hash,
    bytesExpected,
    configuration: {
      voters: members.map(({ id }) => id),
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    },
    members: members.map(({ id, name }) => ({ id, name })),
    createdBy: '0.1.0',
  };
  for await (const frame of writeBackup(exported, manifest)) frames.push(frame);
  await exported.close();
  await store.close();
  await database.close();
  return Buffer.concat(frames);
}
