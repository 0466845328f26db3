import { assert } from '../base/assert.ts';
import { decodeAlarm } from './alarms-table.ts';

import { decodeClusterVersion, firstClusterVersion } from './cluster-version.ts';
import { KeySpace } from './key-space.ts';
import { decodeLease } from './lease-table.ts';
import { decodeMember, decodeRemovedMember, encodeMember, memberKey } from './members-table.ts';
import { createStore } from './mvcc-store.ts';
import { readState, readTable } from './read-tables.ts';
import type { Store, StoreOptions } from './store.ts';
import { emptyState, encodeState, type StoreState, stateKey } from './store-state.ts';

/**
 * Opens the store of a group, or creates it with the members it starts with. Rejects with `DamagedValue` if what is
 * there is damaged or has lost its beginning, with `UnknownFormat` if newer software wrote it.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { database, groupId } = options;
  assert(Number.isInteger(groupId) && groupId >= 0 && groupId < 2 ** 32, `a group id is a u32, not ${groupId}`);
  assert(
    options.flushIntervalMs >= 0 && options.flushChangesMax >= 1,
    'a flush needs an interval and at least one change',
  );
  await database.open();
  assert(database.keyEncoding().commonName === 'buffer', 'the store needs a database with keys as buffers');
  assert(database.valueEncoding().commonName === 'buffer', 'the store needs a database with values as buffers');

  const keySpace = new KeySpace(groupId);
  const state = (await readState(database, keySpace)) ?? (await create(options, keySpace));
  return createStore(options, {
    keySpace,
    state,
    members: await readTable(database, keySpace, 'members', decodeMember),
    clusterVersion:
      (await readTable(database, keySpace, 'clusterVersion', decodeClusterVersion))[0] ?? firstClusterVersion,
    removedMembers: await readTable(database, keySpace, 'removedMembers', decodeRemovedMember),
    leases: await readTable(database, keySpace, 'leases', decodeLease),
    corruptMembers: await readTable(database, keySpace, 'alarms', decodeAlarm),
  });
}

async function create(options: StoreOptions, keySpace: KeySpace): Promise<StoreState> {
  const batch = options.database.batch();
  for (const member of options.bootstrapMembers) {
    const key = memberKey(keySpace, member.id).bytes;
    batch.put(key, encodeMember(key, member));
  }
  const key = stateKey(keySpace).bytes;
  batch.put(key, encodeState(key, emptyState));
  await batch.write(synced);
  return emptyState;
}

/** An option of LevelDB's that `abstract-level` passes on. */
const synced = { sync: true };
