import type { KeyValue } from '../../src/contract/kv.ts';
import type { EventLog, SeenRevision } from '../model/watch-checker.ts';

/** Puts the log of all events together from what several watchers of everything were told, each perhaps with gaps. */
export class EventCollector {
  readonly #revisions = new Map<number, SeenRevision>();
  #collectedTo = 1;

  /** What comes twice is taken from the first; the watch checker holds the others against it. */
  add(seen: SeenRevision): void {
    if (!this.#revisions.has(seen.revision)) this.#revisions.set(seen.revision, seen);
    while (this.#revisions.has(this.#collectedTo + 1)) this.#collectedTo++;
  }

  /** The log is whole up to this revision. */
  get collectedTo(): number {
    return this.#collectedTo;
  }

  log(compactRevision: number): EventLog {
    const revisions = [...this.#revisions.values()].sort((a, b) => a.revision - b.revision);
    return { revisions, revision: revisions.at(-1)?.revision ?? 1, compactRevision };
  }
}

/**
 * Whether a log can be all that happened: each revision did something, and each event follows from the one before it of
 * its key. An event that was left out shows by the versions of those after it.
 */
export function checkEventLog({ revisions }: EventLog): string | undefined {
  const present = new Map<string, KeyValue>();
  let expected = 2;
  for (const { revision, events } of revisions) {
    if (revision !== expected) return `revision ${expected} did nothing, or nobody was told`;
    expected++;
    for (const { type, kv } of events) {
      const key = keyOf(kv);
      const before = present.get(key);
      if (kv.modRevision !== revision) return `revision ${revision} told of ${key} at ${kv.modRevision}`;
      if (type === 'delete') {
        if (before === undefined) return `revision ${revision} deleted ${key}, which was not there`;
        present.delete(key);
        continue;
      }
      const createRevision = before?.createRevision ?? revision;
      const version = (before?.version ?? 0) + 1;
      if (kv.createRevision !== createRevision || kv.version !== version) {
        const told = `version ${kv.version} since ${kv.createRevision}`;
        return `revision ${revision} put ${key} as ${told}, and it is version ${version} since ${createRevision}`;
      }
      present.set(key, kv);
    }
  }
  return undefined;
}

/** What every revision of a log looked like. */
export class PastStates {
  /** By key: what each of its revisions made of it. */
  readonly #changes = new Map<string, { readonly revision: number; readonly kv: KeyValue | undefined }[]>();

  constructor({ revisions }: EventLog) {
    for (const { revision, events } of revisions) {
      for (const { type, kv } of events) {
        const changes = this.#changes.get(keyOf(kv)) ?? [];
        changes.push({ revision, kv: type === 'put' ? kv : undefined });
        this.#changes.set(keyOf(kv), changes);
      }
    }
  }

  get(key: string, revision: number): KeyValue | undefined {
    const changes = this.#changes.get(key) ?? [];
    let low = 0;
    let high = changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((changes[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return changes[low - 1]?.kv;
  }

  /** In the order of the keys. */
  range(prefix: string, revision: number): readonly KeyValue[] {
    const keys = [...this.#changes.keys()].filter((key) => key.startsWith(prefix));
    const found = keys.map((key) => this.get(key, revision)).filter((kv) => kv !== undefined);
    return found.sort((a, b) => Buffer.compare(a.key, b.key));
  }

  /** The revisions that put something there, with what, and those that deleted it (`null`), in order. */
  changes(key: string): readonly { readonly revision: number; readonly value: string | null }[] {
    const changes = this.#changes.get(key) ?? [];
    return changes.map(({ revision, kv }) => ({ revision, value: kv === undefined ? null : textOf(kv) }));
  }

  keys(prefix: string): readonly string[] {
    return [...this.#changes.keys()].filter((key) => key.startsWith(prefix));
  }
}

function keyOf({ key }: KeyValue): string {
  return Buffer.from(key).toString();
}

function textOf({ value }: KeyValue): string {
  return Buffer.from(value).toString();
}
