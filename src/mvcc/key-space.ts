import type { KeyRange } from '../contract/kv.ts';

/**
 * The tables of a store. A table's byte is part of the format on disk and is never given a second meaning; 0x11
 * (version history by key) and 0x12 (changes by revision) are kept for what resumes watches and reads the past.
 */
export const tables = { meta: 0x01, members: 0x02, current: 0x10 } as const;

export type TableName = keyof typeof tables;

/** A key of the database in the two forms it is used in. */
export interface TableKey {
  /** Group id (u32), table byte, the key's own bytes: LevelDB's order is the byte order of the keys. */
  readonly bytes: Buffer;
  /**
   * The same bytes as a latin1 string, one character a byte: what Maps can hold, and what `<` compares as LevelDB
   * compares the bytes (UTF-8 strings would not: pitfall "string keys instead of bytes").
   */
  readonly name: string;
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
    bytes[4] = tables[table];
    bytes.set(key, prefixBytes);
    return { bytes, name: bytes.toString('latin1') };
  }

  range(table: TableName, range: KeyRange): TableRange {
    const gte = this.key(table, range.start);
    return { gte, lt: range.end === undefined ? this.#boundary(tables[table] + 1) : this.key(table, range.end) };
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
    bytes[4] = table;
    return { bytes, name: bytes.toString('latin1') };
  }
}

/** The key as its user knows it; a view. */
export function withoutPrefix(tableKey: Buffer): Buffer {
  return tableKey.subarray(prefixBytes);
}

const prefixBytes = 5;
