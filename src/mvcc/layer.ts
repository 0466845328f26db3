import { isWrittenOnce, type TableKey, tableAt } from './key-space.ts';
import { PackedRecords } from './packed-records.ts';

/** What a layer says about a key: its record, or that it is deleted; `undefined` where the layer says nothing. */
export type Change = Buffer | null;

/**
 * A set of applied changes that are not in LevelDB yet, by key name (see `TableKey`).
 *
 * **Invariant:** only the newest layer of a buffer is written to, and only until somebody else is given it.
 */
export class Layer {
  /** Of a key among the names and places. */
  readonly #positions = new Map<string, number>();
  readonly #names: string[] = [];
  /** Of what it says; `deleted`, or a place in the records. */
  readonly #places: number[] = [];
  /**
   * Of keys and records, by turns, which nobody has asked for by name yet: every put writes one of these for the past, and
   * names and a Map for them would take as long as all the rest of it.
   */
  #unnamed: number[] = [];
  readonly #records = new PackedRecords();
  #sorted: readonly string[] | undefined;
  #nameBytes = 0;

  /** Keys that it says something about. */
  get size(): number {
    return this.#names.length + this.#unnamed.length / 2;
  }

  /** Of keys and records, those too that were replaced, without what the Map itself takes. */
  get bytes(): number {
    return this.#nameBytes + this.#records.bytes;
  }

  get(name: string): Change | undefined {
    if (isWrittenOnce(name.charCodeAt(tableAt))) this.#nameAll();
    const position = this.#positions.get(name);
    return position === undefined ? undefined : this.#changeAt(position);
  }

  set(name: string, change: Change): void {
    if (isWrittenOnce(name.charCodeAt(tableAt))) this.#nameAll();
    this.#setPlace(name, change === null ? deleted : this.#records.add(change));
  }

  /** As `set`, and cheaper for what is written once. */
  write(key: TableKey, change: Change): void {
    if (change !== null && isWrittenOnce(key.bytes[tableAt])) this.#append(key.bytes, change);
    else this.set(key.name, change);
  }

  /** From its beginning to its end; nothing may be written meanwhile. */
  reader(): LayerReader {
    return new LayerReader(this.#names, this.#places, this.#unnamed, this.#records);
  }

  /** Visits what can be asked for by name, without what was appended since anybody asked. */
  forEachNamed(visit: (name: string, change: Change) => void): void {
    for (let at = 0; at < this.#names.length; at++) visit(this.#names[at] as string, this.#changeAt(at));
  }

  /** All that a newer layer says. */
  addAll(newer: Layer): void {
    newer.forEachNamed((name, change) => this.set(name, change));
    const [unnamed, records] = [newer.#unnamed, newer.#records];
    for (let at = 0; at < unnamed.length; at += 2) {
      this.#append(records.view(unnamed[at] as number), records.view(unnamed[at + 1] as number));
    }
  }

  /** Takes over what an older layer says, where this one says nothing. The older one says the same as before. */
  absorb(older: Layer): void {
    this.#nameAll();
    older.#nameAll();
    older.forEachNamed((name, change) => {
      if (!this.#positions.has(name)) this.set(name, change);
    });
  }

  /** Sorted when first asked for: puts never pay for the order that only ranges need. */
  sortedNames(): readonly string[] {
    this.#nameAll();
    // The default order compares UTF-16 units, which for latin1 names are the bytes.
    this.#sorted ??= this.#names.toSorted();
    return this.#sorted;
  }

  #append(key: Buffer, record: Buffer): void {
    this.#unnamed.push(this.#records.add(key), this.#records.add(record));
    this.#sorted = undefined;
  }

  #setPlace(name: string, place: number): void {
    this.#sorted = undefined;
    const position = this.#positions.get(name);
    if (position !== undefined) {
      this.#places[position] = place;
      return;
    }
    this.#positions.set(name, this.#names.length);
    this.#names.push(name);
    this.#places.push(place);
    this.#nameBytes += name.length;
  }

  #nameAll(): void {
    const unnamed = this.#unnamed;
    if (unnamed.length === 0) return;
    this.#unnamed = [];
    for (let at = 0; at < unnamed.length; at += 2) {
      this.#setPlace(this.#records.view(unnamed[at] as number).toString('latin1'), unnamed[at + 1] as number);
    }
  }

  #changeAt(position: number): Change {
    const place = this.#places[position] as number;
    return place === deleted ? null : this.#records.view(place);
  }
}

/** One change after another, without an object for each: a flush reads tens of thousands. */
export class LayerReader {
  readonly #names: readonly string[];
  readonly #places: readonly number[];
  readonly #unnamed: readonly number[];
  readonly #records: PackedRecords;
  /** Somebody may ask for a name meanwhile: then the others have names too, and are not read twice. */
  readonly #namedCount: number;
  #at = -1;
  #key: Buffer = noKey;
  #change: Change = null;

  constructor(names: readonly string[], places: readonly number[], unnamed: readonly number[], records: PackedRecords) {
    this.#names = names;
    this.#places = places;
    this.#unnamed = unnamed;
    this.#records = records;
    this.#namedCount = names.length;
  }

  get key(): Buffer {
    return this.#key;
  }

  get change(): Change {
    return this.#change;
  }

  /** Goes to the first change, then to the next; false at the end. */
  next(): boolean {
    const at = ++this.#at;
    if (at < this.#namedCount) {
      const place = this.#places[at] as number;
      this.#key = Buffer.from(this.#names[at] as string, 'latin1');
      this.#change = place === deleted ? null : this.#records.view(place);
      return true;
    }
    const pair = 2 * (at - this.#namedCount);
    if (pair >= this.#unnamed.length) return false;
    this.#key = this.#records.view(this.#unnamed[pair] as number);
    this.#change = this.#records.view(this.#unnamed[pair + 1] as number);
    return true;
  }
}

const noKey = Buffer.alloc(0);

/** Instead of a place. */
const deleted = -1;

/** What the newest layer that says something says; `layers`: oldest first. */
export function findInLayers(layers: readonly Layer[], name: string): Change | undefined {
  for (let at = layers.length - 1; at >= 0; at--) {
    const change = layers[at]?.get(name);
    if (change !== undefined) return change;
  }
  return undefined;
}

/** Walks through what several layers say about a range, in byte order (or against it); newer layers win. */
export class LayersCursor {
  /** Newest first. */
  readonly #walks: Walk[] = [];
  readonly #reverse: boolean;
  #name: string | undefined;
  #change: Change = null;

  /** `layers`: oldest first. The range is from `gte` up to, not including, `lt`. */
  constructor(layers: readonly Layer[], range: { gte: string; lt: string; reverse: boolean }) {
    this.#reverse = range.reverse;
    for (const layer of layers.toReversed()) {
      const names = layer.sortedNames();
      const start = lowerBound(names, range.gte);
      const end = lowerBound(names, range.lt);
      if (start >= end) continue;
      this.#walks.push(
        range.reverse ? { layer, names, at: end - 1, stop: start - 1 } : { layer, names, at: start, stop: end },
      );
    }
    this.#settle();
  }

  /** The key at the cursor; undefined at the end. */
  get name(): string | undefined {
    return this.#name;
  }

  get change(): Change {
    return this.#change;
  }

  advance(): void {
    const step = this.#reverse ? -1 : 1;
    for (const walk of this.#walks) {
      if (walk.at !== walk.stop && walk.names[walk.at] === this.#name) walk.at += step;
    }
    this.#settle();
  }

  #settle(): void {
    this.#name = undefined;
    for (const walk of this.#walks) {
      if (walk.at === walk.stop) continue;
      const name = walk.names[walk.at] as string;
      if (this.#name !== undefined && (this.#reverse ? name <= this.#name : name >= this.#name)) continue;
      this.#name = name;
      this.#change = walk.layer.get(name) ?? null;
    }
  }
}

interface Walk {
  readonly layer: Layer;
  readonly names: readonly string[];
  at: number;
  readonly stop: number;
}

/** The index of the first name that is not before `bound`. */
function lowerBound(names: readonly string[], bound: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] as string) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
