import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoneCore } from './testing/core.ts';
import { type TestMember, TestNetwork } from './testing/network.ts';

const options = { electionTicks: 10 };

test('suspect: it gives no vote and no pre-vote, does not campaign, and obeys no order to', () => {
  const network = new TestNetwork(['1', '2', '3'], options);
  network.elect('1');
  const member = network.member('3');
  lose(member);
  network.isolate('1');
  network.tick(50);
  assert.notEqual(network.core('2').role, 'leader', 'one vote of three is no majority');
  assert.deepEqual([member.core.role, member.core.isSuspect], ['follower', true]);
  member.core.campaign();
  assert.equal(member.core.role, 'follower');
});

test('suspect: it follows and acknowledges, and its acknowledgements count', () => {
  const network = new TestNetwork(['1', '2', '3'], options);
  network.elect('1');
  lose(network.member('3'));
  network.isolate('2');
  network.tick(2);
  network.propose('1', 'a');
  network.settle();
  network.tick();
  assert.equal(network.core('1').commitIndex, 2);
  assert.deepEqual([network.core('3').commitIndex, network.core('3').isSuspect], [2, true]);
});

test('suspect: a leader of the term in which it forgot has itself elected again, once, and that heals it', () => {
  const network = new TestNetwork(['1', '2', '3'], options);
  network.elect('1');
  network.propose('1', 'a');
  network.settle();
  lose(network.member('3'));
  assert.equal(network.core('1').term, 1);
  network.tick(12);
  assert.deepEqual([network.core('1').role, network.core('1').term], ['leader', 2]);
  assert.equal(network.core('3').isSuspect, false);
  assert.equal(network.member('3').log.hardState.suspectTerm, undefined, 'and stays so when it is started again');
  network.tick(30);
  assert.equal(network.core('1').term, 2);
});

test('suspect: a learner that forgot was never healed while its leader stayed, and so never promoted', () => {
  const network = new TestNetwork(['1', '2', '3'], { ...options, learners: ['4'] });
  network.elect('1');
  network.propose('1', 'a');
  network.settle();
  lose(network.member('4'));
  network.tick(12);
  assert.deepEqual([network.core('1').role, network.core('1').term], ['leader', 2]);
  assert.equal(network.core('4').isSuspect, false);
  network.tick(30);
  assert.equal(network.core('1').term, 2);
});

test('suspect: a leader does not risk its office where those who may vote are too few', () => {
  const network = new TestNetwork(['1', '2', '3'], options);
  network.elect('1');
  lose(network.member('2'));
  lose(network.member('3'));
  network.tick(40);
  assert.deepEqual([network.core('1').role, network.core('1').term], ['leader', 1]);
  network.propose('1', 'a');
  network.settle();
  assert.equal(network.core('1').commitIndex, 2, 'it goes on serving');
});

test('suspect: whoever says so all the time costs no more than an election in an election timeout', () => {
  const node = new LoneCore({ term: 1 }, options).lead();
  node.accept(node.core.lastIndex);
  const { term } = node.core;
  for (let tick = 0; tick < options.electionTicks - 1; tick++) {
    node.core.tick();
    node.hear({ type: 'heartbeatResponse', readRound: 0, suspectTerm: term });
    node.hear({ type: 'heartbeatResponse', from: '3', readRound: 0, suspectTerm: 0 });
    node.rest();
  }
  assert.equal(node.core.term, term);
});

test('suspect: a disk that came back as an older copy is noticed by the heartbeat of the leader it had acknowledged to', () => {
  const network = new TestNetwork(['1', '2', '3'], options);
  network.elect('1');
  network.propose('1', 'a', 'b', 'c');
  network.settle();
  const member = network.member('3');
  member.crash();
  member.log.loseFrom(2);
  member.applied = member.applied.slice(0, 1);
  member.restart();
  network.core('1').tick();
  network.settle();
  assert.equal(member.core.isSuspect, true);
  network.tick(12);
  assert.deepEqual([member.core.isSuspect, member.core.commitIndex], [false, network.core('1').commitIndex]);
});

/** As `storage/open-raft-log.ts` does where the log is damaged. */
function lose(member: TestMember): void {
  const { term } = member.log.hardState;
  member.crash();
  member.log.loseFrom(1);
  member.log.hardState = { term, vote: undefined, commit: 0, suspectTerm: term };
  member.applied = [];
  member.restart();
}
