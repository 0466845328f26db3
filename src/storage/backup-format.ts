import { createHash } from 'node:crypto';
import type { Configuration, LogIndex, MemberId, Term } from '../raft/types.ts';
import { parseObject } from './log-records.ts';

/**
 * A backup is a file of frames. Numbers are big-endian.
 *
 *     magic "BALSABAK" │ format u8
 *     kind 1 │ length u32 │ manifest, JSON             │ SHA-256
 *     kind 2 │ length u32 │ bytes of the store's data  │ SHA-256     any number of these, at most 1 MiB each
 *     kind 3 │ length u32 │ chunks u64, bytes u64, zeros │ SHA-256
 *
 * Each SHA-256 is over everything before it, from the first byte of the file on: a frame that is changed, missing, doubled
 * or in another place is noticed at its end, and the last one stands for the whole. Nothing follows it.
 */
export const backupMagic = Buffer.from('BALSABAK', 'latin1');
export const backupFormatVersion = 1;
export const backupChunkBytes = 1024 * 1024;
export const frameHeadBytes = 5;
export const digestBytes = 32;
/** Far more than any cluster's members need. */
export const manifestBytesMax = 1024 * 1024;

export const frameKinds = { manifest: 1, chunk: 2, trailer: 3 } as const;
export const trailerBytes = 16;
/**
 * Zeros follow the counts in the trailer, so that the whole ends with a digest behind a multiple of that many bytes:
 * `etcdctl snapshot save` takes what is so for a snapshot with its checksum (etcd `client/v3/snapshot`, `hasChecksum`).
 */
export const paddingUnit = 512;

/** What a backup says of itself before its data; no name of any machine. */
export interface BackupManifest {
  readonly clusterId: string;
  readonly groupId: number;
  /** The state is that after the entry at `appliedIndex`, which was of `term`. */
  readonly appliedIndex: LogIndex;
  readonly term: Term;
  readonly revision: number;
  readonly compactRevision: number;
  readonly keyCount: number;
  /** Of the state, to be compared with what a restored store says. */
  readonly stateHash: number;
  /** Of the data that follows, about: for a progress bar. */
  readonly bytesExpected: number;
  /** In effect at `appliedIndex`. */
  readonly configuration: Configuration;
  readonly members: readonly { readonly id: MemberId; readonly name: string }[];
  /** Version of the software that wrote it. */
  readonly createdBy: string;
}

export function sha256(): ReturnType<typeof createHash> {
  return createHash('sha256');
}

export function encodeManifest(manifest: BackupManifest): Buffer {
  return Buffer.from(JSON.stringify(manifest));
}

/** `undefined` if it is not one. */
export function decodeManifest(bytes: Buffer): BackupManifest | undefined {
  const parsed = parseObject(bytes.toString('utf8'));
  if (parsed === undefined) return undefined;
  const { clusterId, configuration, members, createdBy } = parsed;
  if (typeof clusterId !== 'string' || typeof createdBy !== 'string') return undefined;
  const counts = countNames.map((name) => parsed[name]);
  if (!counts.every((count) => typeof count === 'number' && Number.isSafeInteger(count) && count >= 0))
    return undefined;
  if (!isConfiguration(configuration) || !Array.isArray(members) || !members.every(isMember)) return undefined;
  return parsed as unknown as BackupManifest;
}

const countNames = [
  'groupId',
  'appliedIndex',
  'term',
  'revision',
  'compactRevision',
  'keyCount',
  'stateHash',
  'bytesExpected',
] as const satisfies readonly (keyof BackupManifest)[];

function isConfiguration(value: unknown): value is Configuration {
  if (typeof value !== 'object' || value === null) return false;
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = { ...value } as Record<string, unknown>;
  return [voters, votersOutgoing, learners, learnersNext].every(isTexts) && typeof autoLeave === 'boolean';
}

function isMember(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    typeof value.id === 'string' &&
    'name' in value &&
    typeof value.name === 'string'
  );
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
