import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoneCore, votersOf } from './testing/core.ts';
import { TestNetwork } from './testing/network.ts';

const orders = (node: LoneCore): readonly string[] =>
  node.rest().flatMap(({ type, to }) => (type === 'timeoutNow' ? [to] : []));

test('transfer: to a member that has everything: one order, and it leads the next term', () => {
  const network = new TestNetwork(['1', '2', '3']);
  network.elect('1');
  assert.equal(network.core('1').transferLeadership('3'), 'started');
  network.settle();
  assert.deepEqual(
    [...network.members.values()].map(({ core }) => [core.role, core.term, core.isTransferring]),
    [
      ['follower', 2, false],
      ['follower', 2, false],
      ['leader', 2, false],
    ],
  );
});

test('transfer: there and back', () => {
  const network = new TestNetwork(['1', '2', '3']);
  network.elect('1');
  network.core('1').transferLeadership('2');
  network.settle();
  network.core('2').transferLeadership('1');
  network.settle();
  assert.deepEqual([network.core('1').role, network.core('1').term], ['leader', 3]);
});

test('transfer: a target that lacks entries gets them first', () => {
  const node = new LoneCore().lead();
  node.accept(1);
  node.propose('a');
  node.rest();
  assert.equal(node.core.transferLeadership('2'), 'started');
  assert.deepEqual(orders(node), []);
  node.accept(2);
  assert.deepEqual(orders(node), ['2']);
});

test('transfer: an order that was lost is repeated with the answer to a heartbeat', () => {
  const node = new LoneCore().lead();
  node.accept(1);
  node.core.transferLeadership('2');
  assert.deepEqual(orders(node), ['2']);
  node.hear({ type: 'heartbeatResponse', from: '3', readRound: 0, suspectTerm: 0 });
  assert.deepEqual(orders(node), []);
  node.hear({ type: 'heartbeatResponse', readRound: 0, suspectTerm: 0 });
  assert.deepEqual(orders(node), ['2']);
});

test('transfer: who cannot be the target, and who cannot be asked', () => {
  const node = new LoneCore({ configuration: { ...votersOf('1', '2', '3'), learners: ['4'] } });
  assert.equal(node.core.transferLeadership('2'), 'not_leader');
  node.lead();
  const outcomes = ['1', '4', '9', '2', '2', '3'].map((to) => node.core.transferLeadership(to));
  assert.deepEqual(outcomes, ['already_leader', 'learner', 'unknown_member', 'started', 'in_progress', 'started']);
  assert.equal(node.core.status().transferTarget, '3');
});

test('transfer: given up after an election timeout; the same target again gets no more time, another one does', () => {
  for (const [again, stillRuns] of [
    ['2', false],
    ['3', true],
  ] as const) {
    const node = new LoneCore({}, { electionTicks: 10 }).lead();
    const tick = (times: number): void => {
      for (let time = 0; time < times; time++) {
        node.core.tick();
        node.hear({ type: 'heartbeatResponse', readRound: 0, suspectTerm: 0 });
        node.rest();
      }
    };
    node.core.transferLeadership('2');
    tick(9);
    assert.equal(node.core.isTransferring, true);
    node.core.transferLeadership(again);
    tick(1);
    assert.equal(node.core.isTransferring, stillRuns);
    tick(9);
    assert.equal(node.core.propose([Buffer.from('a')]).accepted, true);
  }
});

test('transfer: ends with the leadership, and does not come back with the next one', () => {
  const node = new LoneCore().lead();
  node.core.transferLeadership('2');
  node.hear({ type: 'heartbeat', from: '3', term: 2, commit: 0, commitTerm: 0, readRound: 0 });
  assert.equal(node.core.isTransferring, false);
  node.lead();
  assert.equal(node.core.propose([Buffer.from('a')]).accepted, true);
});

test('transfer: an order counts only from the leader, of this term', () => {
  const node = new LoneCore({ term: 3 });
  node.hear({ type: 'timeoutNow' });
  assert.equal(node.core.role, 'follower', 'no leader is known');
  node.hear({ type: 'heartbeat', commit: 0, commitTerm: 0, readRound: 0 });
  node.hear({ type: 'timeoutNow', from: '3' });
  node.hear({ type: 'timeoutNow', term: 2 });
  assert.deepEqual([node.core.role, node.core.term], ['follower', 3]);
  node.hear({ type: 'timeoutNow' });
  assert.deepEqual([node.core.role, node.core.term], ['candidate', 4]);
  const asked = node.rest().filter(({ type }) => type === 'requestVote');
  assert.ok(asked.every((message) => message.type === 'requestVote' && message.transfer));
});
