import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../src/base/random.ts';
import type { KeyRange, KeyValue } from '../../src/contract/kv.ts';
import type { WatchEvent, WatchRequest } from '../../src/contract/watch.ts';
import { applyStep, RandomHistory } from './random-history.ts';
import { StoreModel } from './store-model.ts';
import { type EventLog, type Observation, type SeenRevision, type Sighting, WatchChecker } from './watch-checker.ts';

/**
 * The history that the tests below watch:
 * 2: put a · 3: put b · 4: put a, put c · 5: put other · 6: delete a · 7: put b, delete c
 */
const a2 = put('a', 2, 2, 1);
const b3 = put('b', 3, 3, 1);
const a4 = put('a', 4, 2, 2);
const c4 = put('c', 4, 4, 1);
const other5 = put('other', 5, 5, 1);
const a6 = remove('a', 6);
const b7 = put('b', 7, 3, 2);
const c7 = remove('c', 7);

const log: EventLog = {
  revisions: [
    { revision: 2, events: [a2] },
    { revision: 3, events: [b3] },
    { revision: 4, events: [a4, c4] },
    { revision: 5, events: [other5] },
    { revision: 6, events: [a6] },
    { revision: 7, events: [b7, c7] },
  ],
  revision: 7,
  compactRevision: 0,
};

/** Of the keys a, b and c: all but `other`. */
const abc: KeyRange = { start: bytes('a'), end: bytes('d') };
const all: readonly Sighting[] = [batch(2, a2), batch(3, b3), batch(4, a4, c4), batch(6, a6), batch(7, b7, c7)];

test('watch checker: streams as they should be', () => {
  right('everything', all, { completeTo: 7 });
  right('the beginning of it', all.slice(0, 2));
  right('nothing yet', []);
  right('from a revision on', all.slice(2), { revision: 4, completeTo: 7 });
  right('after now', all.slice(3), { revision: undefined, beganAt: 4, completeTo: 7 });
  right('progress when all is told', [...all.slice(0, 3), progress(4), progress(5), progress(5), ...all.slice(3)]);
  right('puts are left out', [batch(6, a6), batch(7, c7)], { filter: 'put', completeTo: 7 });
  right('deletions are left out', [batch(2, a2), batch(3, b3), batch(4, a4, c4), batch(7, b7)], {
    filter: 'delete',
    completeTo: 7,
  });
  right('a watch of the future, with progress from before it', [progress(5), progress(7)], { revision: 8 });
  right('a range without keys', [progress(7)], { range: { start: bytes('x'), end: bytes('x') }, completeTo: 7 });
  right('a connection that broke', [...all.slice(0, 2), { kind: 'broken' }], { completeTo: 7 });
});

test('watch checker: ordered', () => {
  wrong('ordered', 'an older revision', [batch(3, b3), batch(2, a2)], { revision: 3 });
  wrong('ordered', 'the events of a revision in another order', [batch(2, a2), batch(3, b3), batch(4, c4, a4)]);
});

test('watch checker: unique', () => {
  wrong('unique', 'a revision again', [batch(2, a2), batch(2, a2)]);
  wrong('unique', 'an event twice in its batch', [batch(2, a2, a2)]);
});

test('watch checker: reliable', () => {
  wrong('reliable', 'a gap', [batch(2, a2), batch(4, a4, c4)]);
  wrong('reliable', 'the end is missing', all.slice(0, 4), { completeTo: 7 });
  wrong('reliable', 'an event that never happened', [batch(2, put('a', 2, 2, 9))]);
  wrong('reliable', 'a deletion told as a put', [...all.slice(0, 3), batch(6, put('a', 6, 2, 3))]);
});

test('watch checker: atomic', () => {
  wrong('atomic', 'a revision in two batches', [batch(4, a4, c4), batch(4, c7)], { revision: 4 });
  wrong('atomic', 'half of a revision', [batch(4, a4), batch(4, c4)], { revision: 4 });
  wrong('atomic', 'two revisions in one batch', [batch(2, a2, b3)]);
  wrong('atomic', 'a batch of nothing', [batch(2)]);
  wrong('atomic', 'a batch of nothing for a revision that is not wanted', [...all.slice(0, 3), batch(5)]);
});

test('watch checker: resumable', () => {
  wrong('resumable', 'events from before the start', [batch(2, a2), batch(3, b3)], { revision: 3 });
  wrong('resumable', 'events from before now', [batch(4, a4, c4)], { revision: undefined, beganAt: 4 });
  wrong('resumable', 'the first event is missing', [batch(4, a4, c4)], { revision: 3 });
  wrong('resumable', 'all is missing', [], { revision: 3, completeTo: 7 });
});

test('watch checker: bookmarkable', () => {
  wrong('bookmarkable', 'progress overtakes events', [batch(2, a2), progress(3), batch(3, b3)]);
  wrong('bookmarkable', 'progress hides a gap', [batch(2, a2), progress(4), batch(6, a6)]);
  wrong('bookmarkable', 'events from before the progress', [progress(7), batch(6, a6)], { revision: 6 });
  wrong('bookmarkable', 'progress goes back', [batch(2, a2), progress(2), batch(3, b3), progress(2)]);
  wrong('bookmarkable', 'progress goes back without events', [progress(1), progress(0)]);
  wrong('bookmarkable', 'what was not even wanted', [...all.slice(0, 3), progress(5), batch(5, other5)]);
  wrong('bookmarkable', 'progress to a revision that never was', [...all, progress(8)]);
  wrong('bookmarkable', 'a watch of the future is told the past after progress', [progress(7), batch(7, b7, c7)], {
    revision: 7,
  });
});

test('watch checker: filterable', () => {
  wrong('filterable', 'a put that is filtered', [batch(7, b7, c7)], { filter: 'put', revision: 7 });
  wrong('filterable', 'a key of another range', [...all.slice(0, 3), batch(5, other5)]);
});

test('watch checker: previous', () => {
  const told = (event: WatchEvent, previous: KeyValue): WatchEvent => ({ ...event, previous });
  const a6told = told(a6, a4.kv);
  const b7told = told(b7, b3.kv);
  const c7told = told(c7, c4.kv);
  const wanted = { previous: true, revision: 6 };
  right('of puts and deletions', [batch(6, a6told), batch(7, b7told, c7told)], wanted);
  right('none before the first put', [batch(4, told(a4, a2.kv), c4)], { previous: true, revision: 4 });
  wrong('previous', 'not asked for', [batch(6, a6told)], { revision: 6 });
  wrong('previous', 'an older version', [batch(6, told(a6, a2.kv))], wanted);
  wrong('previous', 'another value', [batch(6, told(a6, { ...a4.kv, value: bytes('x') }))], wanted);
  wrong('previous', 'the version itself', [batch(6, a6told), batch(7, told(b7, b7.kv), c7told)], wanted);
  wrong('previous', 'left out', [batch(6, a6)], wanted);
  wrong('previous', 'one where there was none', [batch(3, told(b3, a2.kv))], { previous: true, revision: 3 });

  right('left out where it may be compacted', [batch(6, a6)], wanted, { ...log, compactRevision: 6 });
  wrong('previous', 'left out where it is still kept', [batch(6, a6)], wanted, { ...log, compactRevision: 5 });
});

test('watch checker: compacted', () => {
  const compactedAt5 = { ...log, compactRevision: 5 };
  const end: Sighting = { kind: 'compacted', compactRevision: 5 };
  right('from before', [end], { revision: 4, compactedBefore: 5 }, compactedAt5);
  right('while it lagged', [...all.slice(0, 2), end], {}, compactedAt5);
  right('from the compact revision on', all.slice(3), { revision: 5, compactedBefore: 5, completeTo: 7 }, compactedAt5);
  right('it was quicker than the compaction', all, { completeTo: 7 }, compactedAt5);
  wrong('compacted', 'events after the end', [end, batch(6, a6)], { revision: 4 }, compactedAt5);
  wrong('compacted', 'an end after the end', [end, end], { revision: 4 }, compactedAt5);
  wrong('compacted', 'ended although it could go on', [...all.slice(0, 3), end], {}, compactedAt5);
  const compactedAt6 = { ...log, compactRevision: 6 };
  const later: Sighting = { kind: 'compacted', compactRevision: 6 };
  right('ended where revision 5 might have been wanted', [...all.slice(0, 3), later], {}, compactedAt6);
  wrong('compacted', 'ended although it knew revision 5', [...all.slice(0, 3), progress(5), later], {}, compactedAt6);
  wrong('compacted', 'ended although nothing was compacted', [end], { revision: 4 });
  wrong('compacted', 'silently skipped', all.slice(3), { revision: 4, compactedBefore: 5 }, compactedAt5);
  wrong('compacted', 'progress instead of an end', [progress(7)], { revision: 4, compactedBefore: 5 }, compactedAt5);
});

test('watch checker: a watch that was broken and resumed is one watch', () => {
  const checker = new WatchChecker(log);
  const part = (revision: number, ...seen: readonly Sighting[]): Observation => observation(seen, { revision });
  const broken: Sighting = { kind: 'broken' };
  const first = part(2, batch(2, a2), batch(3, b3), broken);
  assert.equal(checker.checkResumed([first, part(4), part(4, batch(4, a4, c4), progress(5), broken)]), undefined);
  assert.equal(
    checker.checkResumed([first, part(4, progress(3)), { ...part(4, ...all.slice(2)), completeTo: 7 }]),
    undefined,
  );
  assert.match(checker.checkResumed([first, part(4, batch(6, a6))]) ?? '', /part 1: resumable/);
  assert.match(checker.checkResumed([first, part(5, batch(6, a6))]) ?? '', /part 1 asks for 5 where 4 is the next/);
});

for (const seed of [1, 2, 3, 4]) {
  test(`watch checker: random histories: right streams pass, spoilt ones do not: seed ${seed}`, () => {
    const random = seededRandom(seed);
    const model = new StoreModel();
    const history = new RandomHistory(random, { badTxnPercent: 0 });
    for (let step = 0; step < 150; step++) applyStep(model, history.next(model));
    const checker = new WatchChecker({
      revisions: model.log,
      revision: model.revision,
      compactRevision: model.compactRevision,
    });
    for (let round = 0; round < 60; round++) {
      const request = history.watchRequest(model);
      const outcome = model.eventsSince(request);
      const began = {
        request,
        beganAt: model.revision,
        compactedBefore: model.compactRevision,
        completeTo: model.revision,
      };
      if (outcome.kind === 'compacted') {
        const end: Sighting = { kind: 'compacted', compactRevision: outcome.compactRevision };
        assert.equal(checker.check({ ...began, seen: [end] }), undefined);
        continue;
      }
      assert(outcome.kind === 'done');
      const seen = withProgress(random, outcome.batches, model.revision);
      const message = `seed ${seed}, round ${round}`;
      assert.equal(checker.check({ ...began, seen }), undefined, message);
      for (const [name, spoilt] of spoil(random, seen)) {
        assert.notEqual(checker.check({ ...began, seen: spoilt }), undefined, `${message}: ${name}`);
      }
    }
  });
}

/** Progress after some of the batches: to that revision, or to just before the next. */
function withProgress(random: Random, batches: readonly SeenRevision[], newest: number): readonly Sighting[] {
  return batches.flatMap((each, index): Sighting[] => {
    const next = batches[index + 1]?.revision ?? newest + 1;
    const told: Sighting = { kind: 'batch', ...each };
    if (random.below(3) > 0) return [told];
    return [told, progress(each.revision + random.below(next - each.revision))];
  });
}

/** The stream with one mistake in it, of every kind that fits it. */
function* spoil(random: Random, seen: readonly Sighting[]): Generator<[string, readonly Sighting[]]> {
  const batches = [...seen.keys()].filter((index) => seen[index]?.kind === 'batch');
  const index = batches[random.below(batches.length)];
  const chosen = index === undefined ? undefined : seen[index];
  if (index === undefined || chosen?.kind !== 'batch') return;
  const replaced = (...by: readonly Sighting[]): readonly Sighting[] => seen.toSpliced(index, 1, ...by);
  yield ['gap', replaced()];
  yield ['duplicate', replaced(chosen, chosen)];
  yield ['late', [...replaced(), progress(chosen.revision), chosen]];
  yield ['progress too early', replaced(progress(chosen.revision), chosen)];
  yield ['another value', replaced({ ...chosen, events: chosen.events.map(withOtherValue) })];
  yield ['after the end', [{ kind: 'compacted', compactRevision: 1 }, ...seen]];
  const [first, ...rest] = chosen.events;
  if (first === undefined || rest.length === 0) return;
  yield ['split', replaced({ ...chosen, events: [first] }, { ...chosen, events: rest })];
  yield ['half', replaced({ ...chosen, events: rest })];
  yield ['turned round', replaced({ ...chosen, events: chosen.events.toReversed() })];
}

function withOtherValue(event: WatchEvent): WatchEvent {
  return { ...event, kv: { ...event.kv, value: bytes('spoilt') } };
}

interface Settings extends Partial<WatchRequest>, Partial<Omit<Observation, 'request' | 'seen'>> {}

function observation(seen: readonly Sighting[], settings: Settings): Observation {
  const { beganAt = 7, compactedBefore = 0, completeTo, ...request } = settings;
  const defaults: WatchRequest = { range: abc, revision: 2, previous: false, filter: undefined };
  return { request: { ...defaults, ...request }, beganAt, compactedBefore, completeTo, seen };
}

function right(what: string, seen: readonly Sighting[], settings: Settings = {}, events = log): void {
  assert.equal(new WatchChecker(events).check(observation(seen, settings)), undefined, what);
}

function wrong(
  guarantee: string,
  what: string,
  seen: readonly Sighting[],
  settings: Settings = {},
  events = log,
): void {
  const found = new WatchChecker(events).check(observation(seen, settings));
  assert.equal(found?.split(':')[0], guarantee, `${what}: ${found}`);
}

function batch(revision: number, ...events: readonly WatchEvent[]): Sighting {
  return { kind: 'batch', revision, events };
}

function progress(revision: number): Sighting {
  return { kind: 'progress', revision };
}

function put(key: string, modRevision: number, createRevision: number, version: number): WatchEvent {
  const kv = { key: bytes(key), value: bytes(`${key}${modRevision}`), createRevision, modRevision, version };
  return { type: 'put', kv, previous: undefined };
}

function remove(key: string, modRevision: number): WatchEvent {
  const kv = { key: bytes(key), value: bytes(''), createRevision: 0, modRevision, version: 0 };
  return { type: 'delete', kv, previous: undefined };
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}
