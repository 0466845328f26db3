import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import type { Action, Operation } from './history.ts';
import { checkRevisions, describeFinding } from './revisions.ts';

const unknown = Number.POSITIVE_INFINITY;

test('revisions: histories that an honest store produces', () => {
  holds('a read after a write', [put('a', 2, 0, 1), get('a', 2, 2, 3)]);
  holds('a read of an old state beside newer writes', [put('a', 2, 0, 1), put('b', 3, 2, 9), get('a', 2, 3, 8)]);
  holds('nothing there yet', [get(null, 1, 0, 1), put('a', 2, 2, 3)]);
  holds('a write of unknown outcome is seen', [put('a', 2, 0, 1), put('b', undefined, 2, unknown), get('b', 3, 4, 5)]);
  holds('a deletion of unknown outcome', [put('a', 2, 0, 1), remove(undefined, 2, unknown), get(null, 3, 4, 5)]);
  holds('other keys move the revision on', [put('a', 2, 0, 1, 'x'), put('b', 3, 2, 3, 'y'), get('a', 3, 4, 5, 'x')]);
});

test('revisions: lies', () => {
  breaks('one revision for two writes', [put('a', 2, 0, 1), put('b', 2, 0, 1)]);
  breaks('a later write with a lower revision', [put('a', 3, 0, 1), put('b', 2, 2, 3)]);
  breaks('a get behind a write that was acknowledged before', [
    put('a', 2, 0, 1),
    put('b', 3, 2, 3),
    get('a', 2, 4, 5),
  ]);
  breaks('a get behind an earlier get', [put('a', 2, 0, 1), put('b', 3, 2, 9), get('b', 3, 3, 4), get('a', 2, 5, 6)]);
  breaks('a lost write', [put('a', 2, 0, 1), get(null, 2, 2, 3)]);
  breaks('a value that was overwritten', [put('a', 2, 0, 1), put('b', 3, 2, 3), get('a', 3, 4, 5)]);
  breaks('a value that nobody wrote', [put('a', 2, 0, 1), get('z', 2, 2, 3)]);
  breaks('a deleted value', [put('a', 2, 0, 1), remove(3, 2, 3), get('a', 3, 4, 5)]);
});

test('revisions: a lie is told with the operations that show it', () => {
  const finding = checkRevisions([put('a', 2, 0, 1), put('b', 3, 2, 3), get('a', 3, 4, 5)]);
  assert.ok(finding !== undefined);
  assert.equal(
    describeFinding(finding),
    `A get was not told the newest value of its revision.
  revision 3: client 0: put k=b, 2.0 to 3.0 ms
  revision 2: client 0: put k=a, 0.0 to 1.0 ms
  revision 3: client 0: get k, told a, 4.0 to 5.0 ms`,
  );
});

test('revisions: a long history of many clients is found right, and wrong once an old value is told in it', () => {
  const random = seededRandom(11);
  const history: Operation[] = [];
  const values = new Map<string, string>();
  let revision = 1;
  for (let atMs = 0; atMs < 50_000; atMs++) {
    const key = `k${random.below(20)}`;
    const [startMs, endMs] = [atMs - random.below(30), atMs + random.below(30)];
    if (random.below(2) === 0) {
      revision++;
      values.set(key, `${atMs}`);
      history.push(operation({ kind: 'put', value: `${atMs}` }, revision, startMs, endMs, key));
    } else {
      history.push(operation({ kind: 'get', value: values.get(key) ?? null }, revision, startMs, endMs, key));
    }
  }
  assert.equal(checkRevisions(history), undefined);
  const gets = history.filter(({ action }) => action.kind === 'get' && action.value !== null);
  const [early, late] = [gets[500], gets.at(-500)];
  assert.ok(early !== undefined && late !== undefined);
  const broken = history.map((one) => (one === late ? { ...one, key: early.key, action: early.action } : one));
  assert.notEqual(checkRevisions(broken), undefined);
});

function holds(what: string, history: readonly Operation[]): void {
  const finding = checkRevisions(history);
  assert.equal(finding, undefined, `${what}: ${finding === undefined ? '' : describeFinding(finding)}`);
}

function breaks(what: string, history: readonly Operation[]): void {
  assert.notEqual(checkRevisions(history), undefined, what);
}

function operation(action: Action, revision: number | undefined, startMs: number, endMs: number, key = 'k'): Operation {
  const known = { client: 0, key, action, startMs, endMs };
  return revision === undefined ? known : { ...known, revision };
}

function put(value: string, revision: number | undefined, startMs: number, endMs: number, key?: string): Operation {
  return operation({ kind: 'put', value }, revision, startMs, endMs, key);
}

function get(value: string | null, revision: number, startMs: number, endMs: number, key?: string): Operation {
  return operation({ kind: 'get', value }, revision, startMs, endMs, key);
}

function remove(revision: number | undefined, startMs: number, endMs: number): Operation {
  return operation({ kind: 'delete', done: true }, revision, startMs, endMs);
}
