import { DamagedValue } from './damaged-value.ts';
import type { Database } from './database.ts';
import type { KeySpace, TableName } from './key-space.ts';
import { decodeState, type StoreState, stateKey } from './store-state.ts';

/** Undefined if the group has nothing in the database. */
export async function readState(database: Database, keySpace: KeySpace): Promise<StoreState | undefined> {
  const key = stateKey(keySpace).bytes;
  const bytes = await database.get(key);
  if (bytes !== undefined) return decodeState(key, bytes);

  const { gte, lt } = keySpace.wholeGroup();
  const [other] = await database.keys({ gte: gte.bytes, lt: lt.bytes, limit: 1 }).all();
  // Starting from nothing here would mix what is left with what comes.
  if (other !== undefined) throw new DamagedValue(key, 'it is missing, although the store holds other records');
  return undefined;
}

/** All of a small table. */
export async function readTable<T>(
  database: Database,
  keySpace: KeySpace,
  table: TableName,
  decode: (key: Buffer, bytes: Buffer) => T,
): Promise<readonly T[]> {
  const { gte, lt } = keySpace.wholeTable(table);
  const records = await database.iterator({ gte: gte.bytes, lt: lt.bytes }).all();
  return records.map(([key, bytes]) => decode(key, bytes));
}
