import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entry, LoneCore } from './testing/core.ts';
import { TestNetwork } from './testing/network.ts';
import type { Message } from './types.ts';

const types = (messages: readonly Message[]): readonly string[] => messages.map(({ type }) => type);

test('ready: one at a time: what happens meanwhile shows in the next one, and in no other', () => {
  const node = new LoneCore().lead();
  node.propose('a');
  const first = node.core.ready();
  node.propose('b');
  node.propose('c');
  assert.equal(node.core.hasReady(), false);
  assert.throws(() => node.core.ready(), /has not been advanced/);
  node.log.write(first);
  node.core.advance(first);
  assert.throws(() => node.core.advance(first), /only the Ready that is out/);
  assert.deepEqual(node.core.ready().entries, [entry(3, 1, 'b'), entry(4, 1, 'c')]);
});

test('ready: group commit: proposals of one turn share one batch and one append, and followers share its entries', () => {
  const node = new LoneCore().lead();
  for (const from of ['2', '3']) node.accept(1, from);
  node.rest();
  for (let i = 0; i < 100; i++) node.propose(`${i}`);
  const { entries, messages } = node.core.ready();
  assert.deepEqual([entries.length, types(messages)], [100, ['appendEntries', 'appendEntries']]);
  for (const message of messages) assert.ok(message.type === 'appendEntries' && message.entries === entries);
});

test('ready: the leader counts itself when its disk has it, and followers may commit before that', () => {
  const network = new TestNetwork(['1', '2', '3']);
  network.elect('1');
  const leader = network.member('1');
  network.propose('1', 'a');
  network.send(leader.begin());
  for (const message of network.onTheirWay.splice(0)) network.deliver(message);
  for (const id of ['2', '3']) {
    network.send(network.member(id).begin());
    network.send(network.member(id).finish());
  }
  for (const message of network.onTheirWay.splice(0)) network.deliver(message);
  assert.equal(network.core('1').commitIndex, 2, 'on two of three disks');
  assert.equal(leader.log.lastIndex(), 1);
  network.send(leader.finish());
  assert.deepEqual(
    leader.core.ready().committedEntries.map(({ index }) => index),
    [2],
  );
});

test('ready: with its followers silent, the leader alone commits nothing, however durable', () => {
  const node = new LoneCore().lead();
  node.propose('a');
  node.rest();
  assert.equal(node.core.commitIndex, 0);
});

test('ready: entries that were replaced while they were written are not acknowledged to the new leader', () => {
  const node = new LoneCore({ log: [1], term: 1 });
  node.hear({
    type: 'appendEntries',
    previousIndex: 1,
    previousTerm: 1,
    entries: [entry(2, 1), entry(3, 1)],
    commit: 0,
  });
  const first = node.core.ready();
  node.hear({
    type: 'appendEntries',
    from: '3',
    term: 2,
    previousIndex: 1,
    previousTerm: 1,
    entries: [entry(2, 2)],
    commit: 0,
  });
  node.log.write(first);
  node.core.advance(first);
  const second = node.work();
  assert.deepEqual(second.entries, [entry(2, 2)]);
  const [answer] = second.messagesAfterPersist;
  assert.ok(answer?.type === 'appendEntriesResponse' && answer.to === '3' && answer.result.accepted);
  assert.equal(answer.result.matchIndex, 2);
});

test('ready: a committed entry in front of replaced ones is not written a second time', () => {
  const node = new LoneCore();
  const entries = [entry(1, 1), entry(2, 1), entry(3, 1)];
  node.hear({ type: 'appendEntries', term: 1, previousIndex: 0, previousTerm: 0, entries, commit: 1 });
  const first = node.core.ready();
  node.hear({
    type: 'appendEntries',
    from: '3',
    term: 2,
    previousIndex: 1,
    previousTerm: 1,
    entries: [entry(2, 2)],
    commit: 1,
  });
  node.log.write(first);
  node.core.advance(first);
  // The log asserts that nothing committed is replaced, as the durable one does.
  node.rest();
  assert.deepEqual([node.log.term(1), node.log.term(2), node.log.lastIndex()], [1, 2, 2]);
});

test('ready: acknowledgements and votes wait for the disk, appends and heartbeats do not', () => {
  const leader = new LoneCore().lead();
  leader.accept(1);
  leader.rest();
  leader.propose('a');
  leader.core.tick();
  const sent = leader.core.ready();
  assert.deepEqual(types(sent.messages), ['appendEntries', 'heartbeat', 'heartbeat']);
  assert.equal(sent.mustPersist, true);

  const follower = new LoneCore({ term: 1 });
  follower.hear({ type: 'heartbeat', commit: 0, commitTerm: 0, readRound: 3 });
  follower.hear({ type: 'appendEntries', previousIndex: 0, previousTerm: 0, entries: [entry(1, 1)], commit: 0 });
  const answered = follower.core.ready();
  assert.deepEqual(types(answered.messages), ['heartbeatResponse']);
  assert.deepEqual(types(answered.messagesAfterPersist), ['appendEntriesResponse']);
});

test('ready: nothing said in a term leaves before the disk has the term, not even a refusal or a question', () => {
  const node = new LoneCore({ log: [1, 1], term: 1 });
  node.hear({ type: 'heartbeat', term: 7, commit: 0, commitTerm: 0, readRound: 0 });
  node.core.requestReadIndex(1);
  node.hear({ type: 'appendEntries', previousIndex: 9, previousTerm: 3, entries: [], commit: 0 });
  node.hear({ type: 'requestVote', from: '3', lastLogIndex: 0, lastLogTerm: 0, transfer: false });
  const ready = node.core.ready();
  assert.deepEqual([ready.messages, ready.mustPersist], [[], true]);
  assert.equal(ready.messagesAfterPersist.length, 4);
});

test('ready: a commit index alone is shown, and does not ask for a write of its own', () => {
  const node = new LoneCore({ log: [1], term: 1 });
  node.hear({ type: 'heartbeat', commit: 1, commitTerm: 1, readRound: 0 });
  const ready = node.core.ready();
  assert.deepEqual(ready.hardState, { term: 1, vote: undefined, commit: 1 });
  assert.deepEqual([ready.mustPersist, ready.messagesAfterPersist], [false, []]);
});

test('ready: after a restart what was applied is not shown again, and the commit index is not behind it', () => {
  const network = new TestNetwork(['1', '2', '3']);
  network.elect('1');
  network.propose('1', 'a', 'b');
  network.settle();
  const follower = network.member('2');
  follower.crash();
  follower.restart();
  assert.equal(follower.core.commitIndex, 3);
  assert.equal(follower.core.hasReady(), false);
});

test('ready: a disk that hangs: an hour of ticks, messages and reads keeps what waits small', () => {
  const node = new LoneCore({ term: 1 }, { uncommittedBytesMax: 10_000 });
  node.hear({ type: 'heartbeat', commit: 0, commitTerm: 0, readRound: 0 });
  const out = node.core.ready();
  for (let i = 1; i <= 36_000; i++) {
    node.hear({ type: 'heartbeat', commit: 0, commitTerm: 0, readRound: i });
    node.hear({
      type: 'appendEntries',
      previousIndex: i - 1,
      previousTerm: i === 1 ? 0 : 1,
      entries: [entry(i, 1)],
      commit: i,
    });
    node.hear({ type: 'appendEntries', previousIndex: 99_999, previousTerm: 1, entries: [], commit: 0 });
    node.hear({ type: 'requestVote', from: '3', lastLogIndex: 0, lastLogTerm: 0, transfer: false });
    node.core.requestReadIndex(i);
  }
  assert.ok(node.core.lastIndex < 200, `${node.core.lastIndex} entries in memory`);
  node.core.advance(out);
  const { messages, messagesAfterPersist } = node.core.ready();
  assert.ok(messages.length <= 4_096, `${messages.length} messages`);
  assert.deepEqual(types(messagesAfterPersist), [
    'appendEntriesResponse',
    'appendEntriesResponse',
    'requestVoteResponse',
  ]);
});

test('ready: a leader whose Ready hangs makes one heartbeat of many, and refuses proposals beyond its bound', () => {
  const node = new LoneCore({}, { uncommittedBytesMax: 1_000 }).lead();
  node.propose('a');
  const out = node.core.ready();
  let refused = 0;
  for (let i = 0; i < 5_000; i++) {
    node.core.tick();
    node.hear({ type: 'heartbeatResponse', readRound: 0, suspectTerm: 0 });
    if (!node.core.propose([Buffer.alloc(10)]).accepted) refused++;
  }
  assert.ok(refused > 4_800);
  node.log.write(out);
  node.core.advance(out);
  assert.equal(types(node.core.ready().messages).filter((type) => type === 'heartbeat').length, 2);
});

test('ready: acknowledgements of several appends are one, the highest', () => {
  const node = new LoneCore({ term: 1 });
  for (const index of [1, 2, 3]) {
    const previousTerm = index === 1 ? 0 : 1;
    node.hear({ type: 'appendEntries', previousIndex: index - 1, previousTerm, entries: [entry(index, 1)], commit: 0 });
  }
  node.hear({ type: 'appendEntries', previousIndex: 0, previousTerm: 0, entries: [entry(1, 1)], commit: 0 });
  const answers = node.work().messagesAfterPersist;
  const [answer] = answers;
  assert.ok(answers.length === 1 && answer?.type === 'appendEntriesResponse' && answer.result.accepted);
  assert.equal(answer.result.matchIndex, 3);
});
