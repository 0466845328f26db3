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
  /** What was before it is forgotten; 0: nothing is. */
  readonly compactRevision: Revision;
  /** Up to there it is also removed. Of this member's own: the others may be further, or behind. */
  readonly removedRevision: Revision;
  /** Of the present versions. */
  readonly liveBytes: number;
  /** All that past versions and the list of changes have ever taken, … */
  readonly historyBytes: number;
  /** …and the part of it that is compacted. */
  readonly compactedBytes: number;
  /** The most that live bytes and history may take together; 0: no limit. */
  readonly quotaBytes: number;
  /** A write was refused for want of space, and there is none yet. 0 or 1. */
  readonly noSpace: number;
  /** Over every change that was ever applied, in order. A u32. */
  readonly hash: number;
  /** Places of the oldest token that is kept and of the next one, and what they take. */
  readonly tokenFirst: number;
  readonly tokenNext: number;
  readonly tokenBytes: number;
}

/** The hash over every change up to an entry, in order: equal on all members, or one of them has gone wrong. */
export interface StateHash {
  readonly index: number;
  readonly hash: number;
}

export const emptyState: StoreState = {
  appliedIndex: 0,
  revision: 1,
  keyCount: 0,
  compactRevision: 0,
  removedRevision: 0,
  liveBytes: 0,
  historyBytes: 0,
  compactedBytes: 0,
  quotaBytes: 0,
  noSpace: 0,
  hash: 0,
  tokenFirst: 0,
  tokenNext: 0,
  tokenBytes: 0,
};

export function stateKey(keySpace: KeySpace): TableKey {
  return keySpace.key('meta', Buffer.from('state'));
}

/** format u8, then a u64 for each counter, seal. The format is also that of the whole layout. */
export function encodeState(key: Buffer, state: StoreState): Buffer {
  const bytes = Buffer.allocUnsafe(stateBytes);
  bytes[0] = format;
  for (let i = 0; i < order.length; i++) writeU64(bytes, state[order[i] as keyof StoreState], 1 + 8 * i);
  return seal(key, bytes);
}

export function decodeState(key: Buffer, bytes: Buffer): StoreState {
  checkSeal(key, bytes, { what: 'store', format, bytesMin: stateBytes });
  const counters = order.map((name, i) => [name, readU64(bytes, 1 + 8 * i)] as const);
  const state = Object.fromEntries(counters) as unknown as StoreState;
  const sensible = Object.values(state).every(Number.isSafeInteger) && state.revision >= 1;
  if (!sensible) throw new DamagedValue(key, `it says ${JSON.stringify(state)}`);
  return state;
}

const format = 1;
/** Part of the format. */
const order: readonly (keyof StoreState)[] = [
  'appliedIndex',
  'revision',
  'keyCount',
  'compactRevision',
  'removedRevision',
  'liveBytes',
  'historyBytes',
  'compactedBytes',
  'quotaBytes',
  'noSpace',
  'hash',
  'tokenFirst',
  'tokenNext',
  'tokenBytes',
];
const stateBytes = 1 + 8 * order.length + sealBytes;
