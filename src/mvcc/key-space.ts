import type { KeyRange } from '../contract/kv.ts';

/**
 * The tables of a store. A table's byte is part of the format on disk and is never given a second meaning.
 *
 * - `meta`: the state record. `members`: by id. `alarms`: by kind and member.
 * - `removedMembers`: ids that are never taken again. `clusterVersion`: one record, or none.
 * - `current`: present versions by key. `history`: past ones by key and mod revision. `changes`: by revision.
 * - `leases`: by id. `leaseKeys`: lease id and key, without content.
 * - `tokens`: the answers of idempotent writes by token. `tokenOrder`: tokens by age.
 */
export const tables = {
  meta: 0x01,
  members: 0x02,
  alarms: 0x03,
  removedMembers: 0x04,
  clusterVersion: 0x05,
  current: 0x10,
  history: 0x11,
  changes: 0x12,
  leases: 0x13,
  leaseKeys: 0x14,
  tokens: 0x15,
  tokenOrder: 0x16,
} as const;

export type TableName = keyof typeof tables;

const tableNames = new Map(
  (Object.keys(tables) as TableName[]).map((name): [number, TableName] => [tables[name], name]),
);

/** Where a key of the database says of which table it is. */
export const tableAt = 4;

/** Past versions and the list of changes: nobody asks for one of their records again once it is written. */
export function isWrittenOnce(table: number | undefined): boolean {
  return table === tables.history || table === tables.changes;
}

/** A key of the database in the two forms it is used in. */
export class TableKey {
  /** Group id (u32), table byte, the key's own bytes: LevelDB's order is the byte order of the keys. */
  readonly bytes: Buffer;
  #name: string | undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /**
   * The same bytes as a latin1 string, one character a byte: what Maps can hold, and what `<` compares as LevelDB
   * compares the bytes (UTF-8 strings would not: pitfall "string keys instead of bytes").
   */
  get name(): string {
    this.#name ??= this.bytes.toString('latin1');
    return this.#name;
  }
}

/** From `gte` up to, not including, `lt`. */
export interface TableRange {
  readonly gte: TableKey;
  readonly lt: TableKey;
}

/** Where the tables of one group lie in a database that may hold many groups. */
export class KeySpace {
  readonly #groupId: number;

  constructor(groupId: number) {
    this.#groupId = groupId;
  }

  key(table: TableName, key: Uint8Array): TableKey {
    const bytes = Buffer.allocUnsafe(prefixBytes + key.length);
    bytes.writeUInt32BE(this.#groupId, 0);
    bytes[tableAt] = tables[table];
    bytes.set(key, prefixBytes);
    return new TableKey(bytes);
  }

  range(table: TableName, range: KeyRange): TableRange {
    const gte = this.key(table, range.start);
    return { gte, lt: range.end === undefined ? this.#boundary(tables[table] + 1) : this.key(table, range.end) };
  }

  /** The table that a key of the database belongs to; undefined for none. */
  static tableOf(tableKey: Buffer): TableName | undefined {
    return tableNames.get(tableKey[tableAt] as number);
  }

  wholeTable(table: TableName): TableRange {
    return { gte: this.#boundary(tables[table]), lt: this.#boundary(tables[table] + 1) };
  }

  wholeGroup(): TableRange {
    return { gte: this.#boundary(0x00), lt: this.#boundary(0xff) };
  }

  #boundary(table: number): TableKey {
    const bytes = Buffer.alloc(prefixBytes);
    bytes.writeUInt32BE(this.#groupId, 0);
    bytes[tableAt] = table;
    return new TableKey(bytes);
  }
}

/** The key as its user knows it; a view. */
export function withoutPrefix(tableKey: Buffer): Buffer {
  return tableKey.subarray(prefixBytes);
}

const prefixBytes = 5;
