import { assert } from '../base/assert.ts';
import type { KeyRange, KeyValue, RangeSort, Revision } from '../contract/kv.ts';
import { type KeySpace, type TableRange, withoutPrefix } from './key-space.ts';
import { MergedScan, type Moment, type ScanEntry, type ScanOptions } from './merged-scan.ts';
import { decodeRecord, toKeyValue } from './record.ts';
import type { PageOptions, ReadView, SortedOptions } from './store.ts';
import { TopList } from './top-list.ts';

export interface ReadViewOptions {
  readonly moment: Moment;
  readonly keySpace: KeySpace;
  readonly revision: Revision;
  readonly keyCount: number;
  /** Called once. */
  readonly onClose: () => void;
}

export function createReadView(options: ReadViewOptions): ReadView {
  return new MomentView(options);
}

class MomentView implements ReadView {
  readonly #options: ReadViewOptions;
  #closing: Promise<void> | undefined;

  constructor(options: ReadViewOptions) {
    this.#options = options;
  }

  get revision(): Revision {
    return this.#options.revision;
  }

  async page(range: KeyRange, options: PageOptions): ReturnType<ReadView['page']> {
    const { limit, bytesMax, keysOnly, reverse = false } = options;
    const kvs: KeyValue[] = [];
    let bytes = 0;
    let next: Uint8Array | undefined;
    await this.#scan(
      range,
      { reverse, records: true, entriesWanted: limit === 0 ? Number.POSITIVE_INFINITY : limit + 1 },
      (entry) => {
        const kv = readEntry(entry, keysOnly);
        const size = kvBytes(kv);
        const full = kvs.length > 0 && (kvs.length === limit || bytes + size > bytesMax);
        if (full) {
          next = reverse ? kvs.at(-1)?.key : kv.key;
          return false;
        }
        kvs.push(kv);
        bytes += size;
        return true;
      },
    );
    return { kvs, next };
  }

  async count(range: KeyRange): Promise<number> {
    if (range.start.length === 0 && range.end === undefined) {
      this.#assertOpen();
      return this.#options.keyCount;
    }
    let count = 0;
    await this.#scan(range, { reverse: false, records: false, entriesWanted: Number.POSITIVE_INFINITY }, () => {
      count++;
      return true;
    });
    return count;
  }

  async sorted(range: KeyRange, options: SortedOptions): ReturnType<ReadView['sorted']> {
    const limits = {
      itemsMax: options.limit === 0 ? Number.POSITIVE_INFINITY : options.limit,
      bytesMax: options.bytesMax,
    };
    const top = new TopList<KeyValue>(limits, kvBytes, order(options.sort, options.order));
    await this.#scan(range, { reverse: false, records: true, entriesWanted: Number.POSITIVE_INFINITY }, (entry) => {
      top.add(readEntry(entry, options.keysOnly));
      return true;
    });
    return { kvs: top.take(), more: top.isCut };
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#options.onClose();
    await this.#options.moment.snapshot.close();
  }

  /** Calls `visit` with the entries of the range in order until it says false. */
  async #scan(
    range: KeyRange,
    options: Omit<ScanOptions, 'range'>,
    visit: (entry: ScanEntry) => boolean,
  ): Promise<void> {
    this.#assertOpen();
    const tableRange = this.#options.keySpace.range('current', range);
    if (isEmpty(tableRange)) return;
    const scan = new MergedScan(this.#options.moment, { range: tableRange, ...options });
    try {
      for (let slice = await scan.next(); slice.length > 0; slice = await scan.next()) {
        for (const entry of slice) {
          if (!visit(entry)) return;
        }
        this.#assertOpen();
      }
    } finally {
      await scan.close();
    }
  }

  #assertOpen(): void {
    assert(this.#closing === undefined, 'the read view is closed');
  }
}

function readEntry(entry: ScanEntry, keysOnly: boolean): KeyValue {
  const record = decodeRecord(entry.key, entry.record);
  return toKeyValue(withoutPrefix(entry.key), keysOnly ? { ...record, value: new Uint8Array() } : record);
}

/** Two key-values are never equal in this order: keys differ. */
function order(sort: RangeSort, direction: 'asc' | 'desc'): (a: KeyValue, b: KeyValue) => boolean {
  const sign = direction === 'asc' ? 1 : -1;
  if (sort === 'key') return (a, b) => sign * Buffer.compare(a.key, b.key) < 0;
  return (a, b) => (sign * (a[sort] - b[sort]) || Buffer.compare(a.key, b.key)) < 0;
}

function kvBytes(kv: KeyValue): number {
  return kv.key.length + kv.value.length + fixedBytes;
}

function isEmpty({ gte, lt }: TableRange): boolean {
  return gte.name >= lt.name;
}

/** Revisions and version, so that a page of empty values is bounded too. */
const fixedBytes = 24;
