import type { Database } from './database.ts';
import { KeySpace } from './key-space.ts';
import type { MemberRecord } from './member-record.ts';
import { decodeMember, decodeRemovedMember } from './members-table.ts';
import { readState, readTable } from './read-tables.ts';

/** What a store says of itself, without being opened. */
export interface StoreFacts {
  readonly appliedIndex: number;
  readonly revision: number;
  readonly keyCount: number;
  /** See `StoreState`. */
  readonly hash: number;
  readonly members: readonly MemberRecord[];
  readonly removedMembers: readonly string[];
}

/** `undefined` if the group has nothing in the database. Rejects with `DamagedValue`. Changes nothing. */
export async function inspectStore(database: Database, groupId: number): Promise<StoreFacts | undefined> {
  const keySpace = new KeySpace(groupId);
  const state = await readState(database, keySpace);
  if (state === undefined) return undefined;
  const { appliedIndex, revision, keyCount, hash } = state;
  return {
    appliedIndex,
    revision,
    keyCount,
    hash,
    members: await readTable(database, keySpace, 'members', decodeMember),
    removedMembers: await readTable(database, keySpace, 'removedMembers', decodeRemovedMember),
  };
}
