import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoneCore, votersOf } from './testing/core.ts';
import type { MemberId } from './types.ts';

function hearFrom(node: LoneCore, ...members: readonly MemberId[]): void {
  for (const from of members) node.hear({ type: 'heartbeatResponse', from, readRound: 0, suspectTerm: 0 });
}

test('tick: check quorum: a leader without answers from a quorum for an election timeout steps down, in its term', () => {
  const node = new LoneCore({}, { electionTicks: 10 }).lead();
  for (let tick = 0; tick < 5; tick++) node.core.tick();
  hearFrom(node, '2');
  for (let tick = 0; tick < 9; tick++) node.core.tick();
  assert.equal(node.core.role, 'leader');
  node.core.tick();
  assert.deepEqual([node.core.role, node.core.term, node.core.leader], ['follower', 1, undefined]);
});

test('tick: check quorum: a new leader has a whole election timeout to be answered', () => {
  const node = new LoneCore({}, { electionTicks: 10 }).lead();
  const roles = Array.from({ length: 10 }, () => {
    node.core.tick();
    return node.core.role;
  });
  assert.deepEqual([roles.at(-2), roles.at(-1)], ['leader', 'follower']);
});

test('tick: check quorum: learners and strangers do not keep a leader in office, a majority does', () => {
  const configuration = { ...votersOf('1', '2', '3', '4', '5'), learners: ['6'] };
  for (const [heard, role] of [
    [['2', '6', '9'], 'follower'],
    [['2', '4'], 'leader'],
  ] as const) {
    const node = new LoneCore({ configuration });
    node.core.campaign();
    for (const from of ['2', '3']) node.hear({ type: 'preVoteResponse', from, term: 1, granted: true });
    for (const from of ['2', '3']) node.hear({ type: 'requestVoteResponse', from, granted: true });
    node.rest();
    assert.equal(node.core.role, 'leader');
    for (let tick = 0; tick < 10; tick++) {
      node.core.tick();
      hearFrom(node, ...heard);
    }
    assert.equal(node.core.role, role);
  }
});

test('tick: stickiness: who hears a leader ignores requests for votes, for electionTicks and no longer', () => {
  for (const type of ['preVote', 'requestVote'] as const) {
    const ask = (ticks: number): boolean => {
      const node = new LoneCore({ term: 1 }, { electionTicks: 10 });
      node.hear({ type: 'heartbeat', commit: 0, commitTerm: 0, readRound: 0 });
      node.rest();
      for (let tick = 0; tick < ticks; tick++) node.core.tick();
      node.rest();
      node.hear({ type, from: '3', term: 2, lastLogIndex: 0, lastLogTerm: 0, transfer: false });
      return node.core.hasReady();
    };
    assert.deepEqual([ask(0), ask(9), ask(10)], [false, false, true]);
  }
});

test('tick: stickiness: a leader ignores them too, and a transfer is not ignored by anybody', () => {
  const node = new LoneCore().lead();
  node.hear({ type: 'requestVote', from: '3', term: 5, lastLogIndex: 9, lastLogTerm: 1, transfer: false });
  assert.deepEqual([node.core.role, node.core.term], ['leader', 1]);
  node.hear({ type: 'requestVote', from: '3', term: 5, lastLogIndex: 9, lastLogTerm: 1, transfer: true });
  assert.deepEqual([node.core.role, node.core.term, node.core.status().vote], ['follower', 5, '3']);
});

test('tick: a removed member that asks for a thousand timeouts does not move the term', () => {
  const node = new LoneCore().lead();
  for (let term = 2; term < 1_002; term++) {
    node.core.tick();
    hearFrom(node, '2', '3');
    node.hear({ type: 'requestVote', from: '9', term, lastLogIndex: 99, lastLogTerm: 1, transfer: false });
    node.hear({ type: 'preVote', from: '9', term, lastLogIndex: 99, lastLogTerm: 1 });
  }
  assert.deepEqual([node.core.role, node.core.term], ['leader', 1]);
});

test('tick: stepping down is not a new term, and whoever did may campaign again', () => {
  const node = new LoneCore().lead();
  node.core.stepDown();
  assert.deepEqual([node.core.role, node.core.term, node.core.leader], ['follower', 1, undefined]);
  node.core.stepDown();
  node.lead();
  assert.equal(node.core.term, 2);
});
