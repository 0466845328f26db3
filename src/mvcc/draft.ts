import { crc32c } from '../base/checksum.ts';
import type { Revision } from '../contract/kv.ts';
import type { LeaseId, LeaseRecord } from '../contract/lease.ts';
import { historyKey } from './history-table.ts';
import type { TableKey } from './key-space.ts';
import { withoutPrefix } from './key-space.ts';
import type { Layer } from './layer.ts';
import { encodeLease, encodeLeaseKey, leaseKey, leaseKeysKey } from './lease-table.ts';
import { type CurrentRecord, decodeSoundRecord, encodePastRecord, encodeRecord, recordBytes } from './record.ts';
import { sealOf } from './sealed.ts';
import type { KeyChange, RevisionChanges, Tables } from './tables.ts';

/** What a change takes in the list of changes, beside its key. */
const changeBytes = 32;

/**
 * What one command changes. With an overlay nothing takes effect before `commit`, and leaving it out forgets all; without
 * one (for commands that decide everything before they change anything) changes go to the buffer at once.
 */
export class Draft {
  readonly tables: Tables;
  readonly #overlay: Layer | undefined;
  #keyCount: number;
  #liveBytes: number;
  #historyBytes: number;
  #hash: number;
  readonly #revisions: RevisionChanges[] = [];
  /** Of the few commands that have to do with leases. */
  #leases: Map<LeaseId, LeaseRecord | undefined> | undefined;
  #changes: KeyChange[] = [];

  constructor(tables: Tables, overlay?: Layer) {
    const { keyCount, liveBytes, historyBytes, hash } = tables.state;
    this.tables = tables;
    this.#overlay = overlay;
    this.#keyCount = keyCount;
    this.#liveBytes = liveBytes;
    this.#historyBytes = historyBytes;
    this.#hash = hash;
  }

  /** That of the changes to come. */
  get revision(): Revision {
    return this.tables.state.revision + this.#revisions.length + 1;
  }

  /** That of the store after these changes. */
  get lastRevision(): Revision {
    return this.revision - (this.#changes.length === 0 ? 1 : 0);
  }

  /** What would count against the quota after these changes. */
  get usedBytes(): number {
    return this.#liveBytes + this.#historyBytes - this.tables.state.compactedBytes;
  }

  key(key: Uint8Array): TableKey {
    return this.tables.keySpace.key('current', key);
  }

  /** Throws `DamagedValue`. */
  current(key: TableKey): CurrentRecord | undefined {
    const bytes = this.read(key);
    return bytes === undefined ? undefined : decodeSoundRecord(key.bytes, bytes);
  }

  read(key: TableKey): Buffer | undefined {
    const change = this.#overlay?.get(key.name);
    return change === undefined ? this.tables.buffer.get(key) : (change ?? undefined);
  }

  put(
    tableKey: TableKey,
    content: { readonly value: Uint8Array; readonly lease: LeaseId | undefined },
    old: CurrentRecord | undefined,
  ): CurrentRecord {
    const { revision } = this;
    const createRevision = old?.createRevision ?? revision;
    const version = (old?.version ?? 0) + 1;
    const record = { createRevision, modRevision: revision, version, ...content };
    const key = withoutPrefix(tableKey.bytes);
    this.write(tableKey, encodeRecord(tableKey.bytes, record));
    const historyBytes = this.#retire(key, old);
    this.#liveBytes += recordBytes(key.length, record.value.length);
    if (old === undefined) this.#keyCount++;
    this.#bind(key, old?.lease, content.lease);
    this.#add(key, record, old, historyBytes);
    return record;
  }

  delete(tableKey: TableKey, old: CurrentRecord): void {
    const key = withoutPrefix(tableKey.bytes);
    this.write(tableKey, null);
    const historyBytes = this.#retire(key, old);
    this.#keyCount--;
    this.#bind(key, old.lease, undefined);
    this.#add(key, undefined, old, historyBytes);
  }

  setLease(lease: LeaseRecord): void {
    const key = leaseKey(this.tables.keySpace, lease.id);
    this.write(key, encodeLease(key.bytes, lease));
    this.#changedLeases().set(lease.id, lease);
  }

  deleteLease(id: LeaseId): void {
    this.write(leaseKey(this.tables.keySpace, id), null);
    this.#changedLeases().set(id, undefined);
  }

  /** A record of any table. What is not a value has no revision. */
  write(key: TableKey, record: Buffer | null): void {
    this.#hash = mixHash(this.#hash, record === null ? crc32c(key.bytes) : sealOf(record));
    if (this.#overlay !== undefined) this.#overlay.write(key, record);
    else if (record === null) this.tables.buffer.delete(key);
    else this.tables.buffer.set(key, record);
  }

  /** What follows belongs to the next revision, if there was anything in this one. */
  endRevision(): void {
    if (this.#changes.length === 0) return;
    this.#revisions.push({ revision: this.revision, changes: this.#changes });
    this.#changes = [];
  }

  /** Everything takes effect, at once. Throws nothing. */
  commit(): void {
    const { tables } = this;
    this.endRevision();
    if (this.#overlay !== undefined && this.#overlay.size > 0) tables.buffer.take(this.#overlay);
    for (const [id, lease] of this.#leases ?? []) {
      if (lease === undefined) tables.leases.delete(id);
      else tables.leases.set(id, lease);
      tables.onLeaseChange(id, lease);
    }
    const { state } = tables;
    state.revision += this.#revisions.length;
    state.keyCount = this.#keyCount;
    state.liveBytes = this.#liveBytes;
    state.historyBytes = this.#historyBytes;
    state.hash = this.#hash;
    tables.addRevisions(this.#revisions);
  }

  #changedLeases(): Map<LeaseId, LeaseRecord | undefined> {
    this.#leases ??= new Map();
    return this.#leases;
  }

  /** The version goes from the present to the past. Returns by how much the history grows. */
  #retire(key: Uint8Array, old: CurrentRecord | undefined): number {
    let historyBytes = changeBytes + key.length;
    if (old !== undefined) {
      const past = historyKey(this.tables.keySpace, key, old.modRevision);
      this.write(past, encodePastRecord(past.bytes, old, this.revision));
      const bytes = recordBytes(key.length, old.value.length);
      this.#liveBytes -= bytes;
      historyBytes += bytes;
    }
    this.#historyBytes += historyBytes;
    return historyBytes;
  }

  /** A key that is changed twice by a transaction was, before it, what it was before the first change. */
  #add(
    key: Uint8Array,
    record: CurrentRecord | undefined,
    ended: CurrentRecord | undefined,
    historyBytes: number,
  ): void {
    const isOfThis = ended?.modRevision === this.revision;
    const earlier = isOfThis ? this.#changes.find((change) => Buffer.compare(change.key, key) === 0) : undefined;
    const old = isOfThis ? earlier?.old : ended;
    this.#changes.push({ key, record, old, previousRevision: ended?.modRevision ?? 0, historyBytes });
  }

  #bind(key: Uint8Array, from: LeaseId | undefined, to: LeaseId | undefined): void {
    if (from === to) return;
    const { keySpace } = this.tables;
    if (from !== undefined) this.write(leaseKeysKey(keySpace, from, key), null);
    if (to === undefined) return;
    const bound = leaseKeysKey(keySpace, to, key);
    this.write(bound, encodeLeaseKey(bound.bytes));
  }
}

/** A step of a rolling hash over 32 bits; it has to notice accidents, not attacks. */
export function mixHash(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
