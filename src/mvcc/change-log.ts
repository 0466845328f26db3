import type { Revision } from '../contract/kv.ts';
import { ByteReader, ByteWriter, writeU64 } from './byte-layout.ts';
import { DamagedValue } from './damaged-value.ts';
import type { KeySpace, TableKey, TableRange } from './key-space.ts';
import { checkSeal, seal, sealBytes } from './sealed.ts';

/** What one revision did to one key. Values are not in it: they are in `current`, or in `history` once replaced. */
export interface LoggedChange {
  readonly revision: Revision;
  readonly type: 'put' | 'delete';
  readonly key: Uint8Array;
  /** The mod revision of the version that it replaced or deleted; 0: there was none. */
  readonly previousRevision: Revision;
  /** By how much the history grew with it. */
  readonly historyBytes: number;
}

/** Consecutive revisions, whole, that were applied together. */
export interface ChangeChunk {
  /** In order; at least one. */
  readonly changes: readonly LoggedChange[];
  /** All that the history grew by before the first of them, since the store was created. */
  readonly historyBytesBefore: number;
}

/** A chunk stands under its first revision. */
export function changesKey(keySpace: KeySpace, firstRevision: Revision): TableKey {
  const bytes = Buffer.allocUnsafe(8);
  writeU64(bytes, firstRevision, 0);
  return keySpace.key('changes', bytes);
}

/** The chunks that hold revisions up to that one; the last of them may hold later ones too. */
export function changesUpTo(keySpace: KeySpace, revision: Revision): TableRange {
  return { gte: keySpace.wholeTable('changes').gte, lt: changesKey(keySpace, revision + 1) };
}

/** format u8, history bytes before u64, then the changes: revision u64, type u8, previous u64, bytes u32, key; seal. */
export function encodeChanges(tableKey: Buffer, { changes, historyBytesBefore }: ChangeChunk): Buffer {
  let bytes = 1 + 8 + 4 + sealBytes;
  for (const { key } of changes) bytes += fixedBytes + key.length;
  const writer = new ByteWriter(bytes).u8(format).u64(historyBytesBefore).u32(changes.length);
  for (const { revision, type, key, previousRevision, historyBytes } of changes) {
    writer
      .u64(revision)
      .u8(type === 'put' ? 1 : 2)
      .u64(previousRevision)
      .u32(historyBytes)
      .bytes(key);
  }
  return seal(tableKey, writer.u32(0).finish());
}

/** Keys are views on the bytes. Throws `DamagedValue` or `UnknownFormat`. */
export function decodeChanges(tableKey: Buffer, bytes: Buffer): ChangeChunk {
  checkSeal(tableKey, bytes, { what: 'record of changes', format, bytesMin: 13 + sealBytes });
  try {
    const reader = new ByteReader(bytes.subarray(1, bytes.length - sealBytes), 'record of changes');
    const historyBytesBefore = reader.u64();
    const changes = reader.list(fixedBytes, () => readChange(reader));
    reader.end();
    return { changes, historyBytesBefore };
  } catch (reason) {
    throw new DamagedValue(tableKey, reason instanceof Error ? reason.message : String(reason));
  }
}

function readChange(reader: ByteReader): LoggedChange {
  const revision = reader.u64();
  const type = reader.u8() === 1 ? 'put' : 'delete';
  const previousRevision = reader.u64();
  const historyBytes = reader.u32();
  return { revision, type, previousRevision, historyBytes, key: reader.bytes() };
}

const format = 1;
/** Of a change without its key's bytes. */
const fixedBytes = 8 + 1 + 8 + 4 + 4;
