import { BalsaError } from '../../contract/errors.ts';
import type { KeyRange, Revision } from '../../contract/kv.ts';
import type { WatchBatch, WatchRequest } from '../../contract/watch.ts';
import type { RevisionChanges } from '../tables.ts';
import { BatchCache, batchOf, bytesOf, isInside } from './batch.ts';
import { KeptPast, type PastChanges, type PastLimits } from './kept-past.ts';

/** Who is told; see `WatchSink` of the service, which is the same. */
export interface WatchSink {
  onBatch(batch: WatchBatch): boolean | 'later';
  onProgress(revision: Revision): boolean;
  onEnd(error: BalsaError): void;
}

export interface StoreWatch {
  /** Everything that happened up to this revision has been told. */
  toldTo(): Revision;
  resume(): void;
  close(): void;
}

/** What the hub needs of the store. */
export interface WatchSource {
  revision(): Revision;
  compactRevision(): Revision;
  /**
   * The past from a revision on, at most about so much of it: what belongs to the range, in order, and the revision up to
   * which that is complete.
   */
  readChanges(from: Revision, range: KeyRange, limits: PastLimits): Promise<PastChanges>;
  /** Lets what has arrived be handled first. */
  breathe(): Promise<void>;
}

/** What is kept of the last revisions, for watchers that are nearly there; in number and in bytes, about. */
const recentRevisionsMax = 4096;
const recentBytesMax = 4 * 1024 * 1024;
/** What is read of the past in one step, unless the store is told otherwise. */
export const pastLimits = { changesMax: 1000, bytesMax: 512 * 1024 } as const;
/** Batches for several watchers, about. */
const sharedBytesMax = 4 * 1024 * 1024;
/** Steps of catching up between two looks at what has arrived: a few ms for sockets that take what they are given. */
const stepsAtATime = 16;
/** The least that is read at a time. */
const stepBytesMin = 16 * 1024;
/** What was read of the past and not taken yet, about. */
const keptPastBytesMax = 4 * 1024 * 1024;

/**
 * All watches of a store. Those that are up to date are told of each revision as it is applied; those that ask for the
 * past, or do not take what they are given, are caught up from the list of changes, one bounded step at a time.
 *
 * **Invariant:** each watcher is given every revision that concerns it once, in order and whole, or it is ended. All that
 * is kept for one that does not read is the next revision it needs.
 */
export class WatchHub {
  readonly #source: WatchSource;
  readonly #pastLimits: Omit<PastLimits, 'previous'>;
  /** Watchers of the same thing get the same batches. */
  readonly #groups = new Map<string, Group>();
  /** Groups of single keys by key, of all others in a list: a change looks at its own key's groups and at all ranges. */
  readonly #keyGroups = new Map<string, Set<Group>>();
  readonly #rangeGroups = new Set<Group>();
  readonly #recent: RevisionChanges[] = [];
  readonly #batches = new BatchCache(sharedBytesMax);
  readonly #kept = new KeptPast(keptPastBytesMax);
  #recentBytes = 0;
  /** Watchers to be caught up, in turn. */
  readonly #behind = new Set<Watcher>();
  #isCatchingUp = false;
  #size = 0;
  #compactedTo: Revision = 0;
  #closed: BalsaError | undefined;

  constructor(source: WatchSource, limits: Omit<PastLimits, 'previous'> = pastLimits) {
    this.#source = source;
    this.#pastLimits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /** Watchers that are not up to date. */
  get behind(): number {
    return this.#behind.size;
  }

  open(request: WatchRequest, sink: WatchSink): StoreWatch {
    const group = this.#groupOf(request);
    const watcher = new Watcher(group, sink, request.revision ?? this.#source.revision() + 1);
    this.#size++;
    if (this.#closed !== undefined) this.#end(watcher, this.#closed);
    else if (watcher.next > this.#source.revision()) group.synced.add(watcher);
    else this.#fallBehind(watcher);
    return {
      toldTo: () => this.#toldToBy(watcher),
      resume: () => this.#resume(watcher),
      close: () => this.#remove(watcher),
    };
  }

  /** An entry has been applied. */
  publish(revisions: readonly RevisionChanges[]): void {
    if (this.#size === 0) {
      this.#forgetRecent();
      return;
    }
    for (const changes of revisions) {
      this.#keep(changes);
      this.#tell(changes);
    }
  }

  /** Tells those who are up to date how far that is. */
  tellProgress(): void {
    const revision = this.#source.revision();
    for (const group of this.#groups.values()) {
      for (const watcher of group.synced) {
        // One that waits for a revision to come has nothing to be told yet.
        if (watcher.next > revision + 1) continue;
        if (!watcher.sink.onProgress(revision)) this.#pause(watcher);
      }
    }
  }

  /** What nobody may see any more is over: a watcher that has not got there yet has to begin again. */
  onCompacted(): void {
    const compactRevision = this.#source.compactRevision();
    if (compactRevision === this.#compactedTo) return;
    this.#compactedTo = compactRevision;
    // They may tell of what was before a revision that is compacted now.
    this.#batches.clear();
    this.#kept.clear();
    for (const watcher of [...this.#behind]) this.#endIfCompacted(watcher);
    for (const group of this.#groups.values()) for (const watcher of [...group.paused]) this.#endIfCompacted(watcher);
  }

  /** Ends every watch, with a reason after which it can be begun again. New ones are taken, if `again` says so. */
  endAll(error: BalsaError, again: 'again' | 'never'): void {
    if (again === 'never') this.#closed = error;
    for (const group of [...this.#groups.values()]) for (const watcher of group.all()) this.#end(watcher, error);
    for (const watcher of [...this.#behind]) this.#end(watcher, error);
  }

  #tell(changes: RevisionChanges): void {
    const groups = new Set<Group>();
    for (const { key } of changes.changes) {
      if (this.#keyGroups.size > 0) {
        for (const group of this.#keyGroups.get(nameOf(key)) ?? []) groups.add(group);
      }
      for (const group of this.#rangeGroups) if (group.has(key)) groups.add(group);
    }
    for (const group of groups) {
      if (group.synced.size === 0) continue;
      const batch = this.#batch(group, changes);
      if (batch !== undefined) for (const watcher of group.synced) this.#give(watcher, batch);
    }
  }

  /** To one that is up to date. */
  #give(watcher: Watcher, batch: WatchBatch): void {
    // It asked to be told from a later revision on.
    if (batch.revision < watcher.next) return;
    watcher.next = batch.revision + 1;
    const taken = watcher.sink.onBatch(batch);
    if (taken === true) return;
    this.#pause(watcher);
    if (taken === 'later') watcher.next = batch.revision;
  }

  #toldToBy(watcher: Watcher): Revision {
    const revision = this.#source.revision();
    return watcher.group.synced.has(watcher) ? revision : Math.min(revision, watcher.next - 1);
  }

  #pause(watcher: Watcher): void {
    if (watcher.isOver) return;
    // Whatever came up to now concerned it, or did not; it has been told of all of it.
    watcher.next = Math.max(watcher.next, this.#toldTo + 1);
    watcher.group.synced.delete(watcher);
    watcher.group.paused.add(watcher);
  }

  #resume(watcher: Watcher): void {
    if (watcher.isOver || !watcher.group.paused.delete(watcher)) return;
    if (watcher.next > this.#source.revision()) watcher.group.synced.add(watcher);
    else this.#fallBehind(watcher);
  }

  #fallBehind(watcher: Watcher): void {
    this.#behind.add(watcher);
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    void this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    let steps = 0;
    try {
      for (let [watcher] = this.#behind; watcher !== undefined; [watcher] = this.#behind) {
        this.#behind.delete(watcher);
        // At the end of the line, so that everybody gets on a step at a time.
        this.#behind.add(watcher);
        await this.#step(watcher);
        // What is in memory is given without waiting for anything.
        if (++steps % stepsAtATime === 0) await this.#source.breathe();
      }
    } finally {
      this.#isCatchingUp = false;
    }
  }

  async #step(watcher: Watcher): Promise<void> {
    if (this.#endIfCompacted(watcher) || this.#join(watcher)) return;
    let past: PastChanges;
    try {
      past = this.#kept.find(watcher.group, watcher.next) ?? (await this.#read(watcher));
    } catch (cause) {
      this.#end(
        watcher,
        new BalsaError('unavailable', 'This member cannot read its history. Watch on another.', { cause }),
      );
      return;
    }
    // Compaction may have overtaken the reading, and removed what should have been read.
    if (watcher.isOver || this.#endIfCompacted(watcher)) return;
    for (const changes of past.revisions) {
      if (changes.revision < watcher.next) continue;
      const batch = this.#batch(watcher.group, changes);
      watcher.next = changes.revision + 1;
      if (batch === undefined) continue;
      const taken = watcher.sink.onBatch(batch);
      if (watcher.isOver) return;
      if (taken === true) continue;
      if (taken === 'later') watcher.next = changes.revision;
      this.#behind.delete(watcher);
      watcher.group.paused.add(watcher);
      return;
    }
    watcher.next = Math.max(watcher.next, past.completeTo + 1);
  }

  /** More at a time for one that takes what was read for it; less if that was forgotten before it was taken. */
  async #read(watcher: Watcher): Promise<PastChanges> {
    const { group, next } = watcher;
    const tookAll = next > watcher.readTo;
    watcher.stepBytes = Math.max(stepBytesMin, watcher.stepBytes * (tookAll ? 2 : 0.5));
    const bytesMax = Math.min(watcher.stepBytes, this.#pastLimits.bytesMax);
    const { range, previous } = group.request;
    const compactRevision = this.#source.compactRevision();
    const past = await this.#source.readChanges(next, range, { ...this.#pastLimits, bytesMax, previous });
    watcher.stepBytes = bytesMax;
    watcher.readTo = past.completeTo;
    // What was before a revision may have gone meanwhile.
    if (compactRevision === this.#source.compactRevision()) this.#kept.add(group, next, past);
    return past;
  }

  /** Gives it what is still in memory, a step of it; false if what it needs is not there any more. */
  #join(watcher: Watcher): boolean {
    const revision = this.#source.revision();
    if (watcher.next <= revision) {
      const [oldest] = this.#recent;
      if (oldest === undefined || oldest.revision > watcher.next || this.#toldTo < revision) return false;
      let bytes = 0;
      for (let at = watcher.next - oldest.revision; at < this.#recent.length; at++) {
        if (bytes > this.#pastLimits.bytesMax) return true;
        const changes = this.#recent[at] as RevisionChanges;
        bytes += bytesOf(changes);
        watcher.next = changes.revision + 1;
        const batch = this.#batch(watcher.group, changes);
        if (batch === undefined) continue;
        const taken = watcher.sink.onBatch(batch);
        if (watcher.isOver) return true;
        if (taken === true) continue;
        if (taken === 'later') watcher.next = batch.revision;
        this.#behind.delete(watcher);
        watcher.group.paused.add(watcher);
        return true;
      }
    }
    this.#behind.delete(watcher);
    watcher.group.synced.add(watcher);
    return true;
  }

  #batch(group: Group, changes: RevisionChanges): WatchBatch | undefined {
    const make = (): WatchBatch | undefined => batchOf(changes, group.request, this.#source.compactRevision());
    return group.members === 1 ? make() : this.#batches.get(group, changes, make);
  }

  #endIfCompacted(watcher: Watcher): boolean {
    if (watcher.isOver) return true;
    const compactRevision = this.#source.compactRevision();
    if (watcher.next >= compactRevision) return false;
    this.#end(watcher, compactedWatch(watcher.next, compactRevision));
    return true;
  }

  #end(watcher: Watcher, error: BalsaError): void {
    if (watcher.isOver) return;
    this.#remove(watcher);
    watcher.sink.onEnd(error);
  }

  #remove(watcher: Watcher): void {
    if (watcher.isOver) return;
    watcher.isOver = true;
    this.#size--;
    this.#behind.delete(watcher);
    const { group } = watcher;
    group.synced.delete(watcher);
    group.paused.delete(watcher);
    group.members--;
    if (group.members > 0) return;
    this.#groups.delete(group.name);
    this.#rangeGroups.delete(group);
    if (group.key === undefined) return;
    const groups = this.#keyGroups.get(group.key);
    groups?.delete(group);
    if (groups?.size === 0) this.#keyGroups.delete(group.key);
  }

  #groupOf(request: WatchRequest): Group {
    const name = groupName(request);
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new Group(name, request);
      this.#groups.set(name, group);
      if (group.key === undefined) this.#rangeGroups.add(group);
      else {
        const groups = this.#keyGroups.get(group.key);
        if (groups === undefined) this.#keyGroups.set(group.key, new Set([group]));
        else groups.add(group);
      }
    }
    group.members++;
    return group;
  }

  /** The newest revision that everybody who is up to date has been told of. */
  get #toldTo(): Revision {
    return this.#recent.at(-1)?.revision ?? 0;
  }

  #keep(changes: RevisionChanges): void {
    this.#recent.push(changes);
    this.#recentBytes += bytesOf(changes);
    while (
      this.#recent.length > recentRevisionsMax ||
      (this.#recentBytes > recentBytesMax && this.#recent.length > 1)
    ) {
      const gone = this.#recent.shift();
      if (gone !== undefined) this.#recentBytes -= bytesOf(gone);
    }
  }

  #forgetRecent(): void {
    if (this.#recent.length === 0) return;
    this.#batches.clear();
    this.#kept.clear();
    this.#recent.length = 0;
    this.#recentBytes = 0;
  }
}

class Watcher {
  readonly group: Group;
  readonly sink: WatchSink;
  /** The first revision that it has not been told of. */
  next: Revision;
  isOver = false;
  /** What is read for it at a time. */
  stepBytes = 2 * stepBytesMin;
  /** How far its past was read. */
  readTo: Revision = 0;

  constructor(group: Group, sink: WatchSink, next: Revision) {
    this.group = group;
    this.sink = sink;
    this.next = next;
  }
}

/** Watchers of the same range, with the same wishes. */
class Group {
  readonly name: string;
  readonly request: WatchRequest;
  /** The key's name, if it is one key. */
  readonly key: string | undefined;
  readonly synced = new Set<Watcher>();
  /** Those that took what they were given and no more, until they say so. */
  readonly paused = new Set<Watcher>();
  members = 0;

  constructor(name: string, request: WatchRequest) {
    this.name = name;
    this.request = request;
    this.key = singleKey(request.range);
  }

  *all(): Iterable<Watcher> {
    yield* [...this.synced];
    yield* [...this.paused];
  }

  has(key: Uint8Array): boolean {
    return isInside(key, this.request.range);
  }
}

function compactedWatch(next: Revision, compactRevision: Revision): BalsaError {
  return new BalsaError(
    'compacted',
    `Revision ${next} is compacted: the oldest that can be watched from is ${compactRevision}. Read the keys again and ` +
      'watch from the revision after that of the answer.',
    { extras: { compactRevision } },
  );
}

function groupName({ range, previous, filter }: WatchRequest): string {
  const end = range.end === undefined ? '' : `<${nameOf(range.end)}`;
  return `${range.start.length} ${previous ? 1 : 0}${filter ?? ''} ${nameOf(range.start)}${end}`;
}

function singleKey({ start, end }: KeyRange): string | undefined {
  const isSingle =
    end?.length === start.length + 1 && end[start.length] === 0 && Buffer.compare(end.subarray(0, -1), start) === 0;
  return isSingle ? nameOf(start) : undefined;
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
