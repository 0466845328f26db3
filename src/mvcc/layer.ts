import { PackedRecords } from './packed-records.ts';

/** What a layer says about a key: its record, or that it is deleted; `undefined` where the layer says nothing. */
export type Change = Buffer | null;

/**
 * A set of applied changes that are not in LevelDB yet, by key name (see `TableKey`).
 *
 * **Invariant:** only the newest layer of a buffer is written to, and only until somebody else is given it.
 */
export class Layer {
  /** Of what it says; `deleted`, or a place in the records. */
  readonly #places = new Map<string, number>();
  readonly #records = new PackedRecords();
  #sorted: readonly string[] | undefined;
  #nameBytes = 0;

  /** Keys that it says something about. */
  get size(): number {
    return this.#places.size;
  }

  /** Of keys and records, those too that were replaced, without what the Map itself takes. */
  get bytes(): number {
    return this.#nameBytes + this.#records.bytes;
  }

  get(name: string): Change | undefined {
    const place = this.#places.get(name);
    return place === undefined ? undefined : this.#changeAt(place);
  }

  set(name: string, change: Change): void {
    const { size } = this.#places;
    this.#places.set(name, change === null ? deleted : this.#records.add(change));
    if (this.#places.size !== size) this.#nameBytes += name.length;
    this.#sorted = undefined;
  }

  *changes(): Generator<readonly [name: string, change: Change], void, void> {
    for (const [name, place] of this.#places) yield [name, this.#changeAt(place)];
  }

  /** Takes over what an older layer says, where this one says nothing. The older one stays as it is. */
  absorb(older: Layer): void {
    for (const [name, change] of older.changes()) {
      if (!this.#places.has(name)) this.set(name, change);
    }
  }

  /** Sorted when first asked for: puts never pay for the order that only ranges need. */
  sortedNames(): readonly string[] {
    // The default order compares UTF-16 units, which for latin1 names are the bytes.
    this.#sorted ??= [...this.#places.keys()].sort();
    return this.#sorted;
  }

  #changeAt(place: number): Change {
    return place === deleted ? null : this.#records.view(place);
  }
}

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
