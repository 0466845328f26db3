import type { KeyRange, KeyValue, Revision } from '../../contract/kv.ts';
import type { WatchBatch, WatchEvent, WatchRequest } from '../../contract/watch.ts';
import { toKeyValue } from '../record.ts';
import type { KeyChange, RevisionChanges } from '../tables.ts';

/** What of a revision concerns a watch; undefined if nothing does. */
export function batchOf(
  { revision, changes }: RevisionChanges,
  request: WatchRequest,
  compactRevision: Revision,
): WatchBatch | undefined {
  const { filter, range } = request;
  // What was before a revision goes with its compaction, wherever it could still be found.
  const previous = request.previous && revision > compactRevision;
  const events: WatchEvent[] = [];
  for (const change of changes) {
    const type = change.record === undefined ? 'delete' : 'put';
    if (type !== filter && isInside(change.key, range)) events.push(eventOf(revision, change, previous));
  }
  return events.length === 0 ? undefined : new SharedBatch(revision, events);
}

export function isInside(key: Uint8Array, { start, end }: KeyRange): boolean {
  return Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0);
}

/** In memory, about. */
export function bytesOf({ changes }: RevisionChanges): number {
  let bytes = 64;
  for (const { key, record, old } of changes) {
    bytes += 64 + key.length + (record?.value.length ?? 0) + (old?.value.length ?? 0);
  }
  return bytes;
}

class SharedBatch implements WatchBatch {
  readonly revision: Revision;
  readonly events: readonly WatchEvent[];
  readonly #encoded = new Map<(batch: WatchBatch) => Buffer, Buffer>();

  constructor(revision: Revision, events: readonly WatchEvent[]) {
    this.revision = revision;
    this.events = events;
  }

  encoded(encode: (batch: WatchBatch) => Buffer): Buffer {
    let bytes = this.#encoded.get(encode);
    if (bytes === undefined) {
      bytes = encode(this);
      this.#encoded.set(encode, bytes);
    }
    return bytes;
  }
}

function eventOf(revision: Revision, { key, record, old }: KeyChange, previous: boolean): WatchEvent {
  const before = previous && old !== undefined ? toKeyValue(key, old) : undefined;
  if (record !== undefined) return { type: 'put', kv: toKeyValue(key, record), previous: before };
  return { type: 'delete', kv: deletedKv(key, revision), previous: before };
}

function deletedKv(key: Uint8Array, revision: Revision): KeyValue {
  return { key, value: noValue, createRevision: 0, modRevision: revision, version: 0 };
}

const noValue = new Uint8Array();

/**
 * Batches that several watchers of one thing will ask for, so that each is made and encoded once also for those who come
 * later. The oldest go first; about so many bytes are kept in all.
 */
export class BatchCache {
  readonly #bytesMax: number;
  #batches = new Map<object, Map<Revision, WatchBatch | undefined>>();
  #order: CachedBatch[] = [];
  /** The first of `#order` that is still kept. */
  #oldest = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** What was made of it before, or what `make` makes of it now. */
  get(owner: object, changes: RevisionChanges, make: () => WatchBatch | undefined): WatchBatch | undefined {
    const { revision } = changes;
    const batches = this.#batches.get(owner) ?? new Map<Revision, WatchBatch | undefined>();
    this.#batches.set(owner, batches);
    if (batches.has(revision)) return batches.get(revision);
    const batch = make();
    const bytes = cachedBatchBytes + bytesOf(changes);
    batches.set(revision, batch);
    this.#order.push({ owner, revision, bytes });
    this.#bytes += bytes;
    this.#shrink();
    return batch;
  }

  clear(): void {
    this.#batches = new Map();
    this.#order = [];
    this.#oldest = 0;
    this.#bytes = 0;
  }

  #shrink(): void {
    while (this.#bytes > this.#bytesMax) {
      const { owner, revision, bytes } = this.#order[this.#oldest++] as CachedBatch;
      this.#bytes -= bytes;
      const batches = this.#batches.get(owner);
      batches?.delete(revision);
      if (batches?.size === 0) this.#batches.delete(owner);
    }
    if (this.#oldest * 2 <= this.#order.length) return;
    this.#order = this.#order.slice(this.#oldest);
    this.#oldest = 0;
  }
}

interface CachedBatch {
  readonly owner: object;
  readonly revision: Revision;
  readonly bytes: number;
}

/** What a batch takes beside its events, encoded a time or two. */
const cachedBatchBytes = 512;
