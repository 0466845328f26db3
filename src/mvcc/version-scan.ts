import type { KeyRange, Revision } from '../contract/kv.ts';
import { historyRange, parseHistoryKey, versionsOf, versionsUpTo } from './history-table.ts';
import { type KeySpace, type TableRange, withoutPrefix } from './key-space.ts';
import { MergedScan, type Moment, type ScanEntry } from './merged-scan.ts';
import { type CurrentRecord, decodePastRecord, decodeRecord } from './record.ts';

export interface VersionScanOptions {
  readonly keySpace: KeySpace;
  readonly range: KeyRange;
  /** Undefined: the present. */
  readonly revision: Revision | undefined;
  readonly reverse: boolean;
  /** About how many the caller wants, to read no more from the disk. Infinity: all. */
  readonly entriesWanted: number;
}

/** Calls `visit` with each key of the range and what it was at the revision, in order of the keys, until it says false. */
export async function scanVersions(
  moment: Moment,
  options: VersionScanOptions,
  visit: (key: Buffer, record: CurrentRecord) => boolean,
): Promise<void> {
  if (options.revision === undefined) await scanPresent(moment, options, visit);
  else await scanPast(moment, { ...options, revision: options.revision }, visit);
}

/** What a key was at a revision that is over. */
export async function versionAt(
  moment: Moment,
  keySpace: KeySpace,
  key: Uint8Array,
  revision: Revision,
): Promise<CurrentRecord | undefined> {
  const range = versionsUpTo(keySpace, key, revision);
  const scan = new MergedScan(moment, { range, reverse: true, records: true, entriesWanted: 1 });
  try {
    const [newest] = await scan.next();
    if (newest === undefined) return undefined;
    const past = decodePastRecord(newest.key, newest.record);
    return revision < past.endRevision ? past : undefined;
  } finally {
    await scan.close();
  }
}

async function scanPresent(
  moment: Moment,
  { keySpace, range, reverse, entriesWanted }: VersionScanOptions,
  visit: (key: Buffer, record: CurrentRecord) => boolean,
): Promise<void> {
  const tableRange = keySpace.range('current', range);
  if (isEmpty(tableRange)) return;
  const scan = new MergedScan(moment, { range: tableRange, reverse, records: true, entriesWanted });
  try {
    for (let slice = await scan.next(); slice.length > 0; slice = await scan.next()) {
      for (const { key, record } of slice) if (!visit(withoutPrefix(key), decodeRecord(key, record))) return;
    }
  } finally {
    await scan.close();
  }
}

/**
 * Two walks side by side: over the present versions, of which those count that were there already, and over the past
 * ones, of which each key has at most one that was there at the revision.
 */
async function scanPast(
  moment: Moment,
  options: VersionScanOptions & { readonly revision: Revision },
  visit: (key: Buffer, record: CurrentRecord) => boolean,
): Promise<void> {
  const present = new PresentWalk(moment, options);
  const past = new PastWalk(moment, options);
  const sign = options.reverse ? -1 : 1;
  try {
    await present.advance();
    await past.advance();
    while (present.found !== undefined || past.found !== undefined) {
      const order = sign * compareFound(present.found, past.found, sign);
      const walk = order <= 0 ? present : past;
      // A key is in both only if it was created again after the revision, and then not found in the present.
      const found = walk.found as Found;
      if (!visit(found.key, found.record)) return;
      await walk.advance();
    }
  } finally {
    await Promise.all([present.close(), past.close()]);
  }
}

interface Found {
  readonly key: Buffer;
  readonly record: CurrentRecord;
}

/** Nothing left comes last, in either direction. */
function compareFound(a: Found | undefined, b: Found | undefined, sign: number): number {
  if (a === undefined) return sign;
  if (b === undefined) return -sign;
  return Buffer.compare(a.key, b.key);
}

/** Entries of a table one by one. */
class Walk {
  readonly scan: MergedScan | undefined;
  #slice: readonly ScanEntry[] = [];
  #at = 0;

  constructor(moment: Moment, range: TableRange, reverse: boolean, entriesWanted: number) {
    if (!isEmpty(range)) this.scan = new MergedScan(moment, { range, reverse, records: true, entriesWanted });
  }

  async next(): Promise<ScanEntry | undefined> {
    if (this.#at === this.#slice.length) {
      this.#slice = (await this.scan?.next()) ?? [];
      this.#at = 0;
    }
    return this.#slice[this.#at++];
  }

  /** Entries up to that key are passed over. */
  seek(target: TableRange['gte'], isBehind: (key: Buffer) => boolean): void {
    while (this.#at < this.#slice.length && !isBehind((this.#slice[this.#at] as ScanEntry).key)) this.#at++;
    if (this.#at === this.#slice.length) this.scan?.seek(target);
  }

  async close(): Promise<void> {
    await this.scan?.close();
  }
}

class PresentWalk {
  readonly #walk: Walk;
  readonly #revision: Revision;
  found: Found | undefined;

  constructor(moment: Moment, options: VersionScanOptions & { readonly revision: Revision }) {
    const range = options.keySpace.range('current', options.range);
    this.#walk = new Walk(moment, range, options.reverse, options.entriesWanted);
    this.#revision = options.revision;
  }

  async advance(): Promise<void> {
    this.found = undefined;
    for (let entry = await this.#walk.next(); entry !== undefined; entry = await this.#walk.next()) {
      const record = decodeRecord(entry.key, entry.record);
      if (record.modRevision > this.#revision) continue;
      this.found = { key: withoutPrefix(entry.key), record };
      return;
    }
  }

  close(): Promise<void> {
    return this.#walk.close();
  }
}

/** So many versions of a key are read one after another; after that it is cheaper to look for the right one. */
const versionsInARow = 8;

class PastWalk {
  readonly #walk: Walk;
  readonly #moment: Moment;
  readonly #options: VersionScanOptions & { readonly revision: Revision };
  #key: Buffer | undefined;
  #versions = 0;
  found: Found | undefined;

  constructor(moment: Moment, options: VersionScanOptions & { readonly revision: Revision }) {
    const range = historyRange(options.keySpace, options.range);
    this.#moment = moment;
    this.#options = options;
    this.#walk = new Walk(moment, range, options.reverse, options.entriesWanted);
  }

  async advance(): Promise<void> {
    this.found = undefined;
    for (let entry = await this.#walk.next(); entry !== undefined; entry = await this.#walk.next()) {
      const { key, modRevision } = parseHistoryKey(entry.key);
      if (this.#key === undefined || Buffer.compare(key, this.#key) !== 0) {
        this.#key = key;
        this.#versions = 0;
      }
      const { revision } = this.#options;
      if (modRevision <= revision) {
        const record = decodePastRecord(entry.key, entry.record);
        if (revision < record.endRevision) {
          this.found = { key, record };
          this.#passOver(key);
          return;
        }
      }
      if (++this.#versions < versionsInARow) continue;
      const record = await versionAt(this.#moment, this.#options.keySpace, key, revision);
      this.#passOver(key);
      if (record === undefined) continue;
      this.found = { key, record };
      return;
    }
  }

  close(): Promise<void> {
    return this.#walk.close();
  }

  #passOver(key: Buffer): void {
    const { gte, lt } = versionsOf(this.#options.keySpace, key);
    if (this.#options.reverse) this.#walk.seek(gte, (other) => Buffer.compare(other, gte.bytes) <= 0);
    else this.#walk.seek(lt, (other) => Buffer.compare(other, lt.bytes) >= 0);
  }
}

export function isEmpty({ gte, lt }: TableRange): boolean {
  return gte.name >= lt.name;
}
