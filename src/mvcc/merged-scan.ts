import type { AbstractIterator, AbstractSnapshot } from 'abstract-level';
import type { Clock } from '../base/clock.ts';
import { breathe } from './breathe.ts';
import type { Database } from './database.ts';
import type { TableKey, TableRange } from './key-space.ts';
import { findInLayers, type Layer, LayersCursor } from './layer.ts';

/** One moment of a store: LevelDB's snapshot and the changes on top of it. */
export interface Moment {
  readonly database: Database;
  readonly snapshot: AbstractSnapshot;
  /** Oldest first. */
  readonly layers: readonly Layer[];
  readonly clock: Clock;
}

/** One record as of that moment. */
export function readAt({ database, snapshot, layers }: Moment, key: TableKey): Buffer | undefined {
  const change = findInLayers(layers, key.name);
  if (change !== undefined) return change ?? undefined;
  return database.getSync(key.bytes, { snapshot });
}

export interface ScanOptions {
  readonly range: TableRange;
  readonly reverse: boolean;
  /** False: records stay on the disk and `record` is empty. */
  readonly records: boolean;
  /** About how many the caller wants, to read no more from the disk. Infinity: all. */
  readonly entriesWanted: number;
}

export interface ScanEntry {
  readonly key: Buffer;
  readonly record: Buffer;
}

/**
 * The records of a range in byte order, LevelDB's merged with the layers', in slices of bounded work; between slices
 * the event loop runs. To be closed.
 */
export class MergedScan {
  readonly #options: ScanOptions;
  readonly #clock: Clock;
  readonly #iterator: AbstractIterator<Database, Buffer, Buffer>;
  #cursor: LayersCursor;
  readonly #layers: readonly Layer[];
  readonly #chunkSize: number;
  #chunk: readonly [Buffer, Buffer][] = [];
  #chunkAt = 0;
  /** LevelDB has no more; the layers still may. */
  #databaseEnded = false;
  #begun = false;

  constructor(moment: Moment, options: ScanOptions) {
    const { gte, lt } = options.range;
    this.#options = options;
    this.#clock = moment.clock;
    this.#layers = moment.layers;
    this.#chunkSize = Math.max(1, Math.min(options.entriesWanted, sliceEntriesMax));
    this.#cursor = new LayersCursor(moment.layers, { gte: gte.name, lt: lt.name, reverse: options.reverse });
    const iteratorOptions = {
      gte: gte.bytes,
      lt: lt.bytes,
      reverse: options.reverse,
      values: options.records,
      snapshot: moment.snapshot,
      // classic-level's: a chunk ends after that many bytes, however many entries were asked for.
      highWaterMarkBytes: sliceBytesMax,
    };
    this.#iterator = moment.database.iterator(iteratorOptions);
  }

  /** The next entries; none at the end. */
  async next(): Promise<readonly ScanEntry[]> {
    while (!this.#ended) {
      if (this.#chunkAt === this.#chunk.length && !this.#databaseEnded) await this.#refill();
      else if (this.#begun) await breathe(this.#clock);
      this.#begun = true;
      const slice = this.#merge();
      if (slice.length > 0) return slice;
    }
    return [];
  }

  /** Goes on with the first entry that is not before that key (not behind it, in reverse). Only ahead. */
  seek(target: TableKey): void {
    const { range, reverse } = this.#options;
    while (this.#chunkAt < this.#chunk.length) {
      const [key] = this.#chunk[this.#chunkAt] as readonly [Buffer, Buffer];
      const order = Buffer.compare(key, target.bytes);
      if (reverse ? order <= 0 : order >= 0) break;
      this.#chunkAt++;
    }
    if (this.#chunkAt === this.#chunk.length && !this.#databaseEnded) this.#iterator.seek(target.bytes);
    const [gte, lt] = reverse ? [range.gte.name, `${target.name}\0`] : [target.name, range.lt.name];
    this.#cursor = new LayersCursor(this.#layers, { gte, lt, reverse });
  }

  close(): Promise<void> {
    return this.#iterator.close();
  }

  get #ended(): boolean {
    return this.#databaseEnded && this.#chunkAt === this.#chunk.length && this.#cursor.name === undefined;
  }

  async #refill(): Promise<void> {
    this.#chunk = await this.#iterator.nextv(this.#chunkSize);
    this.#chunkAt = 0;
    this.#databaseEnded = this.#chunk.length === 0;
  }

  /** As much as one slice may hold of what is at hand; where the layers are ahead of the chunk they have to wait. */
  #merge(): ScanEntry[] {
    const slice: ScanEntry[] = [];
    let bytes = 0;
    for (let steps = 0; steps < this.#chunkSize && bytes < sliceBytesMax; steps++) {
      const stored = this.#chunk[this.#chunkAt];
      if (stored === undefined && !this.#databaseEnded) break;
      const entry = this.#take(stored);
      if (entry === 'end') break;
      if (entry === 'deleted') continue;
      slice.push(entry);
      bytes += entry.key.length + entry.record.length;
    }
    return slice;
  }

  #take(stored: readonly [Buffer, Buffer] | undefined): ScanEntry | 'deleted' | 'end' {
    const changed = this.#cursor.name;
    if (changed === undefined) return stored === undefined ? 'end' : this.#takeStored(stored);

    const storedName = stored?.[0].toString('latin1');
    if (stored !== undefined && storedName !== undefined && this.#before(storedName, changed))
      return this.#takeStored(stored);
    if (storedName === changed) this.#chunkAt++;
    const record = this.#cursor.change;
    this.#cursor.advance();
    if (record === null) return 'deleted';
    return { key: Buffer.from(changed, 'latin1'), record: this.#options.records ? record : nothing };
  }

  #takeStored([key, record]: readonly [Buffer, Buffer]): ScanEntry {
    this.#chunkAt++;
    return { key, record: this.#options.records ? record : nothing };
  }

  #before(a: string, b: string): boolean {
    return this.#options.reverse ? a > b : a < b;
  }
}

const nothing = Buffer.alloc(0);
/** About a millisecond of checksums and merging. */
const sliceEntriesMax = 1_000;
const sliceBytesMax = 256 * 1024;
