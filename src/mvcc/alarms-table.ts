import { ByteWriter, readU64 } from './byte-layout.ts';
import { type KeySpace, type TableKey, withoutPrefix } from './key-space.ts';
import { checkSeal, seal, sealBytes } from './sealed.ts';
import type { StateHash } from './store-state.ts';

/** That a member is known to differ from the others. */
export function alarmKey(keySpace: KeySpace, memberId: string): TableKey {
  return keySpace.key('alarms', Buffer.from(memberId, 'utf8'));
}

/** format u8, index u64, hash u32, seal. The member is the key. */
export function encodeAlarm(tableKey: Buffer, { index, hash }: StateHash): Buffer {
  return seal(tableKey, new ByteWriter(17).u8(format).u64(index).u32(hash).u32(0).finish());
}

/** Of a member: what its hash should have been, and where. */
export function decodeAlarm(tableKey: Buffer, bytes: Buffer): readonly [memberId: string, expected: StateHash] {
  checkSeal(tableKey, bytes, { what: 'alarm', format, bytesMin: 13 + sealBytes });
  const index = readU64(bytes, 1);
  return [withoutPrefix(tableKey).toString('utf8'), { index, hash: bytes.readUInt32BE(9) }];
}

const format = 1;
