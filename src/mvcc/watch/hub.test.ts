import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyRange, prefixRange } from '../../contract/key-range.ts';
import type { Revision } from '../../contract/kv.ts';
import type { WatchBatch, WatchRequest } from '../../contract/watch.ts';
import type { RevisionChanges } from '../tables.ts';
import { type StoreWatch, WatchHub, type WatchSink } from './hub.ts';

test('watch hub: a thousand who read on at once do not keep the process from everything else', async () => {
  const store = new Source();
  const hub = new WatchHub(store);
  const readers = Array.from({ length: 1000 }, () => new Reader(hub, everything));
  for (let i = 0; i < 50; i++) hub.publish([store.change(`k${i}`)]);
  // Each takes a revision at a time, and asks for the next one as soon as it has been given one.
  for (const reader of readers) reader.readOn();
  let turns = 0;
  for (const reader of readers) {
    while (reader.toldTo < store.revision()) {
      await new Promise(setImmediate);
      turns++;
    }
  }
  assert.ok(turns > 1000, `others had ${turns} turns`);
  for (const reader of readers) assert.deepEqual(reader.revisions, store.revisions);
});

test('watch hub: an event is encoded once for all who watch the same, also for those who come to it later', async () => {
  const store = new Source();
  const hub = new WatchHub(store);
  const readers = Array.from({ length: 20 }, () => new Reader(hub, everything));
  const before = encoded;
  for (let i = 0; i < 50; i++) hub.publish([store.change(`k${i}`)]);
  for (const reader of readers) {
    reader.readOn();
    await told(reader, store);
  }
  for (const reader of readers) assert.deepEqual(reader.revisions, store.revisions);
  assert.equal(encoded - before, 50);
});

test('watch hub: the past is read once for all who go through it, however little each takes at a time', async () => {
  const store = new Source();
  const hub = new WatchHub(store);
  const readers = Array.from({ length: 3 }, () => new Reader(hub, everything));
  // More than what is kept in memory of the last revisions.
  for (let i = 0; i < 6000; i++) hub.publish([store.change(`k${i}`)]);
  for (const reader of readers) reader.readOn();
  for (const reader of readers) await told(reader, store);
  for (const reader of readers) assert.deepEqual(reader.revisions, store.revisions);
  // A hundred revisions each, until what is in memory is reached.
  assert.ok(store.reads <= 20, `${store.reads} reads`);
});

test('watch hub: what was before a revision is gone with its compaction, also from what was encoded earlier', async () => {
  const store = new Source();
  const hub = new WatchHub(store);
  const [first, second] = [0, 1].map(() => new Reader(hub, { ...everything, previous: true }));
  assert.ok(first !== undefined && second !== undefined);
  for (let i = 0; i < 10; i++) hub.publish([store.change('k')]);
  first.readOn();
  await told(first, store);
  assert.deepEqual(first.previous, ['', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  second.readOn(1);
  assert.equal(second.toldTo, 1);
  store.compact(2);
  hub.onCompacted();
  second.readOn();
  await told(second, store);
  assert.deepEqual(second.previous, ['', '', '2', '3', '4', '5', '6', '7', '8', '9']);
});

test('watch hub: watchers of single keys get on past what is not theirs', async () => {
  const store = new Source();
  const hub = new WatchHub(store);
  const key = Buffer.from('k7');
  const reader = new Reader(hub, { ...everything, range: keyRange(key) });
  for (let i = 0; i < 3000; i++) hub.publish([store.change(`k${i % 10}`, 1000)]);
  reader.readOn();
  await told(reader, store);
  assert.deepEqual(
    reader.revisions,
    store.revisions.filter((revision) => (revision - 1) % 10 === 7),
  );
});

const everything: WatchRequest = {
  range: prefixRange(new Uint8Array()),
  revision: 1,
  previous: false,
  filter: undefined,
};

let encoded = 0;

function encode(batch: WatchBatch): Buffer {
  encoded++;
  return Buffer.from(String(batch.revision));
}

async function told(reader: Reader, store: Source): Promise<void> {
  while (reader.toldTo < store.revision()) await new Promise(setImmediate);
}

/** A store that remembers all that happened, and reads it as slowly as a disk. */
class Source {
  reads = 0;
  readonly #changes: RevisionChanges[] = [];
  #compactRevision: Revision = 0;

  get revisions(): readonly Revision[] {
    return this.#changes.map(({ revision }) => revision);
  }

  revision(): Revision {
    return this.#changes.length;
  }

  compactRevision(): Revision {
    return this.#compactRevision;
  }

  compact(revision: Revision): void {
    this.#compactRevision = revision;
  }

  async breathe(): Promise<void> {
    await new Promise(setImmediate);
  }

  async readChanges(from: Revision): Promise<{ revisions: readonly RevisionChanges[]; completeTo: Revision }> {
    this.reads++;
    await this.breathe();
    const revisions = this.#changes.slice(from - 1, from + 99);
    return { revisions, completeTo: revisions.at(-1)?.revision ?? this.revision() };
  }

  change(name: string, valueBytes = 1): RevisionChanges {
    const revision = this.#changes.length + 1;
    const key = Buffer.from(name);
    const record = {
      value: Buffer.alloc(valueBytes, 'v'),
      createRevision: 1,
      modRevision: revision,
      version: 1,
      lease: 0n,
    };
    const old = { ...record, value: Buffer.from(String(revision - 1)) };
    const change = {
      key,
      record,
      old: revision === 1 ? undefined : old,
      previousRevision: revision - 1,
      historyBytes: 0,
    };
    const changes = { revision, changes: [change] };
    this.#changes.push(changes);
    return changes;
  }
}

/** Reads nothing until it is told to, and then what it is given, one batch after another. */
class Reader implements WatchSink {
  readonly revisions: Revision[] = [];
  readonly previous: string[] = [];
  readonly #watch: StoreWatch;
  #wanted = 0;

  constructor(hub: WatchHub, request: WatchRequest) {
    this.#watch = hub.open(request, this);
  }

  get toldTo(): Revision {
    return this.#watch.toldTo();
  }

  readOn(batches = Number.POSITIVE_INFINITY): void {
    this.#wanted = batches;
    this.#watch.resume();
  }

  onBatch(batch: WatchBatch): boolean | 'later' {
    if (this.#wanted === 0) return 'later';
    this.#wanted--;
    batch.encoded(encode);
    this.revisions.push(batch.revision);
    for (const { previous } of batch.events) this.previous.push(Buffer.from(previous?.value ?? []).toString());
    queueMicrotask(() => this.#watch.resume());
    return false;
  }

  onProgress(): boolean {
    return true;
  }

  onEnd(error: Error): void {
    throw error;
  }
}
