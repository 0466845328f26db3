import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyValue } from '../../src/contract/kv.ts';
import type { SeenRevision } from '../model/watch-checker.ts';
import { checkEventLog, EventCollector, PastStates } from './event-log.ts';

const honest: readonly SeenRevision[] = [
  revision(2, put('a', 'x', 2, 2, 1)),
  revision(3, put('a', 'y', 2, 3, 2), put('b', 'z', 3, 3, 1)),
  revision(4, remove('a', 4)),
  revision(5, put('a', 'new', 5, 5, 1)),
];

test('event log: one that can be all that happened', () => {
  check(honest, undefined);
});

test('event log: what is left out or told wrongly shows', () => {
  check(honest.slice(1), 'revision 2 did nothing, or nobody was told');
  check(without(4), 'revision 4 did nothing, or nobody was told');
  check([revision(2, put('b', 'x', 2, 2, 1)), ...honest.slice(1)], /put a as version 2 since 2, and it is version 1/);
  check([...honest.slice(0, 2), revision(4, remove('c', 4))], 'revision 4 deleted c, which was not there');
  check([...honest, revision(6, put('b', 'z', 3, 6, 3))], /put b as version 3 since 3, and it is version 2 since 3/);
  check([...honest, revision(6, put('b', 'z', 3, 5, 2))], 'revision 6 told of b at 5');
});

test('event log: collected from watchers with gaps, whole up to the first revision that nobody was told', () => {
  const collector = new EventCollector();
  assert.equal(collector.collectedTo, 1);
  for (const number of [2, 5, 3]) collector.add(honest[number - 2] as SeenRevision);
  assert.equal(collector.collectedTo, 3);
  collector.add(honest[2] as SeenRevision);
  assert.equal(collector.collectedTo, 5);
  assert.deepEqual(collector.log(4), { revisions: honest, revision: 5, compactRevision: 4 });
});

test('event log: every revision as it looked', () => {
  const states = new PastStates({ revisions: honest, revision: 5, compactRevision: 0 });
  const values = (at: number): readonly string[] => states.range('', at).map(({ value }) => `${Buffer.from(value)}`);
  assert.deepEqual([1, 2, 3, 4, 5].map(values), [[], ['x'], ['y', 'z'], ['z'], ['new', 'z']]);
  assert.equal(states.get('a', 4), undefined);
  assert.deepEqual(
    states.changes('a').map(({ value }) => value),
    ['x', 'y', null, 'new'],
  );
  assert.deepEqual(
    states.range('b', 3).map(({ key }) => `${Buffer.from(key)}`),
    ['b'],
  );
});

function check(revisions: readonly SeenRevision[], expected: string | RegExp | undefined): void {
  const wrong = checkEventLog({ revisions, revision: revisions.at(-1)?.revision ?? 1, compactRevision: 0 });
  if (expected instanceof RegExp) assert.match(wrong ?? '', expected);
  else assert.equal(wrong, expected);
}

function without(number: number): readonly SeenRevision[] {
  return honest.filter((seen) => seen.revision !== number);
}

function revision(number: number, ...events: SeenRevision['events']): SeenRevision {
  return { revision: number, events };
}

function put(key: string, value: string, createRevision: number, modRevision: number, version: number) {
  const kv: KeyValue = { key: Buffer.from(key), value: Buffer.from(value), createRevision, modRevision, version };
  return { type: 'put', kv, previous: undefined } as const;
}

function remove(key: string, modRevision: number) {
  const kv: KeyValue = { key: Buffer.from(key), value: Buffer.of(), createRevision: 0, modRevision, version: 0 };
  return { type: 'delete', kv, previous: undefined } as const;
}
