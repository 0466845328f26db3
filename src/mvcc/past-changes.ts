import type { KeyRange, Revision } from '../contract/kv.ts';
import { changesUpTo, decodeChanges, type LoggedChange } from './change-log.ts';
import { DamagedValue } from './damaged-value.ts';
import { historyKey } from './history-table.ts';
import { type KeySpace, TableKey } from './key-space.ts';
import { MergedScan, type Moment, readAt } from './merged-scan.ts';
import { type CurrentRecord, decodePastRecord, decodeRecord } from './record.ts';
import type { KeyChange, RevisionChanges } from './tables.ts';
import type { PastChanges, PastLimits } from './watch/kept-past.ts';

export interface PastChangesOptions {
  readonly keySpace: KeySpace;
  readonly from: Revision;
  readonly range: KeyRange;
  /** The store's, at that moment. */
  readonly revision: Revision;
  readonly compactRevision: Revision;
  readonly limits: PastLimits;
}

/** What happened to the keys of a range from a revision on, in bounded reading; whole revisions, at least one. */
export async function readPastChanges(moment: Moment, options: PastChangesOptions): Promise<PastChanges> {
  const { keySpace, from, range, revision, limits } = options;
  const gte = (await chunkWith(moment, keySpace, from)) ?? keySpace.wholeTable('changes').gte;
  const lt = keySpace.wholeTable('changes').lt;
  const scan = new MergedScan(moment, { range: { gte, lt }, reverse: false, records: true, entriesWanted: 16 });
  const reader = new RevisionReader(moment, options);
  let seen = 0;
  let completeTo = from - 1;
  try {
    for (let slice = await scan.next(); slice.length > 0; slice = await scan.next()) {
      for (const { key, record } of slice) {
        for (const change of decodeChanges(key, record).changes) {
          if (change.revision < from) continue;
          if (change.revision > completeTo) {
            if (seen >= limits.changesMax || reader.bytes >= limits.bytesMax)
              return { revisions: reader.end(), completeTo };
            completeTo = change.revision;
          }
          seen++;
          if (isInside(change.key, range)) reader.add(change);
        }
      }
    }
  } finally {
    await scan.close();
  }
  return { revisions: reader.end(), completeTo: revision };
}

/** Finds the versions that changes tell of, and puts those of a revision together. */
class RevisionReader {
  readonly #moment: Moment;
  readonly #options: PastChangesOptions;
  readonly #revisions: { readonly revision: Revision; readonly changes: KeyChange[] }[] = [];
  bytes = 0;

  constructor(moment: Moment, options: PastChangesOptions) {
    this.#moment = moment;
    this.#options = options;
  }

  add(change: LoggedChange): void {
    const { revision, key, type, previousRevision, historyBytes } = change;
    const record = type === 'put' ? this.#version(key, revision) : undefined;
    let last = this.#revisions.at(-1);
    if (last?.revision !== revision) {
      last = { revision, changes: [] };
      this.#revisions.push(last);
    }
    const old = this.#before(change, last.changes);
    last.changes.push({ key, record, old, previousRevision, historyBytes });
    this.bytes += key.length + (record?.value.length ?? 0) + (old?.value.length ?? 0);
  }

  /** At the compact revision itself what was before may be removed already, on this member or on another. */
  #before(change: LoggedChange, earlier: readonly KeyChange[]): CurrentRecord | undefined {
    const { revision, key, previousRevision } = change;
    const { compactRevision, limits } = this.#options;
    if (!limits.previous || previousRevision === 0 || revision <= compactRevision) return undefined;
    if (previousRevision < revision) return this.#version(key, previousRevision);
    return earlier.find((other) => Buffer.compare(other.key, key) === 0)?.old;
  }

  end(): readonly RevisionChanges[] {
    return this.#revisions;
  }

  #version(key: Uint8Array, modRevision: Revision): CurrentRecord {
    const { keySpace } = this.#options;
    const current = keySpace.key('current', key);
    const present = readAt(this.#moment, current);
    if (present !== undefined) {
      const record = decodeRecord(current.bytes, present);
      if (record.modRevision === modRevision) return record;
    }
    const past = historyKey(keySpace, key, modRevision);
    const bytes = readAt(this.#moment, past);
    if (bytes === undefined) throw new DamagedValue(past.bytes, 'it is missing');
    return decodePastRecord(past.bytes, bytes);
  }
}

/** The key of the chunk that the revision is in; undefined if there is none. */
async function chunkWith(moment: Moment, keySpace: KeySpace, revision: Revision): Promise<TableKey | undefined> {
  const range = changesUpTo(keySpace, revision);
  const scan = new MergedScan(moment, { range, reverse: true, records: false, entriesWanted: 1 });
  try {
    const [last] = await scan.next();
    return last === undefined ? undefined : new TableKey(last.key);
  } finally {
    await scan.close();
  }
}

function isInside(key: Uint8Array, { start, end }: KeyRange): boolean {
  return Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0);
}
