import { isOlder } from '../base/software-version.ts';
import { done } from './apply.ts';
import { ByteReader, ByteWriter } from './byte-layout.ts';
import type { Command } from './command.ts';
import { DamagedValue } from './damaged-value.ts';
import { Draft } from './draft.ts';
import type { KeySpace, TableKey } from './key-space.ts';
import type { CommandResult } from './result.ts';
import { checkSeal, seal, sealBytes } from './sealed.ts';
import type { Tables } from './tables.ts';

/** Of a store whose members have not agreed on any: what the first members understood. */
export const firstClusterVersion = '0.1';

/** It never falls: what members of that version have put into the log stays there. */
export function applyClusterVersion(
  tables: Tables,
  { version }: Extract<Command, { kind: 'clusterVersion' }>,
): CommandResult {
  if (!isOlder(tables.clusterVersion, version)) return done(tables);
  const key = clusterVersionKey(tables.keySpace);
  const draft = new Draft(tables);
  draft.write(key, encodeClusterVersion(key.bytes, version));
  draft.commit();
  tables.clusterVersion = version;
  return done(tables);
}

/** The only record of its table. */
export function clusterVersionKey(keySpace: KeySpace): TableKey {
  return keySpace.key('clusterVersion', Buffer.alloc(0));
}

/** format u8, version, seal. */
export function encodeClusterVersion(key: Buffer, version: string): Buffer {
  return seal(key, new ByteWriter().u8(format).text(version).u32(0).finish());
}

export function decodeClusterVersion(key: Buffer, bytes: Buffer): string {
  checkSeal(key, bytes, { what: 'cluster version', format, bytesMin: 1 + sealBytes });
  try {
    const reader = new ByteReader(bytes.subarray(1, bytes.length - sealBytes), 'cluster version');
    const version = reader.text();
    reader.end();
    return version;
  } catch (reason) {
    throw new DamagedValue(key, reason instanceof Error ? reason.message : String(reason));
  }
}

const format = 1;
