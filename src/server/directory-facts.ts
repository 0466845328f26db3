import { join } from 'node:path';
import { inspectStore } from '../mvcc/index.ts';
import { isRebuildCutOff, openDatabase, readIdentity } from '../storage/index.ts';
import { groupId } from './group.ts';

/** Whose data directory it is, and how the others reach that member, as far as the directory knows. */
export interface DirectoryFacts {
  readonly clusterId: string;
  readonly memberId: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** The members of the cluster, this one too. */
  readonly members: readonly KnownMember[];
}

export interface KnownMember {
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
}

/** Undefined if nothing is there, or a rebuilding of it was cut off. Changes nothing. Rejects with `StorageInUse` while the member runs. */
export async function directoryFacts(dataDir: string): Promise<DirectoryFacts | undefined> {
  if (await isRebuildCutOff(dataDir)) return undefined;
  const identity = await readIdentity(dataDir);
  if (identity === undefined) return undefined;
  const database = await openDatabase(join(dataDir, 'data'), { kind: 'data' });
  try {
    const members = (await inspectStore(database, groupId))?.members ?? [];
    const { clusterId, memberId } = identity;
    const self = members.find(({ id }) => id === memberId);
    return { clusterId, memberId, name: self?.name || identity.name, peerUrls: self?.peerUrls ?? [], members };
  } finally {
    await database.close();
  }
}
