import { assert } from '../base/assert.ts';
import { BalsaError } from '../contract/errors.ts';
import type { KeyRange, KeyValue, RangeRequest, Revision } from '../contract/kv.ts';
import type { LeaseId, LeaseRecord } from '../contract/lease.ts';
import type { WatchRequest } from '../contract/watch.ts';
import type { EntryContext } from './apply.ts';
import type { MemberRecord } from './member-record.ts';
import type { CommandResult } from './result.ts';
import type { PageOptions, ReadView, Store } from './store.ts';
import type { StoreExport } from './store-export.ts';
import type { StateHash } from './store-state.ts';
import type { StoreWatch, WatchHub, WatchSink } from './watch/hub.ts';

/**
 * A store that another one can take the place of while everybody goes on using it: a snapshot of the leader's has been
 * installed. Whoever was reading is told `unavailable`, and may try again.
 */
export class ReplaceableStore implements Store {
  #present: Store;
  /** Between the end of one store and the beginning of the next; the figures are those of the last one meanwhile. */
  #isBetween = false;
  #views = new Set<HandedOutView>();
  #exports = new Set<HandedOutExport>();
  #scrubs = new Set<AbortController>();
  #waiting: (() => void)[] = [];
  /** Work on the present store that closing it has to wait for. */
  readonly #busy = new Set<Promise<unknown>>();
  #fail: (reason: unknown) => void = () => {};
  readonly failed: Promise<never>;

  constructor(first: Store) {
    this.#present = first;
    this.failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    // Whoever did not ask is told by the next call.
    this.failed.catch(() => {});
    this.#follow(first);
  }

  /**
   * Ends the present store and begins with the one that `next` opens, when nothing of the old one is in use any more.
   * Not while an entry is applied. Rejects as `next` does; then there is no store, and the member has to stop.
   */
  async exchange(next: () => Promise<Store>): Promise<void> {
    assert(!this.#isBetween, 'two stores at a time take the place of one');
    const old = this.#present;
    this.#isBetween = true;
    old.watches.endAll(replaced('Watch again, from the revision after the last one that was told.'), 'never');
    for (const view of this.#views) view.end();
    for (const one of this.#exports) one.end();
    for (const scrub of this.#scrubs) scrub.abort();
    await Promise.allSettled(this.#busy);
    // What it could not write any more nobody needs.
    await old.close().catch(() => {});
    const store = await next();
    store.onLeaseChange = old.onLeaseChange;
    this.#present = store;
    this.#follow(store);
    this.#isBetween = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  get revision(): Revision {
    return this.#present.revision;
  }

  get compactRevision(): Revision {
    return this.#present.compactRevision;
  }

  get appliedIndex(): number {
    return this.#present.appliedIndex;
  }

  get durableIndex(): number {
    return this.#present.durableIndex;
  }

  get keyCount(): number {
    return this.#present.keyCount;
  }

  get usedBytes(): number {
    return this.#present.usedBytes;
  }

  get quotaBytes(): number {
    return this.#present.quotaBytes;
  }

  get isFull(): boolean {
    return this.#present.isFull;
  }

  get members(): readonly MemberRecord[] {
    return this.#present.members;
  }

  get clusterVersion(): string {
    return this.#present.clusterVersion;
  }

  get removedMembers(): ReadonlySet<string> {
    return this.#present.removedMembers;
  }

  get corruptMembers(): ReadonlyMap<string, StateHash> {
    return this.#present.corruptMembers;
  }

  get leases(): ReadonlyMap<LeaseId, LeaseRecord> {
    return this.#present.leases;
  }

  get stateHashes(): readonly StateHash[] {
    return this.#present.stateHashes;
  }

  get openViews(): number {
    return this.#present.openViews;
  }

  get openExports(): number {
    return this.#exports.size;
  }

  get bufferedBytes(): number {
    return this.#present.bufferedBytes;
  }

  get watches(): WatchHub {
    return this.#present.watches;
  }

  get onLeaseChange(): Store['onLeaseChange'] {
    return this.#present.onLeaseChange;
  }

  set onLeaseChange(listener: Store['onLeaseChange']) {
    this.#present.onLeaseChange = listener;
  }

  apply(index: number, commands: undefined, context?: EntryContext): undefined;
  apply(
    index: number,
    commands: Uint8Array,
    context: EntryContext,
  ): readonly CommandResult[] | Promise<readonly CommandResult[]>;
  apply(
    index: number,
    commands: Uint8Array | undefined,
    context?: EntryContext,
  ): readonly CommandResult[] | Promise<readonly CommandResult[]> | undefined {
    assert(!this.#isBetween, 'an entry is applied while there is no store');
    if (commands === undefined || context === undefined) return this.#present.apply(index, undefined);
    return this.#present.apply(index, commands, context);
  }

  get(key: Uint8Array): KeyValue | undefined {
    return this.#usable().get(key);
  }

  readView(revision?: Revision): ReadView {
    const view = new HandedOutView(this.#usable().readView(revision), () => this.#views.delete(view));
    this.#views.add(view);
    return view;
  }

  async openExport(): Promise<StoreExport> {
    const opened = await this.#during(this.#usable().openExport());
    const handed = new HandedOutExport(opened, () => this.#exports.delete(handed));
    this.#exports.add(handed);
    if (this.#isBetween) handed.end();
    return handed;
  }

  watch(request: WatchRequest, sink: WatchSink): StoreWatch {
    return this.#usable().watch(request, sink);
  }

  async leaseKeys(id: LeaseId): Promise<readonly Uint8Array[]> {
    return await this.#during(this.#usable().leaseKeys(id));
  }

  flush(): Promise<void> {
    return this.#usable().flush();
  }

  makeRoom(bytesMax: number): Promise<void> {
    return this.#usable().makeRoom(bytesMax);
  }

  /** Begins again with another store: only that one's damage is still of interest. */
  async scrub({ pauseMs, signal }: { readonly pauseMs: number; readonly signal: AbortSignal }): Promise<number> {
    for (;;) {
      while (this.#isBetween) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      const replacing = new AbortController();
      const stop = (): void => replacing.abort();
      signal.addEventListener('abort', stop);
      if (signal.aborted) stop();
      this.#scrubs.add(replacing);
      try {
        const scrubbing = this.#present.scrub({ pauseMs, signal: replacing.signal });
        this.#hold(scrubbing);
        const records = await scrubbing;
        if (signal.aborted || !replacing.signal.aborted) return records;
      } finally {
        this.#scrubs.delete(replacing);
        signal.removeEventListener('abort', stop);
      }
    }
  }

  async close(): Promise<void> {
    await this.#present.close();
  }

  #usable(): Store {
    if (this.#isBetween) throw replaced('Try again.');
    return this.#present;
  }

  /** What fails because the store was taken away has not failed, but has to be asked for again. */
  async #during<T>(work: Promise<T>): Promise<T> {
    const store = this.#present;
    this.#hold(work);
    try {
      return await work;
    } catch (reason) {
      if (this.#isBetween || this.#present !== store) throw replaced('Try again.');
      throw reason;
    }
  }

  #hold(work: Promise<unknown>): void {
    const ended = (): boolean => this.#busy.delete(work);
    this.#busy.add(work);
    work.then(ended, ended);
  }

  /** Only the failure of the present store is one. */
  #follow(store: Store): void {
    store.failed.catch((reason: unknown) => {
      if (this.#present === store && !this.#isBetween) this.#fail(reason);
    });
  }
}

/** Its reads are told why there is nothing more to be read. */
abstract class HandedOut {
  #isReplaced = false;
  #isClosed = false;
  readonly #closeInner: () => Promise<void>;
  readonly #onClose: () => void;

  constructor(closeInner: () => Promise<void>, onClose: () => void) {
    this.#closeInner = closeInner;
    this.#onClose = onClose;
  }

  /** The store is taken away. */
  end(): void {
    this.#isReplaced = true;
    void this.close().catch(() => {});
  }

  close(): Promise<void> {
    if (!this.#isClosed) this.#onClose();
    this.#isClosed = true;
    return this.#closeInner();
  }

  protected async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isReplaced) throw replaced('Try again.');
    try {
      return await work();
    } catch (reason) {
      if (this.#isReplaced) throw replaced('Try again.');
      throw reason;
    }
  }
}

class HandedOutView extends HandedOut implements ReadView {
  readonly #view: ReadView;

  constructor(view: ReadView, onClose: () => void) {
    super(() => view.close(), onClose);
    this.#view = view;
  }

  get revision(): Revision {
    return this.#view.revision;
  }

  get(key: Uint8Array): Promise<KeyValue | undefined> {
    return this.during(() => this.#view.get(key));
  }

  page(range: KeyRange, options: PageOptions): ReturnType<ReadView['page']> {
    return this.during(() => this.#view.page(range, options));
  }

  count(range: KeyRange): Promise<number> {
    return this.during(() => this.#view.count(range));
  }

  list(request: RangeRequest, bytesMax: number): ReturnType<ReadView['list']> {
    return this.during(() => this.#view.list(request, bytesMax));
  }
}

class HandedOutExport extends HandedOut implements StoreExport {
  readonly #export: StoreExport;

  constructor(opened: StoreExport, onClose: () => void) {
    super(() => opened.close(), onClose);
    this.#export = opened;
  }

  get appliedIndex(): number {
    return this.#export.appliedIndex;
  }

  get revision(): Revision {
    return this.#export.revision;
  }

  get compactRevision(): Revision {
    return this.#export.compactRevision;
  }

  get keyCount(): number {
    return this.#export.keyCount;
  }

  get hash(): number {
    return this.#export.hash;
  }

  get bytesExpected(): number {
    return this.#export.bytesExpected;
  }

  get members(): readonly MemberRecord[] {
    return this.#export.members;
  }

  next(bytesMax: number): Promise<Buffer | undefined> {
    return this.during(() => this.#export.next(bytesMax));
  }
}

function replaced(advice: string): BalsaError {
  return new BalsaError('unavailable', `This member has just taken in a snapshot of the cluster's state. ${advice}`);
}
