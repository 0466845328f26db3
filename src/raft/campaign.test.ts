import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoneCore, votersOf } from './testing/core.ts';
import { TestNetwork } from './testing/network.ts';

test('campaign: a pre-vote asks for the next term, and changes neither term nor vote nor disk', () => {
  const node = new LoneCore({ log: [2], term: 3, vote: '2' });
  node.core.campaign();
  const ready = node.work();
  const common = { type: 'preVote', from: '1', term: 4, lastLogIndex: 1, lastLogTerm: 2 };
  assert.deepEqual(ready.messages, [
    { ...common, to: '2' },
    { ...common, to: '3' },
  ]);
  assert.deepEqual([ready.mustPersist, node.core.term, node.core.status().vote], [false, 3, '2']);
});

test('campaign: the own vote counts once it is durable, a pre-vote at once', () => {
  const node = new LoneCore({ configuration: votersOf('1') });
  node.core.campaign();
  assert.equal(node.core.role, 'candidate');
  const ready = node.core.ready();
  assert.deepEqual([ready.hardState?.vote, node.core.role], ['1', 'candidate']);
  node.log.write(ready);
  node.core.advance(ready);
  assert.equal(node.core.role, 'leader');
});

test('campaign: a vote that becomes durable after its term is over elects nobody', () => {
  const node = new LoneCore({ configuration: votersOf('1', '2') });
  node.core.campaign();
  node.hear({ type: 'preVoteResponse', term: 1, granted: true });
  const ready = node.core.ready();
  node.hear({ type: 'heartbeat', term: 2, commit: 0, commitTerm: 0, readRound: 0 });
  node.core.campaign();
  node.hear({ type: 'preVoteResponse', term: 3, granted: true });
  node.log.write(ready);
  node.core.advance(ready);
  node.hear({ type: 'requestVoteResponse', term: 3, granted: true });
  assert.deepEqual([node.core.role, node.core.term], ['candidate', 3], 'the vote of term 1 is none of term 3');
});

test('campaign: whoever is not a voter counts for nothing, and nobody counts twice', () => {
  const configuration = { ...votersOf('1', '2', '3', '4', '5'), learners: ['6'] };
  const node = new LoneCore({ configuration });
  node.core.campaign();
  for (const from of ['6', '9', '2', '2', '2']) node.hear({ type: 'preVoteResponse', from, term: 1, granted: true });
  assert.equal(node.core.role, 'preCandidate');
  node.hear({ type: 'preVoteResponse', from: '3', term: 1, granted: true });
  assert.equal(node.core.role, 'candidate');
});

test('campaign: the first answer of a voter counts, and a second one takes nothing back', () => {
  const node = new LoneCore({ configuration: votersOf('1', '2', '3', '4', '5') });
  node.core.campaign();
  for (const from of ['2', '3']) node.hear({ type: 'preVoteResponse', from, term: 1, granted: true });
  node.rest();
  node.hear({ type: 'requestVoteResponse', from: '2', granted: true });
  node.hear({ type: 'requestVoteResponse', from: '2', granted: false });
  node.hear({ type: 'requestVoteResponse', from: '3', granted: true });
  assert.equal(node.core.role, 'leader');
});

test('campaign: whoever is left with split votes asks again after a half to one election timeout', () => {
  const electionTicks = 10;
  const node = new LoneCore({}, { electionTicks });
  node.core.campaign();
  const waited = new Set<number>();
  for (let term = 1; term <= 30; term++) {
    node.hear({ type: 'preVoteResponse', from: '2', term, granted: true });
    node.rest();
    node.hear({ type: 'requestVoteResponse', from: '2', granted: false });
    assert.deepEqual([node.core.role, node.core.term], ['candidate', term], 'the third one is gone');
    let ticks = 0;
    for (; node.core.role === 'candidate'; ticks++) node.core.tick();
    assert.deepEqual([node.core.role, node.core.term], ['preCandidate', term]);
    waited.add(ticks);
  }
  assert.deepEqual([...waited].sort(), [5, 6, 7, 8, 9]);
});

test('campaign: a grant to an earlier question does not count', () => {
  const node = new LoneCore({ term: 4 });
  node.core.campaign();
  for (const term of [4, 6]) node.hear({ type: 'preVoteResponse', term, granted: true });
  assert.equal(node.core.role, 'preCandidate');
});

test('campaign: a refusal of a later term ends it, and frees a member that has fallen behind', () => {
  const node = new LoneCore({ term: 4 });
  node.core.campaign();
  node.hear({ type: 'preVoteResponse', term: 9, granted: false });
  assert.deepEqual([node.core.role, node.core.term], ['follower', 9]);
});

for (const [who, configuration] of [
  ['a learner', { ...votersOf('2', '3'), learners: ['1'] }],
  ['a member outside of the configuration', votersOf('2', '3')],
] as const) {
  test(`campaign: ${who} never does: not by time, not when told to, not by a transfer`, () => {
    const node = new LoneCore({ configuration });
    node.core.campaign();
    node.hear({ type: 'heartbeat', term: 1, commit: 0, commitTerm: 0, readRound: 0 });
    node.hear({ type: 'timeoutNow', term: 1 });
    for (let tick = 0; tick < 100; tick++) node.core.tick();
    assert.deepEqual([node.core.role, node.core.term], ['follower', 1]);
  });
}

test('campaign: a learner answers a request for its vote by log and term alone', () => {
  const node = new LoneCore({ configuration: { ...votersOf('2', '3'), learners: ['1'] } });
  node.hear({ type: 'requestVote', term: 1, lastLogIndex: 0, lastLogTerm: 0, transfer: false });
  const [answer] = node.rest();
  assert.ok(answer?.type === 'requestVoteResponse' && answer.granted);
});

test('campaign: a leader that is told to stays what it is', () => {
  const node = new LoneCore().lead();
  node.core.campaign();
  assert.deepEqual([node.core.role, node.core.term], ['leader', 1]);
});

test('campaign: in a joint configuration both halves have to grant', () => {
  const configuration = { ...votersOf('1', '2', '3'), votersOutgoing: ['1', '4', '5'] };
  const node = new LoneCore({ configuration });
  node.core.campaign();
  node.hear({ type: 'preVoteResponse', from: '2', term: 1, granted: true });
  assert.equal(node.core.role, 'preCandidate');
  node.hear({ type: 'preVoteResponse', from: '4', term: 1, granted: true });
  assert.equal(node.core.role, 'candidate');
});

test('campaign: a member that was cut off comes back, and no term is disturbed', () => {
  const network = new TestNetwork(['1', '2', '3']);
  network.elect('1');
  network.isolate('3');
  network.tick(200);
  network.isolate();
  network.tick(3);
  assert.deepEqual(
    [...network.members.values()].map(({ core }) => [core.term, core.leader]),
    [
      [1, '1'],
      [1, '1'],
      [1, '1'],
    ],
  );
});

test('campaign: members whose links are cut one by one elect somebody as long as one reaches a majority', () => {
  const network = new TestNetwork(['1', '2', '3', '4', '5']);
  network.elect('1');
  network.isolate('1');
  network.tick(60);
  const leaders = [...network.members.values()].filter(({ core }) => core.role === 'leader');
  assert.equal(leaders.length, 1);
  assert.notEqual(leaders[0]?.id, '1');
});
