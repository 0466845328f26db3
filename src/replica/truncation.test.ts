import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FollowerView } from '../raft/index.ts';
import { Truncation } from './truncation.ts';

const keeping = (keptEntries: number, keptBytes = Number.POSITIVE_INFINITY) =>
  new Truncation({ keptEntries, keptBytes });

function use(
  { firstIndex, durableIndex }: { firstIndex: number; durableIndex: number },
  followers: readonly FollowerView[] = [],
  neededFrom?: number,
): Parameters<Truncation['dropTo']>[0] {
  return { firstIndex, durableIndex, followers: () => followers, neededFrom: () => neededFrom };
}

function follower(matchIndex: number, more: Partial<FollowerView> = {}): FollowerView {
  const view = { id: '2', role: 'voter', state: 'replicate', matchIndex, nextIndex: matchIndex + 1 } as const;
  return { ...view, inflightMessages: 0, recentlyActive: true, isSuspect: false, ...more };
}

test('truncation: a log is cut when it is a quarter longer than what is kept', () => {
  const truncation = keeping(1000);
  assert.equal(truncation.dropTo(use({ firstIndex: 1, durableIndex: 1000 })), undefined);
  assert.equal(truncation.dropTo(use({ firstIndex: 1, durableIndex: 1249 })), undefined);
  assert.equal(truncation.dropTo(use({ firstIndex: 1, durableIndex: 1250 })), 250);
  assert.equal(truncation.dropTo(use({ firstIndex: 251, durableIndex: 1250 })), undefined);
});

test('truncation: nothing is dropped that the store does not have on disk', () => {
  assert.equal(keeping(0).dropTo(use({ firstIndex: 1, durableIndex: 7 })), 7);
  assert.equal(keeping(0).dropTo(use({ firstIndex: 1, durableIndex: 0 })), undefined);
});

test('truncation: a member that is fed by a snapshot keeps what comes behind it', () => {
  assert.equal(keeping(10).dropTo(use({ firstIndex: 1, durableIndex: 1000 }, [], 300)), 300);
});

test('truncation: a follower that answers is spared a snapshot, up to four times what is kept', () => {
  const log = { firstIndex: 1, durableIndex: 1000 };
  assert.equal(keeping(100).dropTo(use(log, [follower(700)])), 700);
  assert.equal(keeping(100).dropTo(use(log, [follower(600)])), 900);
  assert.equal(keeping(100).dropTo(use(log, [follower(700, { recentlyActive: false })])), 900);
  assert.equal(keeping(100).dropTo(use(log, [follower(700, { state: 'snapshot' })])), 900);
});

test('truncation: large entries are dropped earlier', () => {
  const truncation = keeping(10_000, 1_000_000);
  for (let index = 1; index <= 4096; index++) truncation.noteAppended(index, 1000);
  const dropTo = truncation.dropTo(use({ firstIndex: 1, durableIndex: 4096 }));
  assert.ok(dropTo !== undefined && dropTo >= 4096 - 1000 - 256 && dropTo <= 4096 - 1000, String(dropTo));
});
