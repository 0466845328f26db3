import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry, Message, Ready, Term } from '../types.ts';
import { MemoryLog } from './memory-log.ts';
import { ScenarioSafety, type WatchedNode } from './scenario-safety.ts';

const idle: Ready = {
  hardState: undefined,
  softState: undefined,
  entries: [],
  mustPersist: false,
  messages: [],
  messagesAfterPersist: [],
  committedEntries: [],
  readStates: [],
  snapshot: undefined,
  snapshotOffer: undefined,
};

/** Three nodes of term 2, each with the log of its place. */
function watched(...logs: readonly (readonly Term[])[]): { safety: ScenarioSafety; nodes: readonly WatchedNode[] } {
  const ids = logs.map((_, position) => String(position + 1));
  const configuration = { voters: ids, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const nodes = logs.map((terms, position): WatchedNode => {
    const disk = new MemoryLog(configuration);
    disk.write({ hardState: { term: 2, vote: undefined, commit: 0 }, entries: terms.map(entryOf) });
    return { id: ids[position] ?? '', disk, core: { term: 2 } };
  });
  return { safety: new ScenarioSafety(new Map(nodes.map((node) => [node.id, node]))), nodes };
}

function entryOf(term: Term, position: number): Entry {
  return { term, index: position + 1, type: 'command', data: Buffer.from(`${position + 1}@${term}`) };
}

function nodeAt(nodes: readonly WatchedNode[], position: number): WatchedNode {
  const node = nodes[position];
  assert.ok(node);
  return node;
}

test('scenario safety: two leaders of one term are caught', () => {
  const { safety, nodes } = watched([], [], []);
  const ready: Ready = { ...idle, softState: { role: 'leader', leader: '1' } };
  safety.checkReady(nodeAt(nodes, 0), ready, 0);
  assert.throws(() => safety.checkReady(nodeAt(nodes, 1), ready, 0), /two leaders of term 2: 1 and 2/);
});

test('scenario safety: an entry that is applied with a copy on a minority is caught', () => {
  const { safety, nodes } = watched([1], [], []);
  assert.throws(() => safety.checkApply(nodeAt(nodes, 0), [entryOf(1, 0)]), /only on the disks of 1/);
});

test('scenario safety: different entries applied at one index are caught', () => {
  const { safety, nodes } = watched([1], [1], [2]);
  safety.checkApply(nodeAt(nodes, 0), [entryOf(1, 0)]);
  assert.throws(() => safety.checkApply(nodeAt(nodes, 2), [entryOf(2, 0)]), /applies 1@2 .* where 1@1 .* was applied/);
});

test('scenario safety: logs that agree above a place where they differ are caught', () => {
  const { safety } = watched([1, 2], [2, 2], []);
  assert.throws(() => safety.checkLogs(), /the logs of 1 and 2 agree above 1 and differ there/);
});

test('scenario safety: a new vote, a new entry or a gap in a Ready that does not fit is caught', () => {
  const { safety, nodes } = watched([], [], []);
  const node = nodeAt(nodes, 0);
  const check = (ready: Partial<Ready>) => () => safety.checkReady(node, { ...idle, ...ready }, 0);
  assert.throws(check({ hardState: { term: 2, vote: '1', commit: 0 } }), /a new term or vote must be written/);
  assert.throws(check({ hardState: { term: 1, vote: undefined, commit: 0 }, mustPersist: true }), /the term goes back/);
  assert.throws(check({ entries: [entryOf(2, 0)] }), /new entries must be written/);
  assert.throws(check({ entries: [entryOf(2, 0), entryOf(2, 2)], mustPersist: true }), /to persist have a gap/);
  assert.throws(check({ committedEntries: [entryOf(1, 1)] }), /shows 2 to apply after 0/);
});

test('scenario safety: a message that promises more than the disk holds is caught', () => {
  const { safety, nodes } = watched([1], [], []);
  const send = (message: Message) => () => safety.checkPromise(nodeAt(nodes, 0), message);
  const envelope = { from: '1', to: '2', term: 2 };
  assert.throws(
    send({ ...envelope, type: 'requestVoteResponse', granted: true }),
    /its disk holds a vote for undefined/,
  );
  const result = { accepted: true, matchIndex: 2 } as const;
  assert.throws(send({ ...envelope, type: 'appendEntriesResponse', result }), /its disk ends at 1/);
  assert.throws(
    send({ ...envelope, term: 3, type: 'heartbeat', commit: 0, commitTerm: 0, readRound: 0 }),
    /its disk is in term 2/,
  );
  send({ ...envelope, type: 'requestVoteResponse', granted: false })();
});
