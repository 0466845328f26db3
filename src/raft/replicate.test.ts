import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entry, LoneCore, votersOf } from './testing/core.ts';
import { TestNetwork } from './testing/network.ts';
import type { AppendEntries, MemberId, Message } from './types.ts';

const appendsTo = (messages: readonly Message[], to: MemberId): readonly AppendEntries[] =>
  messages.filter((message): message is AppendEntries => message.type === 'appendEntries' && message.to === to);

/** What each append to member 2 carries, in bytes. */
const sizes = (messages: readonly Message[]): readonly number[][] =>
  appendsTo(messages, '2').map(({ entries }) => entries.map(({ data }) => data.length));

test('replicate: appends are cut to their limit, a larger entry goes alone, and the window bounds them in bytes', () => {
  const node = new LoneCore({}, { messageBytesMax: 100, inflightBytesMax: 250 }).lead();
  node.accept(1);
  node.rest();
  node.core.propose([40, 40, 40, 150, 40].map((bytes) => Buffer.alloc(bytes)));
  assert.deepEqual(sizes(node.rest()), [[40, 40], [40], [150]]);
  node.accept(4);
  assert.deepEqual(sizes(node.rest()), [[40]]);
});

test('replicate: the window bounds appends in number, and is freed by acknowledgements', () => {
  const node = new LoneCore({}, { inflightMessagesMax: 2 }).lead();
  node.accept(1);
  node.rest();
  const sent = ['a', 'b', 'c', 'd'].map((text) => {
    node.propose(text);
    return appendsTo(node.rest(), '2').length;
  });
  assert.deepEqual(sent, [1, 1, 0, 0]);
  node.accept(2);
  const [freed] = appendsTo(node.rest(), '2');
  assert.deepEqual(
    freed?.entries.map(({ index }) => index),
    [4, 5],
    'what waited goes together',
  );
});

test('replicate: a full window whose answers are lost: the answer to a heartbeat lets one empty append through', () => {
  const node = new LoneCore({}, { inflightMessagesMax: 1 }).lead();
  node.accept(1);
  node.rest();
  node.propose('a');
  node.rest();
  node.propose('b');
  node.rest();
  node.hear({ type: 'heartbeatResponse', readRound: 0, suspectTerm: 0 });
  const [question, ...more] = appendsTo(node.rest(), '2');
  assert.deepEqual([question?.previousIndex, question?.entries, more], [2, [], []]);
});

test('replicate: a lost acknowledgement and a lost commit index heal without a new proposal', () => {
  const network = new TestNetwork(['1', '2', '3']);
  network.elect('1');
  network.isolate('3');
  network.propose('1', 'a');
  network.settle();
  network.isolate();
  network.tick(2);
  assert.deepEqual([network.core('3').commitIndex, network.member('3').applied.length], [2, 2]);
});

test('replicate: unreachable, but caught up: brought back from probing by a heartbeat', () => {
  const network = new TestNetwork(['1', '2', '3']);
  network.elect('1');
  network.core('1').reportUnreachable('2');
  network.core('1').reportUnreachable('9');
  network.core('2').reportUnreachable('1');
  const state = (): string | undefined => network.core('1').status().followers[0]?.state;
  assert.equal(state(), 'probe');
  assert.equal(network.core('1').hasReady(), false, 'there is nothing to send');
  network.tick();
  assert.equal(state(), 'replicate');
});

test('replicate: long divergent tails agree in a few round trips', () => {
  const network = new TestNetwork(['1', '2', '3'], { messageBytesMax: 10_000 });
  const write = (id: MemberId, terms: readonly number[]): void => {
    const entries = terms.map((term, i) => entry(i + 1, term));
    network.member(id).log.write({ entries, hardState: { term: 40, vote: undefined, commit: 0 } });
    network.member(id).restart();
  };
  // 1000 entries each behind a common part of 5: no two of them agree.
  const tail = (step: number): number[] => Array.from({ length: 1_000 }, (_, i) => 2 + Math.floor(i / 200) * 2 + step);
  for (const id of ['1', '3']) write(id, [1, 1, 1, 1, 1, ...tail(1)]);
  write('2', [1, 1, 1, 1, 1, ...tail(0)]);
  network.isolate('2');
  network.elect('1');
  network.isolate();
  let rejections = 0;
  const deliver = network.deliver.bind(network);
  network.deliver = (message) => {
    if (message.type === 'appendEntriesResponse' && !message.result.accepted) rejections++;
    deliver(message);
  };
  network.tick(3);
  assert.equal(network.core('2').lastIndex, 1_006);
  assert.ok(rejections <= 7, `${rejections} round trips for 10 terms and 1000 entries`);
});

test('replicate: an append behind committed entries is accepted for what it adds, and repeated ones cut nothing off', () => {
  const node = new LoneCore({ log: [1, 1, 1], term: 1, commit: 2 });
  const entries = [2, 3, 4, 5].map((index) => entry(index, 1));
  node.hear({ type: 'appendEntries', previousIndex: 1, previousTerm: 1, entries, commit: 2 });
  assert.equal(node.core.lastIndex, 5);
  node.hear({ type: 'appendEntries', previousIndex: 0, previousTerm: 0, entries: [entry(1, 1)], commit: 0 });
  const [answer] = node.rest();
  assert.ok(answer?.type === 'appendEntriesResponse' && answer.result.accepted);
  assert.deepEqual([node.core.lastIndex, answer.result.matchIndex], [5, 5]);
});

for (const [what, message] of [
  [
    'builds on another entry in the place of a committed one',
    { previousIndex: 2, previousTerm: 2, entries: [entry(3, 2)] },
  ],
  ['would replace a committed entry', { previousIndex: 1, previousTerm: 1, entries: [entry(2, 2), entry(3, 2)] }],
] as const) {
  test(`replicate: an append that ${what} is ignored, and not answered`, () => {
    const node = new LoneCore({ log: [1, 1], term: 2, commit: 2 });
    node.hear({ type: 'appendEntries', ...message, commit: 2 });
    assert.deepEqual(node.rest(), []);
    assert.deepEqual([node.core.lastIndex, node.log.term(2)], [2, 1]);
  });
}

test('replicate: a second leader of the same term is not followed', () => {
  const node = new LoneCore({ term: 1 });
  node.hear({ type: 'heartbeat', from: '2', commit: 0, commitTerm: 0, readRound: 0 });
  node.hear({ type: 'appendEntries', from: '3', previousIndex: 0, previousTerm: 0, entries: [entry(1, 1)], commit: 0 });
  assert.deepEqual([node.core.leader, node.core.lastIndex], ['2', 0]);
});

test('replicate: a follower that lost acknowledged entries gets them again; commit does not go back, nobody stops', () => {
  for (const lost of [1, 2, 5]) {
    const network = new TestNetwork(['1', '2', '3']);
    network.elect('1');
    network.propose('1', 'a', 'b', 'c', 'd', 'e');
    network.settle();
    const follower = network.member('2');
    follower.crash();
    follower.log.loseFrom(7 - lost);
    follower.applied = follower.applied.slice(0, 6 - lost);
    follower.restart();
    network.tick(3);
    network.propose('1', 'f');
    network.settle();
    assert.deepEqual([network.core('1').commitIndex, follower.core.lastIndex, follower.core.commitIndex], [7, 7, 7]);
  }
});

test('replicate: a heartbeat commits nothing unless the entry that it names is there: the disk may be an older copy', () => {
  // 2@1 was replaced by 2@2, which this member acknowledged, and committed; then its disk came back as it was before.
  for (const [commit, commitTerm] of [
    [2, 2],
    [99, 2],
  ] as const) {
    const node = new LoneCore({ log: [1, 1], term: 2 });
    node.hear({ type: 'heartbeat', commit, commitTerm, readRound: 0 });
    assert.deepEqual([node.core.commitIndex, node.core.isSuspect], [0, true]);
  }
});

test('replicate: a heartbeat tells no more than what the follower is known to have', () => {
  const node = new LoneCore({ configuration: votersOf('1', '2', '3') }).lead();
  node.accept(1);
  node.rest();
  node.core.tick();
  const commits = node
    .rest()
    .flatMap((message) => (message.type === 'heartbeat' ? [[message.to, message.commit]] : []));
  assert.deepEqual(commits, [
    ['2', 1],
    ['3', 0],
  ]);
});

test('replicate: a follower behind the first entry of the log waits for a snapshot, and gets no appends', () => {
  const node = new LoneCore({ log: [1, 1, 1, 1], term: 1, commit: 4 });
  node.log.dropTo(3);
  node.lead();
  node.hear({
    type: 'appendEntriesResponse',
    result: { accepted: false, rejectedIndex: 4, hintIndex: 1, hintTerm: 1, needsSnapshot: false },
  });
  node.rest();
  assert.equal(node.follower('2').state, 'snapshot');
  node.propose('a');
  node.hear({ type: 'heartbeatResponse', readRound: 0, suspectTerm: 0 });
  assert.deepEqual(appendsTo(node.rest(), '2'), []);
  node.accept(3);
  assert.deepEqual(
    appendsTo(node.rest(), '2').map(({ previousIndex }) => previousIndex),
    [3],
    'it has enough after all',
  );
});

test('replicate: entries that come slowly from disk go on with the next answer', () => {
  const node = new LoneCore({ log: [1, 1, 1, 1, 1, 1], term: 1 });
  node.log.coldEntriesMax = 2;
  node.lead();
  node.hear({
    type: 'appendEntriesResponse',
    result: { accepted: false, rejectedIndex: 6, hintIndex: 1, hintTerm: 1, needsSnapshot: false },
  });
  const steps: number[][] = [];
  for (let match = 1; match < 7; ) {
    const appends = appendsTo(node.rest(), '2');
    steps.push(appends.flatMap(({ entries }) => entries.map(({ index }) => index)));
    match = steps.at(-1)?.at(-1) ?? 7;
    node.accept(match);
  }
  assert.deepEqual(steps, [
    [2, 3],
    [4, 5],
    [6, 7],
  ]);
});

test('replicate: commits that are told when asked: not by themselves, once on request, and by the way with entries', () => {
  const node = new LoneCore({}, { commitNotice: 'asked' }).lead();
  node.accept(1);
  assert.deepEqual([appendsTo(node.rest(), '2'), node.core.isCommitUntold(node.core.commitIndex)], [[], true]);
  node.core.tellCommit();
  assert.deepEqual(
    appendsTo(node.rest(), '2').map(({ commit, entries }) => [commit, entries.length]),
    [[1, 0]],
  );
  assert.equal(node.core.isCommitUntold(node.core.commitIndex), false);
  node.core.tellCommit();
  assert.equal(node.core.hasReady(), false);
  node.propose('a');
  node.rest();
  node.accept(2);
  node.rest();
  node.propose('b');
  assert.deepEqual(
    appendsTo(node.rest(), '2').map(({ commit }) => commit),
    [2],
  );
  assert.equal(node.core.isCommitUntold(node.core.commitIndex), false);
  node.accept(3);
  node.rest();
  assert.equal(node.core.isCommitUntold(node.core.commitIndex), true, 'asked once is not asked for the next one');
  assert.equal(node.core.isCommitUntold(2), false, 'what an append has told does not wait any more');
  const follower = new LoneCore();
  follower.core.tellCommit();
  assert.deepEqual([follower.core.isCommitUntold(follower.core.commitIndex), follower.core.hasReady()], [false, false]);
});

test('proposals: refused by whoever does not lead, during a transfer, and beyond the limit; nothing is appended then', () => {
  const follower = new LoneCore();
  assert.deepEqual(follower.core.propose([Buffer.from('a')]), { accepted: false, reason: 'not_leader' });
  const leader = new LoneCore({}, { uncommittedBytesMax: 100 }).lead();
  assert.deepEqual(leader.core.propose([Buffer.alloc(60)]), { accepted: true, term: 1, firstIndex: 2 });
  assert.deepEqual(leader.core.propose([Buffer.alloc(41)]), { accepted: false, reason: 'uncommitted_limit' });
  assert.deepEqual(leader.core.propose([Buffer.alloc(40)]), { accepted: true, term: 1, firstIndex: 3 });
  leader.core.transferLeadership('3');
  assert.deepEqual(leader.core.propose([Buffer.alloc(1)]), { accepted: false, reason: 'transferring' });
  assert.equal(leader.core.lastIndex, 3);
});

test('proposals: what is committed makes room, and one above the limit passes while nothing else is open', () => {
  const node = new LoneCore({}, { uncommittedBytesMax: 100 }).lead();
  assert.equal(node.core.propose([Buffer.alloc(500)]).accepted, true);
  assert.equal(node.core.propose([Buffer.alloc(1)]).accepted, false);
  node.rest();
  node.accept(2);
  assert.equal(node.core.status().uncommittedBytes, 0);
  assert.equal(node.core.propose([Buffer.alloc(1)]).accepted, true);
});
