import type { Revision } from '../contract/kv.ts';
import type { LeaseId, LeaseRecord } from '../contract/lease.ts';
import { changesKey, encodeChanges, type LoggedChange } from './change-log.ts';
import type { KeySpace } from './key-space.ts';
import type { MembersTable } from './members-table.ts';
import type { CurrentRecord } from './record.ts';
import type { StateHash, StoreState } from './store-state.ts';
import type { WriteBuffer } from './write-buffer.ts';

/** What one revision did to one key, with the versions before and after: what watchers are told. */
export interface KeyChange {
  readonly key: Uint8Array;
  /** Undefined: it was deleted. */
  readonly record: CurrentRecord | undefined;
  /** What it was before the revision; undefined: it was not there. */
  readonly old: CurrentRecord | undefined;
  /** Of the version that ended, which a transaction may have written itself; 0: there was none. */
  readonly previousRevision: Revision;
  /** By how much the history grew with it. */
  readonly historyBytes: number;
}

export interface RevisionChanges {
  readonly revision: Revision;
  /** In the order in which they were made; at least one. */
  readonly changes: readonly KeyChange[];
}

/** A lower limit of what a chunk may hold, so that a reader of the list of changes is served in bounded steps. */
const chunkChangesMax = 512;

/**
 * All that applying may see: no clock, no chance, no configuration, nothing of this member's own, so that every member
 * comes to the same state.
 */
export class Tables {
  readonly keySpace: KeySpace;
  readonly buffer: WriteBuffer;
  readonly members: MembersTable;
  /** Few words each, so they are kept in memory too. */
  readonly leases: Map<LeaseId, LeaseRecord>;
  /** Members whose state differs from the others'. */
  readonly corrupt: Map<string, StateHash>;
  /** One object for the life of the store: a copy for each change was the largest part of what a put leaves behind. */
  readonly state: { -readonly [Name in keyof StoreState]: number };
  clusterVersion: string;
  onLeaseChange: (id: LeaseId, lease: LeaseRecord | undefined) => void = () => {};
  #revisions: RevisionChanges[] = [];

  constructor(
    keySpace: KeySpace,
    buffer: WriteBuffer,
    content: {
      readonly members: MembersTable;
      readonly leases: Map<LeaseId, LeaseRecord>;
      readonly corrupt: Map<string, StateHash>;
      readonly state: StoreState;
      readonly clusterVersion: string;
    },
  ) {
    this.keySpace = keySpace;
    this.buffer = buffer;
    this.members = content.members;
    this.leases = content.leases;
    this.corrupt = content.corrupt;
    this.state = { ...content.state };
    this.clusterVersion = content.clusterVersion;
  }

  /** What counts against the quota. */
  get usedBytes(): number {
    const { liveBytes, historyBytes, compactedBytes } = this.state;
    return liveBytes + historyBytes - compactedBytes;
  }

  addRevisions(revisions: readonly RevisionChanges[]): void {
    for (const one of revisions) this.#revisions.push(one);
  }

  /** The entry is applied: its revisions go to the list of changes, and to the caller for the watchers. */
  endEntry(historyBytesBefore: number): readonly RevisionChanges[] {
    const revisions = this.#revisions;
    if (revisions.length === 0) return revisions;
    this.#revisions = [];
    let chunk: LoggedChange[] = [];
    let before = historyBytesBefore;
    for (const { revision, changes } of revisions) {
      if (chunk.length >= chunkChangesMax) {
        before += this.#writeChunk(chunk, before);
        chunk = [];
      }
      for (const change of changes) chunk.push(logged(revision, change));
    }
    this.#writeChunk(chunk, before);
    return revisions;
  }

  /** Returns by how much the history grew with them. */
  #writeChunk(changes: readonly LoggedChange[], historyBytesBefore: number): number {
    const key = changesKey(this.keySpace, changes[0]?.revision ?? 0);
    this.buffer.set(key, encodeChanges(key.bytes, { changes, historyBytesBefore }));
    return changes.reduce((sum, { historyBytes }) => sum + historyBytes, 0);
  }
}

function logged(revision: Revision, { key, record, previousRevision, historyBytes }: KeyChange): LoggedChange {
  return { revision, type: record === undefined ? 'delete' : 'put', key, previousRevision, historyBytes };
}
