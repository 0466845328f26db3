import type { KeyValue, Revision } from '../../src/contract/kv.ts';
import type { WatchEvent, WatchRequest } from '../../src/contract/watch.ts';
import { isInRange } from './key-order.ts';
import { printable, printableBytes } from './printable.ts';

/** Everything that happened, from the model or from a history that is known to be right. */
export interface EventLog {
  /** All revisions from 2 on that did something, in order. What an event says of `previous` is not looked at. */
  readonly revisions: readonly SeenRevision[];
  /** The newest revision there is. */
  readonly revision: Revision;
  /** The highest compaction of the whole history; 0: none. */
  readonly compactRevision: Revision;
}

export interface SeenRevision {
  readonly revision: Revision;
  readonly events: readonly WatchEvent[];
}

/** One thing that a watcher was told, in the order in which it was. */
export type Sighting =
  | ({ readonly kind: 'batch' } & SeenRevision)
  | { readonly kind: 'progress'; readonly revision: Revision }
  /** Nothing may come after one of these two. */
  | { readonly kind: 'compacted'; readonly compactRevision: Revision }
  | { readonly kind: 'broken' };

export interface Observation {
  readonly request: WatchRequest;
  /** The store's revision when the watch began, as its answer said. */
  readonly beganAt: Revision;
  /** A compaction that was acknowledged before the watch was asked for; 0: none was. */
  readonly compactedBefore: Revision;
  readonly seen: readonly Sighting[];
  /**
   * The watcher waited until it had to have been told everything up to here; undefined: it may have left in between. A
   * watch that was broken, or ended as compacted, has to have told nothing more.
   */
  readonly completeTo: Revision | undefined;
}

/**
 * Holds what watchers saw against the log, by the guarantees that etcd gives and tests
 * (`tests/robustness/validate/watch.go`):
 *
 * - ordered: revisions only grow;
 * - unique: no event comes twice;
 * - reliable: none is left out between the first and the last that came, and none up to `completeTo`;
 * - atomic: the events of a revision come together, and in the order in which the revision did them;
 * - resumable: a watch from a revision begins with the first wanted event from there on, and with nothing before it;
 * - bookmarkable: after progress to a revision nothing up to it comes, because all of that came before;
 * - filterable: nothing comes that the range or the filter leaves out;
 * - previous: right where it is told, and told unless it was not asked for, there was none, or it may be compacted;
 * - compacted: a watch that cannot go on without a gap is told so, and is told nothing else afterwards; one that can go
 *   on is not ended that way.
 */
export class WatchChecker {
  readonly #log: EventLog;
  readonly #revisions = new Map<Revision, SeenRevision>();
  /** `revision:key` → what the key was one revision before. */
  readonly #previous = new Map<string, KeyValue>();

  constructor(log: EventLog) {
    this.#log = log;
    for (const seen of log.revisions) this.#revisions.set(seen.revision, seen);
    this.#collectPrevious();
  }

  /** What is wrong, with the guarantee that it breaks first; undefined if nothing is. */
  check(observation: Observation): string | undefined {
    return this.#formOf(observation) ?? new Walk(this, observation).run();
  }

  /**
   * One client that began the same watch again and again, each time from the revision behind the last one that it had
   * been told (a batch or progress), or with its first revision if it had been told none. All together are one watch.
   */
  checkResumed(parts: readonly Observation[]): string | undefined {
    let from: Revision | undefined;
    for (const [index, part] of parts.entries()) {
      if (index > 0 && part.request.revision !== from) {
        return `part ${index} asks for ${part.request.revision} where ${from} is the next: the client is wrong`;
      }
      const wrong = this.check(part);
      if (wrong !== undefined) return `part ${index}: ${wrong}`;
      const last = part.seen.findLast((sighting) => sighting.kind === 'batch' || sighting.kind === 'progress');
      const next = part.request.revision ?? part.beganAt + 1;
      from = last === undefined ? next : Math.max(next, last.revision + 1);
    }
    const [first] = parts;
    if (first === undefined) return undefined;
    const seen = parts.flatMap((part, index) => (index === parts.length - 1 ? part.seen : withoutEnd(part.seen)));
    return this.check({ ...first, seen, completeTo: parts.at(-1)?.completeTo });
  }

  /** The events of a revision that such a watch is told; none: the revision does not concern it. */
  wanted(revision: Revision, { range, filter }: WatchRequest): readonly WatchEvent[] {
    const events = this.#revisions.get(revision)?.events ?? [];
    return events.filter(({ type, kv }) => isInRange(kv.key, range) && type !== filter);
  }

  /** The first revision from `from` to `to` that such a watch is told of. */
  firstWanted(from: Revision, to: Revision, request: WatchRequest): Revision | undefined {
    const { revisions } = this.#log;
    for (let index = this.#indexFrom(from); index < revisions.length; index++) {
      const revision = revisions[index]?.revision ?? to + 1;
      if (revision > to) return undefined;
      if (this.wanted(revision, request).length > 0) return revision;
    }
    return undefined;
  }

  get log(): EventLog {
    return this.#log;
  }

  checkPrevious(event: WatchEvent, { previous }: WatchRequest): string | undefined {
    const { key, modRevision } = event.kv;
    const told = event.previous;
    if (!previous) return told === undefined ? undefined : `a previous version that was not asked for`;
    const right = this.#previous.get(place(modRevision, key));
    if (told !== undefined && printable(told) === printable(right)) return undefined;
    if (told !== undefined) return `the previous version ${printable(told)} where it was ${printable(right)}`;
    const mayBeCompacted = modRevision - 1 < this.#log.compactRevision;
    return right === undefined || mayBeCompacted ? undefined : `no previous version where it was ${printable(right)}`;
  }

  /** Where the revisions from there on begin in the log; found by halves, for logs can be long. */
  #indexFrom(from: Revision): number {
    let low = 0;
    let high = this.#log.revisions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#log.revisions[middle]?.revision ?? from) < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #collectPrevious(): void {
    const present = new Map<string, KeyValue>();
    for (const { revision, events } of this.#log.revisions) {
      for (const { kv } of events) {
        const old = present.get(printableBytes(kv.key));
        if (old !== undefined) this.#previous.set(place(revision, kv.key), old);
      }
      // After all of them: what a revision itself made of a key is nothing that was before it.
      for (const { type, kv } of events) {
        if (type === 'put') present.set(printableBytes(kv.key), kv);
        else present.delete(printableBytes(kv.key));
      }
    }
  }

  #formOf({ seen }: Observation): string | undefined {
    const end = seen.findIndex(({ kind }) => kind === 'compacted' || kind === 'broken');
    if (end === -1 || end === seen.length - 1) return undefined;
    return `compacted: after the end (${seen[end]?.kind}) came ${describeSighting(seen[end + 1])}`;
  }
}

/** Goes along what one watcher saw, one sighting after another. */
class Walk {
  readonly #checker: WatchChecker;
  readonly #observation: Observation;
  readonly #request: WatchRequest;
  /** The first revision that the watch is about. */
  readonly #first: Revision;
  #lastBatch: SeenRevision | undefined;
  #lastProgress: Revision = 0;

  constructor(checker: WatchChecker, observation: Observation) {
    this.#checker = checker;
    this.#observation = observation;
    this.#request = observation.request;
    this.#first = observation.request.revision ?? observation.beganAt + 1;
  }

  run(): string | undefined {
    const { seen, compactedBefore } = this.#observation;
    const [start] = seen;
    const isEnd = start === undefined || start.kind === 'compacted' || start.kind === 'broken';
    if (this.#first < compactedBefore && !isEnd) {
      const told = describeSighting(start);
      return `compacted: a watch from ${this.#first}, after the compaction at ${compactedBefore}, was told ${told}`;
    }
    for (const sighting of seen) {
      const wrong = this.#check(sighting);
      if (wrong !== undefined) return wrong;
    }
    return this.#checkComplete();
  }

  /** The next revision that the watcher has not been told of. */
  get #next(): Revision {
    return Math.max(this.#first, (this.#lastBatch?.revision ?? 0) + 1, this.#lastProgress + 1);
  }

  #check(sighting: Sighting): string | undefined {
    switch (sighting.kind) {
      case 'batch':
        return this.#checkBatch(sighting);
      case 'progress':
        return this.#checkProgress(sighting.revision);
      case 'compacted':
        return this.#checkCompacted(sighting.compactRevision);
      case 'broken':
        return undefined;
    }
  }

  #checkBatch(batch: SeenRevision): string | undefined {
    const wrong =
      this.#checkPlace(batch) ??
      this.#checkGap(batch.revision - 1, `before revision ${batch.revision} came`) ??
      this.#checkEvents(batch);
    this.#lastBatch = batch;
    return wrong;
  }

  /** Where the batch stands, whatever is in it. */
  #checkPlace(batch: SeenRevision): string | undefined {
    const { revision, events } = batch;
    const last = this.#lastBatch;
    if (events.length === 0) return `atomic: revision ${revision} came without events`;
    const alien = events.find(({ kv }) => kv.modRevision !== revision);
    if (alien !== undefined)
      return `atomic: revision ${revision} came with ${describeEvent(alien)} of another revision`;
    if (last?.revision === revision) {
      const again = events.find((event) => last.events.some((other) => isSame(event, other)));
      if (again !== undefined) return `unique: ${describeEvent(again)} came again`;
      return `atomic: revision ${revision} came in more than one batch`;
    }
    if (last !== undefined && revision < last.revision) {
      return `ordered: revision ${revision} came after revision ${last.revision}`;
    }
    if (revision < this.#first) return `resumable: revision ${revision} came to a watch from ${this.#first}`;
    if (revision <= this.#lastProgress) {
      return `bookmarkable: revision ${revision} came after progress to ${this.#lastProgress}`;
    }
    return undefined;
  }

  #checkEvents({ revision, events }: SeenRevision): string | undefined {
    const all = this.#checker.wanted(revision, { ...this.#request, range: everything, filter: undefined });
    const wanted = this.#checker.wanted(revision, this.#request);
    for (const [index, event] of events.entries()) {
      if (!all.some((other) => isSame(event, other))) return `reliable: ${describeEvent(event)} never happened`;
      if (!wanted.some((other) => isSame(event, other))) return `filterable: ${describeEvent(event)} was not wanted`;
      if (events.findIndex((other) => isSame(event, other)) < index)
        return `unique: ${describeEvent(event)} came twice`;
    }
    const missing = wanted.find((event) => !events.some((other) => isSame(event, other)));
    if (missing !== undefined) return `atomic: revision ${revision} came without ${describeEvent(missing)}`;
    for (const [index, event] of wanted.entries()) {
      const told = events[index];
      if (told === undefined || !isSame(event, told))
        return `ordered: the events of revision ${revision} changed places`;
      const wrong = this.#checker.checkPrevious(told, this.#request);
      if (wrong !== undefined) return `previous: ${describeEvent(told)} came with ${wrong}`;
    }
    return undefined;
  }

  /** It may lie before the first revision of a watch of the future, but not before what has been told. */
  #checkProgress(revision: Revision): string | undefined {
    const told = Math.max(this.#lastProgress, this.#lastBatch?.revision ?? 0);
    if (revision < told) return `bookmarkable: progress to ${revision} came after revision ${told} had been told`;
    const newest = this.#checker.log.revision;
    if (revision > newest) return `bookmarkable: progress to ${revision}, and the newest revision is ${newest}`;
    const missing = this.#checker.firstWanted(this.#next, revision, this.#request);
    this.#lastProgress = revision;
    if (missing === undefined) return undefined;
    return `bookmarkable: progress to ${revision} came before revision ${missing}`;
  }

  #checkCompacted(compactRevision: Revision): string | undefined {
    const compacted = this.#checker.log.compactRevision;
    if (compactRevision > compacted) {
      return `compacted: the watch was told of a compaction at ${compactRevision}, and the highest was at ${compacted}`;
    }
    if (this.#next < compactRevision) return undefined;
    return `compacted: the watch was ended although revision ${this.#next} was not before ${compactRevision}`;
  }

  #checkComplete(): string | undefined {
    const { seen, completeTo } = this.#observation;
    const end = seen.at(-1)?.kind;
    if (completeTo === undefined || end === 'compacted' || end === 'broken') return undefined;
    return this.#checkGap(completeTo, `and all to ${completeTo} was awaited`);
  }

  #checkGap(to: Revision, when: string): string | undefined {
    const missing = this.#checker.firstWanted(this.#next, to, this.#request);
    if (missing === undefined) return undefined;
    const isFirst = this.#lastBatch === undefined && this.#lastProgress < this.#first;
    return `${isFirst ? 'resumable' : 'reliable'}: revision ${missing} is missing, ${when}`;
  }
}

function withoutEnd(seen: readonly Sighting[]): readonly Sighting[] {
  return seen.filter(({ kind }) => kind === 'batch' || kind === 'progress');
}

/** Whatever they say of `previous`. */
function isSame(a: WatchEvent, b: WatchEvent): boolean {
  return a.type === b.type && printable(a.kv) === printable(b.kv);
}

function place(revision: Revision, key: Uint8Array): string {
  return `${revision}:${printableBytes(key)}`;
}

function describeEvent({ type, kv }: WatchEvent): string {
  return `${type} ${printable(kv)}`;
}

function describeSighting(sighting: Sighting | undefined): string {
  return printable(sighting);
}

const everything = { start: new Uint8Array(), end: undefined };
