import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UncommittedBytes } from './uncommitted-bytes.ts';

test('uncommitted bytes: released entry by entry, in the order of appending', () => {
  const open = new UncommittedBytes();
  for (const bytes of [0, 10, 200]) open.add(bytes);
  open.release(2);
  assert.deepEqual([open.total, open.count], [200, 1]);
  open.add(5);
  open.release(2);
  assert.deepEqual([open.total, open.count], [0, 0]);
});

test('uncommitted bytes: a long leadership does not keep what is committed', () => {
  const open = new UncommittedBytes();
  for (let entry = 1; entry <= 10_000; entry++) {
    open.add(entry);
    if (entry > 7) open.release(1);
    assert.equal(open.count, Math.min(entry, 7));
  }
  assert.equal(open.total, 9_994 + 9_995 + 9_996 + 9_997 + 9_998 + 9_999 + 10_000);
});

test('uncommitted bytes: more than was appended cannot be committed', () => {
  assert.throws(() => new UncommittedBytes().release(1), /1 entries committed, 0 were open/);
});
