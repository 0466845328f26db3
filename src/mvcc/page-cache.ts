import type { KeyRange, KeyValue, Revision } from '../contract/kv.ts';
import { asBuffer } from './byte-layout.ts';
import type { PageOptions } from './store.ts';
import type { RevisionChanges } from './tables.ts';
import { Turns } from './turns.ts';

export interface Page {
  readonly kvs: readonly KeyValue[];
  readonly next: Uint8Array | undefined;
}

/** A page of the present: what is asked for, and the present revision when it was asked for. */
export interface PageQuestion {
  readonly range: KeyRange;
  readonly options: Omit<PageOptions, 'bounds'>;
  readonly revision: Revision;
}

/**
 * Pages of the present that are read again and again. Clients that look after a prefix mostly find it as it was, and LevelDB
 * hands each key and each value over as a buffer of its own: half of the time of a page goes into making these and collecting
 * them. A page is kept when it is asked for a second time.
 *
 * **Invariant:** a page that is kept is what a scan would read at the revision it was read at, and at all since.
 */
export class PageCache {
  /** Those that were used last come last. */
  readonly #kept = new Map<string, Kept>();
  readonly #readings = new Set<Reading>();
  /** Names of pages that were read once; the oldest first. */
  readonly #asked = new Set<string>();
  readonly #turns = new Turns(readingsMax);
  #bytes = 0;
  #revision: Revision;

  /** `revision`: the present one. */
  constructor(revision: Revision) {
    this.#revision = revision;
  }

  /** One that is kept, or else what `read` reads; which is the same array as often as it is found again. */
  async page(question: PageQuestion, read: () => Promise<Page>): Promise<Page> {
    const name = nameOf(question);
    return this.#find(name, question) ?? this.#turns.run(() => this.#readPage(name, question, read));
  }

  #find(name: string, { revision }: PageQuestion): Page | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined || kept.revision > revision) return undefined;
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    return kept.page;
  }

  async #readPage(name: string, question: PageQuestion, read: () => Promise<Page>): Promise<Page> {
    // Others may have asked the same and had their turn.
    const found = this.#find(name, question);
    if (found !== undefined) return found;
    // The view that asks is of the past by now.
    if (question.revision !== this.#revision || !this.#isAskedAgain(name)) return read();
    const reading: Reading = { range: question.range, isOutdated: false };
    this.#readings.add(reading);
    try {
      const page = await read();
      return reading.isOutdated ? page : this.#keep(name, question, page);
    } finally {
      this.#readings.delete(reading);
    }
  }

  /** To be called in the same turn in which they take effect. */
  onChanges(revisions: readonly RevisionChanges[]): void {
    for (const { revision, changes } of revisions) {
      this.#revision = revision;
      if (this.#kept.size === 0 && this.#readings.size === 0) continue;
      for (const { key } of changes) this.#forget(key);
    }
  }

  #forget(key: Uint8Array): void {
    for (const reading of this.#readings) {
      if (holds(reading.range, key)) reading.isOutdated = true;
    }
    for (const [name, kept] of this.#kept) {
      if (holds(kept.range, key)) this.#drop(name, kept);
    }
  }

  /** Whoever goes through all keys page by page reads each of them once. */
  #isAskedAgain(name: string): boolean {
    if (name.length > nameLengthMax) return false;
    if (this.#asked.has(name)) return true;
    this.#asked.add(name);
    const [oldest] = this.#asked;
    if (oldest !== undefined && this.#asked.size > askedMax) this.#asked.delete(oldest);
    return false;
  }

  #keep(name: string, { range, revision }: PageQuestion, read: Page): Page {
    const bytes = bytesOf(read);
    if (bytes > pageBytesMax) return read;
    const before = this.#kept.get(name);
    if (before !== undefined) this.#drop(name, before);
    const page = packed(read);
    this.#kept.set(name, { range, revision, page, bytes });
    this.#bytes += bytes;
    for (const [oldest, kept] of this.#kept) {
      if (this.#bytes <= bytesMax && this.#kept.size <= pagesMax) break;
      this.#drop(oldest, kept);
    }
    return page;
  }

  #drop(name: string, { bytes }: Kept): void {
    this.#kept.delete(name);
    this.#bytes -= bytes;
  }
}

interface Kept {
  readonly range: KeyRange;
  readonly revision: Revision;
  readonly page: Page;
  readonly bytes: number;
}

interface Reading {
  readonly range: KeyRange;
  isOutdated: boolean;
}

function holds({ start, end }: KeyRange, key: Uint8Array): boolean {
  return Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0);
}

/** Different for all that may have different answers. */
function nameOf({ range: { start, end }, options }: PageQuestion): string {
  const { limit, bytesMax: answerBytesMax, keysOnly, reverse = false } = options;
  const first = asBuffer(start).toString('latin1');
  const last = end === undefined ? '' : `<${asBuffer(end).toString('latin1')}`;
  return `${limit} ${answerBytesMax} ${keysOnly} ${reverse} ${first.length} ${first}${last}`;
}

/**
 * One piece of memory for all keys and values: what was read may be views on pieces that are a hundred times as large, which
 * they would hold on to.
 */
function packed({ kvs, next }: Page): Page {
  const all = Buffer.allocUnsafeSlow(kvs.reduce((sum, { key, value }) => sum + key.length + value.length, 0));
  let at = 0;
  const copy = (bytes: Uint8Array): Buffer => {
    all.set(bytes, at);
    at += bytes.length;
    return all.subarray(at - bytes.length, at);
  };
  return {
    kvs: kvs.map((kv) => ({ ...kv, key: copy(kv.key), value: copy(kv.value) })),
    next: next && Buffer.from(next),
  };
}

function bytesOf({ kvs }: Page): number {
  return kvs.reduce((sum, { key, value }) => sum + key.length + value.length + objectBytes, 0);
}

/** Whoever answers with a page may keep its answer for as long (`src/api`), so that it may take three times this. */
const bytesMax = 8 * 1024 * 1024;
const pageBytesMax = bytesMax / 4;
/** Pages that are read at the same time. */
const readingsMax = 8;
/** Each put looks at all of them. */
const pagesMax = 16;
const askedMax = 64;
/** Keys may have megabytes over etcd's API. */
const nameLengthMax = 4096;
/** What a key-value takes beside its bytes, about. */
const objectBytes = 300;
