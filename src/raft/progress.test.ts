import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FollowerProgress } from './progress.ts';

const log = { lastIndex: 10, committed: 5 };

function probing(nextIndex = 11): FollowerProgress {
  return new FollowerProgress('2', nextIndex, { messagesMax: 2, bytesMax: 100 });
}

function replicating(matchIndex = 5): FollowerProgress {
  const follower = probing();
  follower.accepted(matchIndex, 1);
  return follower;
}

function wants(follower: FollowerProgress): boolean {
  return follower.wantsAppend(log.lastIndex) || follower.wantsCommit(log.committed);
}

function send(follower: FollowerProgress, count: number, options: { bytes?: number; isShort?: boolean } = {}): void {
  const { bytes = 1, isShort = false } = options;
  follower.sent({ count, bytes, commit: log.committed, isShort });
}

test('progress: probe: one append, then silence until an answer', () => {
  const follower = probing(8);
  assert.equal(wants(follower), true);
  send(follower, 3);
  assert.deepEqual([wants(follower), follower.nextIndex], [false, 8]);
  follower.answeredHeartbeat(log.lastIndex);
  assert.equal(wants(follower), true, 'the append or its answer may have been lost');
});

test('progress: probe → replicate: an accepted append; what follows is sent without waiting, up to the window', () => {
  const follower = replicating();
  assert.deepEqual([follower.state, follower.matchIndex, follower.nextIndex], ['replicate', 5, 6]);
  send(follower, 2);
  assert.deepEqual([follower.nextIndex, wants(follower)], [8, true]);
  send(follower, 1);
  assert.deepEqual([follower.inflights.count, wants(follower)], [2, false]);
  follower.accepted(7, 1);
  assert.deepEqual([follower.inflights.count, wants(follower)], [1, true]);
});

test('progress: replicate: a full window lets one question through after the answer to a heartbeat', () => {
  const follower = replicating();
  send(follower, 3, { bytes: 200 });
  assert.equal(wants(follower), false);
  follower.answeredHeartbeat(log.lastIndex);
  assert.equal(wants(follower), true);
  send(follower, 0);
  assert.equal(wants(follower), false);
});

test('progress: replicate: a new commit index is told once, and only if the follower may have the entries', () => {
  const follower = replicating(8);
  assert.equal(follower.wantsCommit(5), true);
  send(follower, 0);
  assert.equal(follower.wantsCommit(5), false);
  assert.equal(follower.wantsCommit(6), true);
  follower.noteSentCommit(8);
  assert.equal(follower.wantsCommit(10), false, 'it comes with the entries that it is about');
});

test('progress: a commit index is not told where nothing may be sent', () => {
  assert.equal(probing(9).wantsCommit(5), false);
  const follower = replicating(8);
  send(follower, 1, { bytes: 200 });
  assert.equal(follower.wantsCommit(9), false);
});

test('progress: replicate: after a read that the disk cut short, the rest waits for the answer', () => {
  const follower = replicating();
  send(follower, 1, { isShort: true });
  assert.equal(wants(follower), false);
  follower.accepted(6, 1);
  assert.equal(wants(follower), true);
});

test('progress: replicate → probe: a rejection, from where the logs may agree; an older answer changes nothing', () => {
  const follower = replicating();
  send(follower, 2);
  send(follower, 2);
  follower.rejected(4, 2);
  assert.equal(follower.state, 'replicate', 'behind what it has acknowledged since');
  follower.rejected(7, 6);
  assert.deepEqual([follower.state, follower.matchIndex, follower.nextIndex], ['probe', 5, 7]);
  follower.rejected(9, 5);
  assert.equal(follower.nextIndex, 7, 'the second append of the same window is rejected too');
});

test('progress: replicate → probe: unreachable', () => {
  const follower = replicating();
  send(follower, 5);
  follower.unreachable();
  assert.deepEqual([follower.state, follower.nextIndex, follower.inflights.count], ['probe', 6, 0]);
});

test('progress: probe: goes back by the hint, and at least by one', () => {
  const follower = probing(9);
  follower.rejected(8, 20);
  assert.equal(follower.nextIndex, 8);
  follower.rejected(7, 3);
  assert.equal(follower.nextIndex, 4);
  follower.rejected(3, 0);
  assert.equal(follower.nextIndex, 1);
});

for (const state of ['replicate', 'probe'] as const) {
  test(`progress: ${state}: a follower that lost what it had acknowledged is not counted for it any longer`, () => {
    const follower = replicating(8);
    if (state === 'probe') follower.unreachable();
    follower.rejected(8, 3);
    assert.deepEqual([follower.state, follower.matchIndex, follower.nextIndex], ['probe', 3, 4]);
  });
}

test('progress: a late acknowledgement takes nothing back', () => {
  const follower = replicating(8);
  assert.equal(follower.accepted(6, 1), false);
  assert.deepEqual([follower.matchIndex, follower.nextIndex], [8, 9]);
});

test('progress: snapshot: no append is sent, until an answer shows that the log reaches back far enough', () => {
  const follower = probing(3);
  follower.becomeSnapshot();
  assert.equal(follower.dueOffer({ firstIndex: 7, applied: 9 }), 6);
  follower.answeredHeartbeat(log.lastIndex);
  assert.equal(wants(follower), false);
  follower.accepted(4, 7);
  assert.equal(follower.state, 'snapshot');
  follower.accepted(6, 7);
  assert.deepEqual([follower.state, follower.nextIndex], ['replicate', 7]);
});

test('progress: snapshot: an offer is repeated when it is time, and moves only as far as the log has been dropped', () => {
  const follower = probing(3);
  follower.rejectedAll(2);
  assert.equal(follower.state, 'snapshot');
  assert.equal(follower.dueOffer({ firstIndex: 1, applied: 0 }), undefined);
  for (const [applied, firstIndex, offer] of [
    [5, 1, 5],
    [8, 1, 5],
    [8, 6, 5],
    [9, 8, 7],
  ] as const) {
    assert.equal(follower.dueOffer({ firstIndex, applied }), offer);
    follower.offered(offer);
    assert.equal(follower.dueOffer({ firstIndex, applied }), undefined);
    follower.repeatOffer();
  }
  follower.accepted(7, 8);
  follower.repeatOffer();
  assert.deepEqual([follower.state, follower.dueOffer({ firstIndex: 8, applied: 9 })], ['replicate', undefined]);
});

test('progress: snapshot: a late answer from before the snapshot does not set it off again', () => {
  const follower = probing(3);
  follower.rejectedAll(2);
  follower.accepted(7, 1);
  follower.rejectedAll(2);
  assert.equal(follower.state, 'replicate');
});

test('progress: nonsense does not move it: rejected what was never sent, or nothing', () => {
  const follower = replicating();
  follower.rejected(0, 0);
  follower.rejected(50, 40);
  assert.deepEqual([follower.state, follower.matchIndex, follower.nextIndex], ['replicate', 5, 6]);
});

test('progress: a late answer of a member that had no configuration does not have the snapshot sent twice', () => {
  const follower = probing(6);
  follower.rejectedAll(5);
  follower.accepted(5, 1);
  follower.rejectedAll(5);
  assert.equal(follower.state, 'replicate');
  // One that has forgotten everything since says so to the next append.
  send(follower, 1);
  follower.rejectedAll(6);
  assert.equal(follower.state, 'snapshot');
});
