import { assert } from '../base/assert.ts';
import type { KeyRange, KeyValue, RangeRequest, Revision } from '../contract/kv.ts';
import type { KeySpace } from './key-space.ts';
import type { Moment } from './merged-scan.ts';
import type { Page, PageCache } from './page-cache.ts';
import { isWithin, kvBytes, RangeCollector, type RangeResult, withoutValue } from './range-collector.ts';
import { type CurrentRecord, toKeyValue } from './record.ts';
import type { PageOptions, ReadView } from './store.ts';
import { scanVersions, versionAt } from './version-scan.ts';

export interface ReadViewOptions {
  readonly moment: Moment;
  readonly keySpace: KeySpace;
  /** What the view shows. */
  readonly revision: Revision;
  /** It was the present when the view was opened. */
  readonly isPresent: boolean;
  /** At the moment of opening. */
  readonly keyCount: number;
  readonly pages: PageCache;
  /** A read failed; it also rejects. */
  readonly onFailure: (reason: unknown) => void;
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

  async get(key: Uint8Array): Promise<KeyValue | undefined> {
    this.#assertOpen();
    let found: KeyValue | undefined;
    const { moment, keySpace, revision, isPresent } = this.#options;
    const end = Buffer.concat([key, Buffer.of(0)]);
    await this.#scan({ start: key, end }, { reverse: false, entriesWanted: 1, present: true }, (name, record) => {
      if (isPresent || record.modRevision <= revision) found = toKeyValue(name, record);
      return false;
    });
    if (found !== undefined || isPresent) return found;
    const past = await versionAt(moment, keySpace, key, revision);
    return past === undefined ? undefined : toKeyValue(key, past);
  }

  async page(range: KeyRange, options: PageOptions): Promise<Page> {
    this.#assertOpen();
    const { isPresent, revision, pages } = this.#options;
    if (!isPresent || options.bounds !== undefined) return this.#readPage(range, options);
    return pages.page({ range, options, revision }, () => this.#readPage(range, options));
  }

  async #readPage(range: KeyRange, options: PageOptions): Promise<Page> {
    const { limit, bytesMax, keysOnly, reverse = false, bounds } = options;
    const kvs: KeyValue[] = [];
    let bytes = 0;
    let next: Uint8Array | undefined;
    const entriesWanted = limit === 0 || bounds !== undefined ? Number.POSITIVE_INFINITY : limit + 1;
    await this.#scan(range, { reverse, entriesWanted }, (key, record) => {
      if (bounds !== undefined && !isWithin(record, bounds)) return true;
      const kv = toKeyValue(key, keysOnly ? withoutValue(record) : record);
      const size = kvBytes(kv);
      const full = kvs.length > 0 && (kvs.length === limit || bytes + size > bytesMax);
      if (full) {
        next = reverse ? kvs.at(-1)?.key : kv.key;
        return false;
      }
      kvs.push(kv);
      bytes += size;
      return true;
    });
    return { kvs, next };
  }

  async count(range: KeyRange): Promise<number> {
    const { isPresent, keyCount } = this.#options;
    if (isPresent && range.start.length === 0 && range.end === undefined) {
      this.#assertOpen();
      return keyCount;
    }
    let count = 0;
    await this.#scan(range, { reverse: false, entriesWanted: Number.POSITIVE_INFINITY }, () => {
      count++;
      return true;
    });
    return count;
  }

  async list(request: RangeRequest, bytesMax: number): Promise<RangeResult> {
    const collector = new RangeCollector(request, bytesMax);
    await this.#scan(request.range, { reverse: false, entriesWanted: Number.POSITIVE_INFINITY }, (key, record) => {
      collector.add(key, record);
      return true;
    });
    return collector.result();
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#options.onClose();
    await this.#options.moment.snapshot.close();
  }

  /** `present`: the present versions, also where the view shows the past. */
  async #scan(
    range: KeyRange,
    options: { readonly reverse: boolean; readonly entriesWanted: number; readonly present?: boolean },
    visit: (key: Buffer, record: CurrentRecord) => boolean,
  ): Promise<void> {
    this.#assertOpen();
    const { moment, keySpace, revision, isPresent } = this.#options;
    const { reverse, entriesWanted, present = isPresent } = options;
    const scanned = { keySpace, range, reverse, entriesWanted, revision: present ? undefined : revision };
    try {
      await scanVersions(moment, scanned, (key, record) => {
        this.#assertOpen();
        return visit(key, record);
      });
    } catch (reason) {
      this.#options.onFailure(reason);
      throw reason;
    }
  }

  #assertOpen(): void {
    assert(this.#closing === undefined, 'the read view is closed');
  }
}
