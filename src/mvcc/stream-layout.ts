/**
 * How an export lays out records, one after another in the order of their keys: length of the key u32, length of the
 * record u32, key, record; as they stand in the database, group and seal included. The end is a key without bytes and, in
 * place of the record's length, the number of records modulo 2^32.
 */
export const recordHeadBytes = 8;

/** A deletion of a range leaves one record with all of its keys; nothing is larger. */
export const streamedRecordBytesMax = 256 * 1024 * 1024;

export function writeRecordHead(head: Buffer, keyBytes: number, recordBytes: number): void {
  head.writeUInt32BE(keyBytes, 0);
  head.writeUInt32BE(recordBytes, 4);
}

export function writeEnd(records: number): Buffer {
  const head = Buffer.allocUnsafe(recordHeadBytes);
  writeRecordHead(head, 0, records % 2 ** 32);
  return head;
}

export function readRecordHead(bytes: Buffer, at: number): { readonly keyBytes: number; readonly recordBytes: number } {
  return { keyBytes: bytes.readUInt32BE(at), recordBytes: bytes.readUInt32BE(at + 4) };
}
