import type { Revision } from '../contract/kv.ts';
import { readU64, writeU64 } from './byte-layout.ts';
import { DamagedValue } from './damaged-value.ts';
import type { KeySpace, TableKey } from './key-space.ts';
import { checkSeal, seal, sealBytes } from './sealed.ts';

/** The counters of a store; in LevelDB they are written in the same batch as the changes they count. */
export interface StoreState {
  readonly appliedIndex: number;
  readonly revision: Revision;
  readonly keyCount: number;
}

export const emptyState: StoreState = { appliedIndex: 0, revision: 1, keyCount: 0 };

export function stateKey(keySpace: KeySpace): TableKey {
  return keySpace.key('meta', Buffer.from('state'));
}

/** format u8, applied index u64, revision u64, key count u64, seal. The format is also that of the whole layout. */
export function encodeState(key: Buffer, state: StoreState): Buffer {
  const bytes = Buffer.allocUnsafe(stateBytes);
  bytes[0] = format;
  writeU64(bytes, state.appliedIndex, 1);
  writeU64(bytes, state.revision, 9);
  writeU64(bytes, state.keyCount, 17);
  return seal(key, bytes);
}

export function decodeState(key: Buffer, bytes: Buffer): StoreState {
  checkSeal(key, bytes, { what: 'store', format, bytesMin: stateBytes });
  const state = { appliedIndex: readU64(bytes, 1), revision: readU64(bytes, 9), keyCount: readU64(bytes, 17) };
  const sensible = Object.values(state).every(Number.isSafeInteger) && state.revision >= 1;
  if (!sensible) throw new DamagedValue(key, `it says ${JSON.stringify(state)}`);
  return state;
}

const format = 1;
const stateBytes = 25 + sealBytes;
