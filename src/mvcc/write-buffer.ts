import { assert } from '../base/assert.ts';
import type { CancelTimer, Clock } from '../base/clock.ts';
import { breathe } from './breathe.ts';
import type { Database } from './database.ts';
import type { KeyFilter } from './key-filter.ts';
import { isWrittenOnce, type TableKey, tableAt } from './key-space.ts';
import { type Change, findInLayers, Layer } from './layer.ts';
import { RecordCache } from './record-cache.ts';
import { checkSealOnly } from './sealed.ts';

export interface WriteBufferOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly flushIntervalMs: number;
  readonly flushChangesMax: number;
  readonly flushBytesMax: number;
  /** A batch became durable. */
  readonly onFlushed: ((durationMs: number) => void) | undefined;
  /** What LevelDB holds already. */
  readonly durableIndex: number;
  /** The record that says up to where the store is applied; goes into every batch. */
  readonly stateRecord: () => { readonly key: TableKey; readonly record: Buffer };
  readonly keyFilter: KeyFilter;
}

/**
 * Applied changes on their way to LevelDB.
 *
 *     set ─▶ active layer ─▶ sealed layers ─▶ flushing layers ─▶ one synced batch, with the applied index
 *              │  a view or a flush seals it     │  one flush at a time
 *     get ◀────┴─────────────── newest first ────┴──── and then LevelDB
 *
 * **Invariant:** LevelDB always holds the state after some entry, complete: a batch has all changes up to its applied
 * index, and there is one batch at a time.
 */
export class WriteBuffer {
  readonly #options: WriteBufferOptions;
  readonly #database: Database;
  /** The only layer that is written to. */
  #active = new Layer();
  /** Oldest first; the array and its layers are shared with views and never altered. */
  #sealed: readonly Layer[] = [];
  /** Oldest first; all older than the sealed ones. */
  #flushing: readonly Layer[] = [];
  /** Of what LevelDB holds; all layers are newer. */
  readonly #recent = new RecordCache(recentBytesMax);
  #flight: Promise<void> | undefined;
  #timer: { readonly idle: boolean; readonly cancel: CancelTimer } | undefined;
  #appliedIndex: number;
  #durableIndex: number;
  #failure: Error | undefined;
  #closed = false;
  #fail: (reason: Error) => void = () => {};
  readonly failed: Promise<never>;

  constructor(options: WriteBufferOptions) {
    this.#options = options;
    this.#database = options.database;
    this.#appliedIndex = options.durableIndex;
    this.#durableIndex = options.durableIndex;
    this.failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    // Whoever did not ask is told by the next call.
    this.failed.catch(() => {});
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get durableIndex(): number {
    return this.#durableIndex;
  }

  get bytes(): number {
    return this.#unflushedBytes() + sum(this.#flushing, (layer) => layer.bytes);
  }

  get isUsable(): boolean {
    return this.#failure === undefined && !this.#closed;
  }

  /** Throws if a write failed before, or after close. */
  assertUsable(): void {
    if (this.#failure !== undefined) throw this.#failure;
    assert(!this.#closed, 'the store is closed');
  }

  /**
   * The record under a key as of the last change; undefined if there is none. Its seal is checked: throws `DamagedValue`.
   */
  get(key: TableKey): Buffer | undefined {
    let change = this.#find(key.name);
    // `null` is an answer: the key is deleted, whatever lies below.
    if (change === undefined) change = this.#recent.get(key.name);
    if (change === undefined) change = this.#read(key);
    return change ?? undefined;
  }

  set(key: TableKey, record: Buffer): void {
    this.#active.write(key, record);
  }

  delete(key: TableKey): void {
    this.#active.write(key, null);
  }

  /** Many changes at the cost of one: a layer that was filled beforehand and that nobody writes to any more. */
  addLayer(layer: Layer): void {
    this.#sealActive();
    this.#push(layer);
  }

  /** All that the layer says, at once; a small one joins the changes that are there. Nobody writes to it any more. */
  take(layer: Layer): void {
    if (layer.size > joinedSizeMax) this.addLayer(layer);
    else this.#active.addAll(layer);
  }

  /** Changes that belong to no entry were made: they go down with the next batch, also if no entry comes. */
  scheduleFlush(): void {
    this.#schedule();
  }

  /** The entry at `index`, and all before it, are in the buffer completely. */
  advance(index: number): void {
    this.#appliedIndex = index;
    this.#schedule();
  }

  /** The entry at `index` is in the buffer in part and will not be completed: nothing of it may reach LevelDB. */
  poison(index: number, cause: unknown): void {
    this.#failWith(StoreFailed.byEntry(index, this.#durableIndex, cause));
  }

  /** LevelDB has given back what was not written: nothing that it holds can be trusted any more. */
  distrust(damage: Error): void {
    this.#failWith(damage);
  }

  /** What LevelDB does not have yet, oldest first; never altered. Take it at the same moment as LevelDB's snapshot. */
  freeze(): readonly Layer[] {
    this.#sealActive();
    return this.#flushing.length === 0 ? this.#sealed : [...this.#flushing, ...this.#sealed];
  }

  /** Resolves when everything up to the present applied index is durable. */
  async flush(): Promise<void> {
    this.assertUsable();
    const target = this.#appliedIndex;
    while (this.#durableIndex < target) await (this.#flight ?? this.#startFlush());
  }

  /** Resolves when at most that many bytes wait for LevelDB. */
  async makeRoom(bytesMax: number): Promise<void> {
    this.assertUsable();
    while (this.bytes > bytesMax) await (this.#flight ?? this.#startFlush());
  }

  /** Flushes and ends. Rejects if what was applied did not become durable. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      this.#closed = true;
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  #read(key: TableKey): Change {
    const { keyFilter } = this.#options;
    if (!keyFilter.mayHold(key.name)) return null;
    const record = this.#database.getSync(key.bytes) ?? null;
    if (record === null) keyFilter.noteVainRead(key.name);
    else checkSealOnly(key.bytes, record);
    this.#recent.set(key.name, record);
    return record;
  }

  /** LevelDB has what these layers say. */
  #remember(layers: readonly Layer[]): void {
    const { keyFilter } = this.#options;
    for (const layer of layers) {
      const isRemembered = layer.size <= rememberedSizeMax;
      if (!isRemembered) this.#recent.clear();
      layer.forEachNamed((name, change) => {
        if (change !== null) keyFilter.add(name);
        if (isRemembered && !isWrittenOnce(name.charCodeAt(tableAt))) this.#recent.set(name, change);
      });
    }
  }

  #find(name: string): Change | undefined {
    let change = this.#active.get(name);
    if (change === undefined) change = findInLayers(this.#sealed, name);
    if (change === undefined) change = findInLayers(this.#flushing, name);
    return change;
  }

  #sealActive(): void {
    if (this.#active.size === 0) return;
    this.#push(this.#active);
    this.#active = new Layer();
  }

  /**
   * Small layers are folded into a newer one that is at least half their size, so that a view per write leaves a
   * handful of layers and not one each; a change is copied a logarithmic number of times (as in an LSM tree). A big
   * layer is left alone: copying it would block the event loop.
   */
  #push(layer: Layer): void {
    const older = [...this.#sealed];
    for (let last = older.at(-1); last !== undefined; last = older.at(-1)) {
      if (last.size > 2 * layer.size || last.size + layer.size > foldedSizeMax) break;
      layer.absorb(last);
      older.pop();
    }
    this.#sealed = [...older, layer];
  }

  #schedule(): void {
    if (this.#flight !== undefined || this.#failure !== undefined || this.#closed) return;
    const { flushChangesMax, flushBytesMax } = this.#options;
    const changes = this.#active.size + sum(this.#sealed, (layer) => layer.size);
    if (changes >= flushChangesMax || this.#unflushedBytes() >= flushBytesMax) this.#flushInBackground();
    else if (changes > 0) this.#arm(false, this.#options.flushIntervalMs);
    else if (this.#durableIndex < this.#appliedIndex) this.#arm(true, idleFlushMs);
  }

  /** A timer for changes takes the place of an idle one; otherwise the earlier one stands. */
  #arm(idle: boolean, delayMs: number): void {
    if (this.#timer !== undefined && (idle || !this.#timer.idle)) return;
    this.#timer?.cancel();
    const cancel = this.#options.clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#flushInBackground();
    });
    this.#timer = { idle, cancel };
  }

  #flushInBackground(): void {
    // A failure is told by `failed` and by every later call.
    this.#startFlush().catch(() => {});
  }

  #startFlush(): Promise<void> {
    assert(this.#flight === undefined, 'two flushes at a time');
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#sealActive();
    this.#flushing = this.#sealed;
    this.#sealed = [];
    this.#flight = this.#flushLayers(this.#flushing, this.#appliedIndex, this.#options.stateRecord());
    return this.#flight;
  }

  async #flushLayers(layers: readonly Layer[], index: number, state: { key: TableKey; record: Buffer }): Promise<void> {
    try {
      await this.#writeBatch(layers, state);
    } catch (cause) {
      // Never tried again: after one failed append LevelDB acknowledges writes that it cannot recover.
      throw this.#failWith(StoreFailed.byWrite(this.#durableIndex, cause));
    } finally {
      this.#flight = undefined;
    }
    this.#flushing = [];
    this.#remember(layers);
    this.#durableIndex = index;
    this.#schedule();
  }

  #failWith(failure: Error): Error {
    this.#failure ??= failure;
    this.#fail(this.#failure);
    return this.#failure;
  }

  async #writeBatch(layers: readonly Layer[], state: { key: TableKey; record: Buffer }): Promise<void> {
    const batch = this.#database.batch();
    let queued = 0;
    for (const layer of layers) {
      for (const reader = layer.reader(); reader.next(); ) {
        const { key, change } = reader;
        if (change === null) batch.del(key);
        else batch.put(key, change);
        queued++;
        if (queued % batchSlice === 0) await breathe(this.#options.clock);
      }
    }
    batch.put(state.key.bytes, state.record);
    const startedMs = this.#options.clock.monotonicMs();
    await batch.write(synced);
    this.#options.onFlushed?.(this.#options.clock.monotonicMs() - startedMs);
  }

  #unflushedBytes(): number {
    return this.#active.bytes + sum(this.#sealed, (layer) => layer.bytes);
  }
}

/** The store cannot go on. What was applied after `durableIndex` is only in memory; the log has it. */
export class StoreFailed extends Error {
  override readonly name = 'StoreFailed';

  private constructor(what: string, durableIndex: number, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `${what} failed (${reason}). Nothing applied after log index ${durableIndex} is on this member's disk. The ` +
        'member has to stop; look after its disk and start it again: it applies the rest from its log.',
      { cause },
    );
  }

  static byWrite(durableIndex: number, cause: unknown): StoreFailed {
    return new StoreFailed('Writing the store to LevelDB', durableIndex, cause);
  }

  static byEntry(index: number, durableIndex: number, cause: unknown): StoreFailed {
    return new StoreFailed(`Applying log entry ${index}`, durableIndex, cause);
  }
}

function sum(layers: readonly Layer[], of: (layer: Layer) => number): number {
  let total = 0;
  for (const layer of layers) total += of(layer);
  return total;
}

/** Entries without a change (no-ops, failed conditions) need no batch soon; they only spare the log a replay. */
const idleFlushMs = 5_000;
/** Operations that are put into a batch in one go: about 0.5 ms. */
const batchSlice = 250;
const foldedSizeMax = 16 * 1024;
/** A layer of its own costs every read a look at it. */
const joinedSizeMax = 4 * 1024;
/** Records of LevelDB that are kept in memory, whatever the number of keys. */
const recentBytesMax = 8 * 1024 * 1024;
/** A larger layer (the deletion of a range) would take long to remember and push out everything else. */
const rememberedSizeMax = 32 * 1024;
/** An option of LevelDB's that `abstract-level` passes on. */
const synced = { sync: true };
