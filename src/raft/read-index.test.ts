import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CoreOptions, LoneCore, votersOf } from './testing/core.ts';
import { TestNetwork } from './testing/network.ts';
import type { MemberId, ReadState } from './types.ts';

/** A leader whose no-op is committed. */
function leader(options: CoreOptions = {}, voters: readonly MemberId[] = ['1', '2', '3']): LoneCore {
  const configuration = { ...votersOf(...voters), learners: ['8'] };
  const node = new LoneCore({ configuration }, options);
  node.core.campaign();
  for (const from of voters.slice(1)) node.hear({ type: 'preVoteResponse', from, term: 1, granted: true });
  node.rest();
  for (const from of voters.slice(1)) node.hear({ type: 'requestVoteResponse', from, granted: true });
  node.rest();
  for (const from of voters.slice(1)) node.accept(1, from);
  node.rest();
  return node;
}

/** The number of the round that goes out, if one does. */
function roundOf(node: LoneCore): number | undefined {
  const rounds = node.rest().flatMap((message) => (message.type === 'heartbeat' ? [message.readRound] : []));
  assert.ok(new Set(rounds).size <= 1, `one round at a time, not ${rounds}`);
  return rounds[0];
}

function statesOf(node: LoneCore): readonly ReadState[] {
  return node.core.hasReady() ? node.work().readStates : [];
}

const confirm = (node: LoneCore, from: MemberId, readRound: number): void =>
  node.hear({ type: 'heartbeatResponse', from, readRound, suspectTerm: 0 });

test('read index: one round of heartbeats confirms all reads that wait, at the commit index of its start', () => {
  const node = leader();
  assert.deepEqual([node.core.requestReadIndex(7), node.core.requestReadIndex(8)], [true, true]);
  assert.equal(roundOf(node), 1);
  confirm(node, '2', 1);
  assert.deepEqual(statesOf(node), [
    { context: 7, index: 1 },
    { context: 8, index: 1 },
  ]);
  confirm(node, '3', 1);
  assert.equal(node.core.hasReady(), false, 'a late answer confirms nothing again');
});

test('read index: a read uses no round that began before it arrived; all that arrive meanwhile share the next', () => {
  const node = leader();
  node.core.requestReadIndex(1);
  assert.equal(roundOf(node), 1);
  node.core.requestReadIndex(2);
  node.core.requestReadIndex(3);
  assert.equal(roundOf(node), undefined);
  confirm(node, '2', 1);
  const ready = node.work();
  assert.deepEqual(
    ready.readStates.map(({ context }) => context),
    [1],
  );
  assert.deepEqual(
    ready.messages.map((message) => message.type === 'heartbeat' && message.readRound),
    [2, 2, 2],
  );
  confirm(node, '3', 1);
  assert.deepEqual(statesOf(node), [], 'an answer to the older round');
  confirm(node, '3', 2);
  assert.deepEqual(
    statesOf(node).map(({ context }) => context),
    [2, 3],
  );
});

test('read index: of five, two others are needed: no learner, no second answer, no stranger, no number to come', () => {
  const node = leader({}, ['1', '2', '3', '4', '5']);
  node.core.requestReadIndex(1);
  assert.equal(roundOf(node), 1);
  for (const from of ['2', '2', '8', '9']) confirm(node, from, 1);
  confirm(node, '3', 2);
  assert.deepEqual(statesOf(node), []);
  confirm(node, '3', 1);
  assert.deepEqual(
    statesOf(node).map(({ context }) => context),
    [1],
  );
});

test('read index: a round that was lost is repeated by the next heartbeat', () => {
  const node = leader();
  node.core.requestReadIndex(1);
  assert.equal(roundOf(node), 1);
  node.core.tick();
  assert.equal(roundOf(node), 1);
});

test('read index: before the first commit of the term a read waits, and then gets an index that is not behind it', () => {
  const node = new LoneCore({ log: [1, 1], term: 1 }).lead();
  node.core.requestReadIndex(1);
  assert.equal(roundOf(node), undefined);
  node.accept(3);
  assert.equal(roundOf(node), 1);
  confirm(node, '2', 1);
  assert.deepEqual(statesOf(node), [{ context: 1, index: 3 }]);
});

test('read index: a member alone answers at once, but not before its no-op is committed', () => {
  const node = new LoneCore({ configuration: votersOf('1') });
  node.core.campaign();
  node.work();
  assert.deepEqual([node.core.role, node.core.commitIndex], ['leader', 0]);
  node.core.requestReadIndex(1);
  assert.deepEqual(node.work().readStates, []);
  assert.deepEqual(node.work().readStates, [{ context: 1, index: 1 }]);
});

test('read index: stepping down, a higher term and a new leadership void what waits', () => {
  for (const end of ['stepDown', 'term'] as const) {
    const node = leader();
    node.core.requestReadIndex(1);
    assert.equal(roundOf(node), 1);
    node.core.requestReadIndex(2);
    if (end === 'stepDown') node.core.stepDown();
    else node.hear({ type: 'appendEntriesResponse', term: 5, result: { accepted: true, matchIndex: 1 } });
    confirm(node, '2', 1);
    assert.deepEqual(statesOf(node), []);
    node.lead();
    node.accept(2);
    confirm(node, '2', 1);
    node.core.tick();
    assert.ok(!node.rest().some((message) => message.type === 'heartbeat' && message.readRound > 0));
  }
});

test('read index: through a follower: asked of the leader, answered once, and only by whom it was asked', () => {
  const node = new LoneCore({ term: 1 });
  assert.equal(node.core.requestReadIndex(5), false, 'no leader is known');
  node.hear({ type: 'heartbeat', commit: 0, commitTerm: 0, readRound: 0 });
  assert.equal(node.core.requestReadIndex(5), true);
  const asked = node.rest().filter(({ type }) => type === 'readIndex');
  assert.deepEqual(asked, [{ type: 'readIndex', from: '1', to: '2', term: 1, context: 5 }]);
  node.hear({ type: 'readIndexResponse', from: '3', context: 5, index: 9 });
  node.hear({ type: 'readIndexResponse', context: 6, index: 9 });
  node.hear({ type: 'readIndexResponse', context: 5, index: 4 });
  node.hear({ type: 'readIndexResponse', context: 5, index: 3 });
  assert.deepEqual(statesOf(node), [{ context: 5, index: 4 }]);
});

test('read index: an answer that outlives the leader it was asked of is void', () => {
  const node = new LoneCore({ term: 1 });
  node.hear({ type: 'heartbeat', commit: 0, commitTerm: 0, readRound: 0 });
  node.core.requestReadIndex(5);
  node.hear({ type: 'heartbeat', term: 2, commit: 0, commitTerm: 0, readRound: 0 });
  node.hear({ type: 'readIndexResponse', term: 1, context: 5, index: 4 });
  node.hear({ type: 'readIndexResponse', term: 2, context: 5, index: 4 });
  assert.deepEqual(statesOf(node), []);
});

test('read index: from every member of a cluster, learner included', () => {
  const network = new TestNetwork(['1', '2', '3'], { learners: ['4'] });
  network.elect('1');
  for (const id of ['1', '2', '3', '4']) {
    network.core(id).requestReadIndex(3);
    const seen: ReadState[] = [];
    const member = network.member(id);
    const finish = member.finish.bind(member);
    const begin = member.begin.bind(member);
    const ready = member.core.ready.bind(member.core);
    member.core.ready = () => {
      const taken = ready();
      seen.push(...taken.readStates);
      return taken;
    };
    Object.assign(member, { begin, finish });
    network.settle();
    assert.deepEqual(seen, [{ context: 3, index: 1 }], `member ${id}`);
  }
});

test('read index: what waits for a quorum that does not come is bounded', () => {
  const node = leader();
  node.core.requestReadIndex(0);
  assert.equal(roundOf(node), 1);
  for (let context = 1; context <= 20_000; context++) node.hear({ type: 'readIndex', context });
  confirm(node, '3', 1);
  assert.equal(roundOf(node), 2);
  confirm(node, '3', 2);
  assert.ok(node.rest().filter(({ type }) => type === 'readIndexResponse').length <= 4_096);
  for (let context = 1; context <= 20_000; context++) node.core.requestReadIndex(context);
  assert.equal(roundOf(node), 3);
  confirm(node, '3', 3);
  assert.equal(statesOf(node).length, 4_096);
});

const lease = { readMode: 'lease', electionTicks: 10, leaseDriftTicks: 3 } as const;

/** Ticks, and lets the followers answer what goes out. */
function beat(node: LoneCore, ...from: readonly MemberId[]): void {
  node.core.tick();
  const round = roundOf(node) ?? 0;
  for (const id of from) confirm(node, id, round);
  node.rest();
}

test('lease read: answered at once while a quorum answered a heartbeat sent within the lease, and not longer', () => {
  const node = leader(lease);
  beat(node, '2');
  for (let tick = 1; tick < 7; tick++) {
    beat(node);
    node.core.requestReadIndex(tick);
    assert.deepEqual(
      statesOf(node).map(({ context }) => context),
      [tick],
      `${tick} ticks after`,
    );
  }
  beat(node);
  node.core.requestReadIndex(7);
  assert.deepEqual(statesOf(node), []);
});

test('lease read: counts from when the heartbeat was sent, not from when its answer came', () => {
  const node = leader(lease);
  node.core.tick();
  const round = roundOf(node) ?? 0;
  for (let tick = 0; tick < 7; tick++) beat(node);
  confirm(node, '2', round);
  node.core.requestReadIndex(1);
  assert.deepEqual(
    statesOf(node).flatMap(({ context }) => context),
    [],
  );
});

test('lease read: not in the default mode', () => {
  const node = leader();
  beat(node, '2', '3');
  node.core.requestReadIndex(1);
  assert.deepEqual(statesOf(node), []);
});

test('lease read: off during a transfer, and after one that was given up: its order may still arrive', () => {
  const node = leader(lease);
  beat(node, '2', '3');
  assert.equal(node.core.transferLeadership('2'), 'started');
  for (let tick = 0; tick < 12; tick++) {
    beat(node, '2', '3');
    node.core.requestReadIndex(tick);
    // A round is still taken, with the quorum's word for it.
    assert.deepEqual(statesOf(node), []);
    beat(node, '2', '3');
  }
  assert.equal(node.core.isTransferring, false);
});

test('lease read: who answered the leader keeps silent to others, whatever has made it forget that leader', () => {
  const vote = (forget: (node: LoneCore) => void, ticks: number): boolean => {
    const node = new LoneCore({ term: 1 }, lease);
    for (let tick = 0; tick < 10; tick++) node.core.tick();
    node.hear({ type: 'heartbeat', commit: 0, commitTerm: 0, readRound: 1 });
    node.rest();
    forget(node);
    for (let tick = 0; tick < ticks; tick++) node.core.tick();
    node.rest();
    const { term } = node.core;
    node.hear({ type: 'requestVote', from: '3', term, lastLogIndex: 0, lastLogTerm: 0, transfer: false });
    node.hear({ type: 'requestVote', from: '3', term: term + 1, lastLogIndex: 0, lastLogTerm: 0, transfer: false });
    return node.rest().some((message) => message.type === 'requestVoteResponse' && message.granted);
  };
  const higherTerm = (node: LoneCore): void =>
    node.hear({ type: 'preVoteResponse', from: '3', term: 6, granted: false });
  const ordered = (node: LoneCore): void => node.core.campaign();
  for (const forget of [higherTerm, ordered]) assert.deepEqual([vote(forget, 0), vote(forget, 9)], [false, false]);
  assert.equal(vote(higherTerm, 10), true);
});

test('lease read: a member that is ordered to campaign does not while it hears the leader, unless it is alone', () => {
  const node = new LoneCore({ term: 1 }, lease);
  node.hear({ type: 'heartbeat', commit: 0, commitTerm: 0, readRound: 1 });
  node.core.campaign();
  assert.deepEqual([node.core.role, node.core.leader], ['follower', '2']);
  const alone = new LoneCore({ term: 1, configuration: votersOf('1') }, lease);
  alone.core.campaign();
  assert.equal(alone.core.role, 'candidate');
});

test('lease read: a member that has restarted keeps silent for an election timeout, as it may have promised to', () => {
  const ask = (past: object, ticks: number): boolean => {
    const node = new LoneCore(past, lease);
    for (let tick = 0; tick < ticks; tick++) node.core.tick();
    node.rest();
    node.hear({ type: 'preVote', from: '3', term: 9, lastLogIndex: 9, lastLogTerm: 1 });
    return node.core.hasReady();
  };
  assert.deepEqual(
    [ask({ term: 1 }, 0), ask({ term: 1 }, 9), ask({ term: 1 }, 10), ask({}, 0)],
    [false, false, true, true],
  );
});

test('read index: a round that only a removed member has not answered ends when it is gone', () => {
  const node = leader({}, ['1', '2']);
  const change = { voters: ['1'], learners: ['8'], context: new Uint8Array() };
  assert.ok(node.core.proposeConfiguration(change).accepted);
  node.rest();
  node.core.requestReadIndex(7);
  assert.deepEqual(statesOf(node), []);
  // What the removed member still says is that it has the joint configuration: it is left, and nobody asks it again.
  node.accept(2);
  const states: ReadState[] = [];
  while (node.core.hasReady()) states.push(...node.work().readStates);
  assert.deepEqual(node.core.status().configuration.voters, ['1']);
  assert.deepEqual(states, [{ context: 7, index: 1 }]);
});
