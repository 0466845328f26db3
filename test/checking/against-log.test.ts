import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyValue } from '../../src/contract/kv.ts';
import { checkAgainstLog } from './against-log.ts';
import { PastStates } from './event-log.ts';
import type { Action, Operation } from './history.ts';

/** By revision, from 2 on: what it made of which keys; `null`: it deleted them. */
const log: readonly Readonly<Record<string, string | null>>[] = [
  { k: 'one' },
  { k: 'two' },
  { 'bank/a': '5 x', 'bank/b': '5 x' },
  { 'bank/a': '4 y', 'bank/b': '6 y' },
  { k: null },
];
const unknown = Number.POSITIVE_INFINITY;
const puts = [put('one', 2), put('two', 3), operation({ kind: 'delete', done: true }, 6)];
const opened = txn({ 'bank/a': null, 'bank/b': null }, { 'bank/a': '5 x', 'bank/b': '5 x' }, true, 4);
const moved = txn({ 'bank/a': '5 x', 'bank/b': '5 x' }, { 'bank/a': '4 y', 'bank/b': '6 y' }, true, 5);
const stale = txn({ 'bank/a': '5 x' }, { 'bank/a': '0 z' }, false, 5);

test('against the log: what was told is what happened', () => {
  holds('every write was told', puts);
  holds('a write of unknown outcome was done', [put('one', 2), put('two', undefined), ...puts.slice(2)]);
  holds('a write of unknown outcome was not done', [...puts, put('three', undefined)]);
  holds('reads of all revisions', [...puts, get(null, 1), get('one', 2), get('two', 5), get(null, 6)]);
  holds('a condition that failed changed nothing', [...puts, operation({ kind: 'create', value: 'c', done: false })]);
  holds('transactions, one of which failed', [opened, moved, stale]);
  holds('looks at all keys', [opened, moved, snapshot({}, 3), snapshot({ 'bank/a': '5 x', 'bank/b': '5 x' }, 4)]);
  holds('a transaction of unknown outcome', [opened, { ...without(moved), endMs: unknown }]);
});

test('against the log: what was told and is not so', () => {
  breaks('a write that nobody asked for', [put('one', 2), ...puts.slice(2)], /revision 3 made it two, which nobody/);
  breaks('a write that was lost', [...puts, put('four', 4)], /revision 4 did not touch k/);
  breaks('another value', [put('uno', 2), ...puts.slice(1)], /revision 2 made it one/);
  breaks('an old value', [...puts, get('one', 3)], /at revision 3 it was two/);
  breaks('a refused write', puts.slice(0, 2), /revision 6 made it null, which nobody/);
  breaks(
    'half of a transaction',
    [opened, { ...moved, action: { ...moved.action, written: { 'bank/a': '4 y' } } } as Operation],
    /revision 5 made it/,
  );
  breaks('a condition that did not hold', [opened, txn({ 'bank/a': '9' }, moved5(), true, 5)], /there was/);
  breaks('a condition that held', [opened, moved, txn({ 'bank/a': '4 y' }, {}, false, 5)], /there was/);
  breaks('half of a state', [opened, moved, snapshot({ 'bank/a': '4 y' }, 5)], /revision 5 held/);
  breaks(
    'a mixture of two states',
    [opened, moved, snapshot({ 'bank/a': '4 y', 'bank/b': '5 x' }, 5)],
    /revision 5 held/,
  );
  breaks('a transaction that nobody asked for', [opened, stale], /revision 5 made it .* which nobody/);
});

test('against the log: a write that was done twice, although it was sent once', () => {
  const twice = new PastStates(logOf([{ k: 'one' }, { k: 'two' }, { k: 'one' }]));
  assert.match(checkAgainstLog([put('one', undefined), put('two', 3)], twice) ?? '', /revision 4 made it one/);
  assert.match(checkAgainstLog([put('one', 2), put('two', 3)], twice) ?? '', /revision 4 made it one/);
});

function holds(what: string, history: readonly Operation[]): void {
  assert.equal(checkAgainstLog(history, new PastStates(logOf(log))), undefined, what);
}

function breaks(what: string, history: readonly Operation[], message: RegExp): void {
  assert.match(checkAgainstLog(history, new PastStates(logOf(log))) ?? 'nothing', message, what);
}

function logOf(changes: typeof log) {
  const revisions = changes.map((change, i) => {
    const events = Object.entries(change).map(([key, value]) => {
      const kv: KeyValue = {
        key: Buffer.from(key),
        value: Buffer.from(value ?? ''),
        createRevision: 0,
        modRevision: i + 2,
        version: 0,
      };
      return { type: value === null ? ('delete' as const) : ('put' as const), kv, previous: undefined };
    });
    return { revision: i + 2, events };
  });
  return { revisions, revision: changes.length + 1, compactRevision: 0 };
}

function operation(action: Action, revision?: number, key = 'k'): Operation {
  const known = { client: 0, key, action, startMs: 0, endMs: 1 };
  return revision === undefined ? known : { ...known, revision };
}

/** Without a revision its outcome is unknown. */
function put(value: string, revision: number | undefined): Operation {
  const known = operation({ kind: 'put', value }, revision);
  return revision === undefined ? { ...known, endMs: unknown } : known;
}

function get(value: string | null, revision: number): Operation {
  return operation({ kind: 'get', value }, revision);
}

function txn(
  expected: Record<string, string | null>,
  written: Record<string, string>,
  done: boolean,
  revision: number,
) {
  return operation({ kind: 'txn', expected, written, done }, revision, 'bank');
}

function moved5(): Record<string, string> {
  return { 'bank/a': '4 y', 'bank/b': '6 y' };
}

function snapshot(values: Record<string, string>, revision: number): Operation {
  return operation({ kind: 'snapshot', values }, revision, 'bank');
}

function without({ revision: _, ...rest }: Operation): Operation {
  return rest;
}
