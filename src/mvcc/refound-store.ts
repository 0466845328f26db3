import { assert } from '../base/assert.ts';
import { DamagedValue } from './damaged-value.ts';
import type { Database } from './database.ts';
import { mixHash } from './draft.ts';
import { KeySpace, type TableName } from './key-space.ts';
import type { MemberRecord } from './member-record.ts';
import {
  decodeMember,
  decodeRemovedMember,
  encodeMember,
  encodeRemovedMember,
  memberKey,
  removedMemberKey,
} from './members-table.ts';
import { readState, readTable } from './read-tables.ts';
import { sealOf } from './sealed.ts';
import { encodeState, type StoreState, stateKey } from './store-state.ts';

export interface RefoundOptions {
  /** Of the new cluster. */
  readonly members: readonly MemberRecord[];
  /** By how much the revision rises: more than was ever told after this state was taken. At least 1. */
  readonly bumpRevision: number;
}

/**
 * Makes the state of one cluster that of a new one. Keys, values and leases stay, with their revisions; the members are
 * others, and the old ones count as removed, so that none of them can ever come back with its id. The revision rises and
 * everything before it is compacted (as `etcdutl snapshot restore --bump-revision --mark-compacted`): who watches or reads
 * on from a revision of before has to begin again, whatever it has seen.
 *
 * The result depends on nothing else, so every member of the new cluster comes to the same state and the same hash. The
 * store must not be open; a crash leaves rubbish.
 */
export async function refoundStore(database: Database, groupId: number, options: RefoundOptions): Promise<StoreState> {
  const { members, bumpRevision } = options;
  assert(Number.isSafeInteger(bumpRevision) && bumpRevision >= 1, () => `a revision cannot rise by ${bumpRevision}`);
  const keySpace = new KeySpace(groupId);
  const key = stateKey(keySpace).bytes;
  const state = await readState(database, keySpace);
  if (state === undefined) throw new DamagedValue(key, 'it is missing');
  const oldMembers = await readTable(database, keySpace, 'members', decodeMember);
  const removed = new Set(await readTable(database, keySpace, 'removedMembers', decodeRemovedMember));
  for (const { id } of oldMembers) if (members.every((member) => member.id !== id)) removed.add(id);
  for (const { id } of members) assert(!removed.has(id), () => `the id ${id} belonged to a member that was removed`);
  await clearTables(database, keySpace, ['history', 'changes', 'alarms', 'members']);

  const revision = state.revision + bumpRevision;
  assert(Number.isSafeInteger(revision), () => `the revision would be ${revision}`);
  const batch = database.batch();
  let hash = mixHash(state.hash, revision % 2 ** 32);
  const put = (recordKey: Buffer, record: Buffer): void => {
    batch.put(recordKey, record);
    hash = mixHash(hash, sealOf(record));
  };
  for (const id of [...removed].sort()) {
    const { bytes } = removedMemberKey(keySpace, id);
    put(bytes, encodeRemovedMember(bytes));
  }
  for (const member of [...members].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const { bytes } = memberKey(keySpace, member.id);
    put(bytes, encodeMember(bytes, member));
  }
  const refounded: StoreState = {
    ...state,
    revision,
    compactRevision: revision,
    removedRevision: revision,
    compactedBytes: state.historyBytes,
    hash,
  };
  batch.put(key, encodeState(key, refounded));
  await batch.write(synced);
  return refounded;
}

/** With writes that are synced, which `clear` cannot do: a loss of power could take some of its deletions back later. */
async function clearTables(database: Database, keySpace: KeySpace, tables: readonly TableName[]): Promise<void> {
  for (const table of tables) {
    const { gte, lt } = keySpace.wholeTable(table);
    const iterator = database.keys({ gte: gte.bytes, lt: lt.bytes });
    try {
      for (let keys = await iterator.nextv(sliceKeys); keys.length > 0; keys = await iterator.nextv(sliceKeys)) {
        const batch = database.batch();
        for (const key of keys) batch.del(key);
        await batch.write(synced);
      }
    } finally {
      await iterator.close();
    }
  }
}

const sliceKeys = 10_000;

/** An option of LevelDB's that `abstract-level` passes on. */
const synced = { sync: true };
