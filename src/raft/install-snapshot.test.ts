import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyConfiguration } from './configuration.ts';
import { entry, LoneCore, votersOf } from './testing/core.ts';
import { TestNetwork } from './testing/network.ts';

const configuration = votersOf('1', '2', '3');

test('install snapshot: it is written alone, and counts as applied when that is done', () => {
  const node = new LoneCore({ log: [1], term: 1, commit: 1 });
  node.hear({ type: 'heartbeat', commit: 0, commitTerm: 0, readRound: 0 });
  node.rest();
  const snapshot = { index: 9, term: 1, configuration };
  assert.equal(node.core.installSnapshot(snapshot), true);
  const { commitIndex, appliedIndex } = node.core;
  assert.deepEqual([commitIndex, appliedIndex], [9, 1]);
  const ready = node.work();
  assert.deepEqual(
    [ready.snapshot, ready.entries, ready.committedEntries, ready.mustPersist, ready.hardState?.commit],
    [snapshot, [], [], true, 9],
  );
  const result = { accepted: true, matchIndex: 9 };
  assert.deepEqual(ready.messagesAfterPersist, [
    { type: 'appendEntriesResponse', from: '1', to: '2', term: 1, result },
  ]);
  assert.deepEqual([node.core.appliedIndex, node.core.lastIndex, node.log.firstIndex()], [9, 9, 10]);
});

test('install snapshot: only between two Readys', () => {
  const node = new LoneCore();
  node.core.campaign();
  node.core.ready();
  assert.throws(() => node.core.installSnapshot({ index: 9, term: 1, configuration }), /between two Readys/);
});

test('install snapshot: whoever campaigns gives up, and does not campaign before it is written', () => {
  const node = new LoneCore({ log: [1], term: 1 });
  node.core.campaign();
  assert.equal(node.core.installSnapshot({ index: 9, term: 1, configuration }), true);
  assert.equal(node.core.role, 'follower');
  node.core.campaign();
  assert.equal(node.core.role, 'follower');
  node.rest();
  node.core.campaign();
  assert.equal(node.core.role, 'preCandidate');
});

test('install snapshot: a later term than the present one is taken over', () => {
  const node = new LoneCore({ log: [1], term: 1, vote: '3' });
  assert.equal(node.core.installSnapshot({ index: 9, term: 4, configuration }), true);
  assert.deepEqual(node.work().hardState, { term: 4, vote: undefined, commit: 9 });
});

test('install snapshot: a leader takes none', () => {
  const node = new LoneCore().lead();
  assert.equal(node.core.installSnapshot({ index: 9, term: 1, configuration }), false);
  assert.equal(node.core.commitIndex, 0);
});

test('install snapshot: another one before the first is written takes its place', () => {
  const node = new LoneCore();
  node.core.installSnapshot({ index: 5, term: 1, configuration });
  assert.equal(node.core.installSnapshot({ index: 4, term: 1, configuration }), false);
  assert.equal(node.core.installSnapshot({ index: 9, term: 2, configuration }), true);
  assert.equal(node.work().snapshot?.index, 9);
  assert.equal(node.core.hasReady(), false);
});

test('install snapshot: entries that follow while it is written come with the next Ready', () => {
  const node = new LoneCore({ term: 1 });
  node.core.installSnapshot({ index: 5, term: 1, configuration });
  const ready = node.core.ready();
  const entries = [entry(6, 1)];
  node.hear({ type: 'appendEntries', previousIndex: 5, previousTerm: 1, entries, commit: 6 });
  node.log.write(ready);
  node.core.advance(ready);
  assert.deepEqual(node.work().entries, entries);
  assert.deepEqual(node.work().committedEntries, entries);
});

test('install snapshot: the configuration that waited in a dropped tail goes with it', () => {
  const node = new LoneCore({ log: [1, 1], term: 1, configuration: votersOf('1') });
  node.core.installSnapshot({ index: 5, term: 1, configuration });
  assert.deepEqual(node.core.status().configuration, configuration);
  node.rest();
  assert.deepEqual(node.core.status().configuration, configuration);
});

test('install snapshot: an offer of an earlier leader is void', () => {
  const node = new LoneCore({ term: 1 });
  node.hear({ type: 'installSnapshot', index: 5 });
  node.hear({ type: 'heartbeat', from: '3', term: 2, commit: 0, commitTerm: 0, readRound: 0 });
  assert.equal(node.work().snapshotOffer, undefined);
  node.hear({ type: 'installSnapshot', from: '3', index: 6 });
  node.hear({ type: 'installSnapshot', from: '3', index: 7 });
  assert.deepEqual(node.work().snapshotOffer, { from: '3', term: 2, index: 7 });
  assert.equal(node.core.hasReady(), false);
});

test('install snapshot: who has no configuration takes no entries, whatever comes, and never campaigns', () => {
  const node = new LoneCore({ configuration: emptyConfiguration });
  for (let tick = 0; tick < 100; tick++) node.core.tick();
  node.core.campaign();
  assert.equal(node.core.hasReady(), false);
  node.hear({ type: 'appendEntries', term: 1, previousIndex: 0, previousTerm: 0, entries: [entry(1, 1)], commit: 1 });
  const [answer] = node.rest();
  assert.ok(answer?.type === 'appendEntriesResponse');
  assert.deepEqual(answer.result, {
    accepted: false,
    rejectedIndex: 0,
    hintIndex: 0,
    hintTerm: 0,
    needsSnapshot: true,
  });
  assert.equal(node.core.lastIndex, 0);
});

test('install snapshot: a suspect is healed by one of a later term than it promised anything in, once it is written', () => {
  const suspect = new LoneCore({ configuration: emptyConfiguration, term: 3, suspectTerm: 3 });
  suspect.core.installSnapshot({ index: 5, term: 3, configuration });
  suspect.rest();
  assert.equal(suspect.core.isSuspect, true);
  suspect.core.installSnapshot({ index: 9, term: 4, configuration });
  assert.equal(suspect.core.isSuspect, true);
  suspect.rest();
  assert.equal(suspect.core.isSuspect, false);
});

test('install snapshot: a follower is offered none while the log reaches back to it, wherever the log begins', () => {
  const network = new TestNetwork(['1', '2', '3']);
  network.elect('1');
  network.propose('1', 'a', 'b', 'c');
  network.settle();
  network.member('3').crash();
  network.member('1').truncate(4);
  network.propose('1', 'd');
  network.settle();
  network.member('3').restart();
  network.tick(3);
  assert.equal(network.core('3').appliedIndex, 5);
  assert.equal(network.member('3').log.firstIndex(), 1);
});

test('install snapshot: the log is truncated under the feet of a follower that it is sent to', () => {
  const network = new TestNetwork(['1', '2', '3'], { inflightMessagesMax: 2, messageBytesMax: 1 });
  network.elect('1');
  network.isolate('3');
  for (let round = 0; round < 20; round++) network.propose('1', `${round}`);
  network.settle();
  network.isolate();
  network.core('1').tick();
  // One append at a time reaches node 3, and between two of them the leader drops what it wants next.
  for (let round = 0; round < 200; round++) {
    for (const member of network.members.values()) {
      if (!member.hasWork) continue;
      if (!member.isBusy) network.send(member.begin());
      network.send(member.finish());
    }
    const [message] = network.onTheirWay.splice(0, 1);
    if (message !== undefined) network.deliver(message);
    network.member('1').truncate(Math.min(network.member('1').applied.length, network.core('3').lastIndex + 3));
  }
  network.tick(3);
  assert.equal(network.core('3').appliedIndex, 21);
  assert.ok(network.member('3').log.firstIndex() > 1, 'it was fed by a snapshot');
});
