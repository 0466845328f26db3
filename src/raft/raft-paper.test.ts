import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entry, LoneCore, votersOf } from './testing/core.ts';
import { TestNetwork } from './testing/network.ts';
import type { Message } from './types.ts';

// Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)". Each test sets a state,
// does one thing, and compares.

const types = (messages: readonly Message[]): readonly string[] => messages.map(({ type }) => type);

for (const role of ['follower', 'preCandidate', 'candidate', 'leader'] as const) {
  test(`paper 5.1: a ${role} that sees a higher term adopts it, forgets its vote, and is a follower`, () => {
    const node = new LoneCore({ term: 1 });
    if (role === 'leader') node.lead();
    if (role === 'preCandidate' || role === 'candidate') node.core.campaign();
    if (role === 'candidate') node.hear({ type: 'preVoteResponse', term: 2, granted: true });
    assert.equal(node.core.role, role);
    node.hear({ type: 'appendEntries', term: 9, previousIndex: 0, previousTerm: 0, entries: [], commit: 0 });
    const { term, vote, leader } = node.core.status();
    assert.deepEqual([node.core.role, term, vote, leader], ['follower', 9, undefined, '2']);
  });
}

test('paper 5.1: a request of an older term changes nothing, and is told the present term', () => {
  const node = new LoneCore({ log: [3], term: 5 });
  node.hear({ type: 'appendEntries', term: 4, previousIndex: 1, previousTerm: 3, entries: [entry(2, 4)], commit: 2 });
  const { messages, mustPersist } = node.work();
  assert.deepEqual([node.core.term, node.core.lastIndex, node.core.leader, mustPersist], [5, 1, undefined, false]);
  assert.deepEqual(
    messages.map(({ term }) => term),
    [5],
  );
});

test('paper 5.2: a member starts as a follower, and sends nothing by itself', () => {
  const node = new LoneCore({ log: [1, 2], term: 4, vote: '3' });
  assert.deepEqual([node.core.role, node.core.term, node.core.hasReady()], ['follower', 4, false]);
});

test('paper 5.2: a leader sends heartbeats to everybody, each heartbeat interval', () => {
  const node = new LoneCore({}, { heartbeatTicks: 3 }).lead();
  const sent = [1, 2, 3, 4, 5, 6].map(() => {
    node.core.tick();
    return types(node.rest()).filter((type) => type === 'heartbeat').length;
  });
  assert.deepEqual(sent, [0, 0, 2, 0, 0, 2]);
});

test('paper 5.2: election timeouts are drawn from [T, 2T) and differ from try to try', () => {
  const node = new LoneCore({}, { electionTicks: 10 });
  const timeouts = new Set<number>();
  for (let attempt = 0; attempt < 200; attempt++) {
    let ticks = 0;
    do {
      node.core.tick();
      ticks++;
    } while (!node.core.hasReady());
    timeouts.add(ticks);
    node.rest();
  }
  assert.deepEqual(
    [...timeouts].sort((a, b) => a - b),
    [10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
  );
});

test('paper 5.2: to begin an election a member takes the next term, votes for itself, and asks all others', () => {
  const node = new LoneCore({ log: [1, 2], term: 2 });
  node.core.campaign();
  node.rest();
  node.hear({ type: 'preVoteResponse', term: 3, granted: true });
  const ready = node.work();
  assert.deepEqual(ready.hardState, { term: 3, vote: '1', commit: 0 });
  const common = { type: 'requestVote', from: '1', term: 3, lastLogIndex: 2, lastLogTerm: 2, transfer: false };
  assert.deepEqual(ready.messages, []);
  assert.deepEqual(ready.messagesAfterPersist, [
    { ...common, to: '2' },
    { ...common, to: '3' },
  ]);
});

const elections = [
  { members: 1, granted: 0, refused: 0, role: 'leader' },
  { members: 3, granted: 0, refused: 0, role: 'candidate' },
  { members: 3, granted: 1, refused: 1, role: 'leader' },
  { members: 3, granted: 0, refused: 2, role: 'follower' },
  { members: 5, granted: 1, refused: 2, role: 'candidate' },
  { members: 5, granted: 2, refused: 2, role: 'leader' },
  { members: 5, granted: 1, refused: 3, role: 'follower' },
] as const;
for (const { members, granted, refused, role } of elections) {
  test(`paper 5.2: of ${members} voters ${granted} others grant and ${refused} refuse: ${role}`, () => {
    const ids = Array.from({ length: members }, (_, i) => `${i + 1}`);
    const node = new LoneCore({ configuration: votersOf(...ids) });
    node.core.campaign();
    node.rest();
    for (const from of ids.slice(1)) node.hear({ type: 'preVoteResponse', from, term: 1, granted: true });
    node.rest();
    for (const [i, from] of ids.slice(1, 1 + granted + refused).entries()) {
      node.hear({ type: 'requestVoteResponse', from, granted: i < granted, term: 1 });
    }
    assert.deepEqual([node.core.role, node.core.term], [role, 1]);
  });
}

test('paper 5.2: one vote a term, first come first served, and again to the same candidate', () => {
  const node = new LoneCore();
  const ask = (from: string): readonly unknown[] => {
    node.hear({ type: 'requestVote', from, term: 1, lastLogIndex: 0, lastLogTerm: 0, transfer: false });
    const { hardState, mustPersist, messages, messagesAfterPersist } = node.work();
    const [answer] = [...messages, ...messagesAfterPersist];
    return [answer?.type === 'requestVoteResponse' && answer.granted, hardState?.vote, mustPersist];
  };
  assert.deepEqual(ask('2'), [true, '2', true]);
  assert.deepEqual(ask('3'), [false, undefined, false]);
  assert.deepEqual(ask('2'), [true, undefined, false]);
});

test('paper 5.2: a vote is remembered over a restart', () => {
  const node = new LoneCore({ term: 6, vote: '3' });
  node.hear({ type: 'requestVote', lastLogIndex: 0, lastLogTerm: 0, transfer: false });
  const [answer] = node.rest();
  assert.ok(answer?.type === 'requestVoteResponse' && !answer.granted);
});

for (const term of [1, 2]) {
  test(`paper 5.2: a candidate of term 1 that hears a leader of term ${term} follows it`, () => {
    const node = new LoneCore();
    node.core.campaign();
    node.hear({ type: 'preVoteResponse', term: 1, granted: true });
    assert.equal(node.core.role, 'candidate');
    node.hear({ type: 'appendEntries', from: '3', term, previousIndex: 0, previousTerm: 0, entries: [], commit: 0 });
    assert.deepEqual([node.core.role, node.core.leader, node.core.term], ['follower', '3', term]);
  });
}

test('paper 5.3: a leader appends a proposal to its log and sends it to all others in parallel, and its disk too', () => {
  const node = new LoneCore().lead();
  node.accept(1);
  node.accept(1, '3');
  node.rest();
  node.propose('a');
  const ready = node.core.ready();
  assert.deepEqual(ready.entries, [entry(2, 1, 'a')]);
  const common = { type: 'appendEntries', from: '1', term: 1, previousIndex: 1, previousTerm: 1, commit: 1 };
  const entries = [entry(2, 1, 'a')];
  assert.deepEqual(ready.messages, [
    { ...common, to: '2', entries },
    { ...common, to: '3', entries },
  ]);
});

test('paper 5.3: an entry on a majority is committed, applied, and followers are told', () => {
  const network = new TestNetwork(['1', '2', '3']);
  network.elect('1');
  network.propose('1', 'a');
  network.settle();
  for (const { applied, core } of network.members.values()) {
    assert.deepEqual(
      applied.map(({ data }) => Buffer.from(data).toString()),
      ['', 'a'],
    );
    assert.equal(core.commitIndex, 2);
  }
});

const acknowledged = [
  { members: 3, by: [], committed: false },
  { members: 3, by: ['2'], committed: true },
  { members: 5, by: ['2'], committed: false },
  { members: 5, by: ['2', '4'], committed: true },
];
for (const { members, by, committed } of acknowledged) {
  test(`paper 5.3: of ${members} voters the leader and ${by.length} others have it: ${committed ? '' : 'not '}committed`, () => {
    const ids = Array.from({ length: members }, (_, i) => `${i + 1}`);
    const network = new TestNetwork(ids);
    network.elect('1');
    network.isolate(...ids.filter((id) => id !== '1' && !by.includes(id)));
    network.propose('1', 'a');
    network.settle();
    assert.equal(network.core('1').commitIndex, committed ? 2 : 1);
  });
}

test('paper 5.3: committing an entry commits all that precede it, of other leaders too', () => {
  for (const log of [[], [2], [1, 2], [1]]) {
    const node = new LoneCore({ log, term: 2 }).lead();
    node.propose('a');
    node.rest();
    node.accept(log.length + 2);
    const { committedEntries } = node.work();
    assert.deepEqual(
      committedEntries.map(({ term }) => term),
      [...log, 3, 3],
    );
  }
});

const consistency = [
  { name: 'in the same place', previous: [2, 2], accepted: true },
  { name: 'further back, which is present', previous: [1, 1], accepted: true },
  { name: 'before the first entry', previous: [0, 0], accepted: true },
  { name: 'of another term', previous: [2, 3], accepted: false },
  { name: 'behind the last entry', previous: [3, 3], accepted: false },
] as const;
for (const { name, previous, accepted } of consistency) {
  test(`paper 5.3, figure 2, AppendEntries 2: a previous entry ${name} is ${accepted ? 'accepted' : 'rejected'}`, () => {
    const node = new LoneCore({ log: [1, 2], term: 3 });
    const [previousIndex, previousTerm] = previous;
    node.hear({ type: 'appendEntries', previousIndex, previousTerm, entries: [], commit: 0 });
    const [answer] = node.rest();
    assert.ok(answer?.type === 'appendEntriesResponse');
    assert.equal(answer.result.accepted, accepted);
    if (answer.result.accepted) assert.equal(answer.result.matchIndex, previousIndex);
    else assert.equal(answer.result.rejectedIndex, previousIndex);
  });
}

const appended = [
  { sent: [[3, 3]], after: 2, log: [1, 2, 3], written: [3] },
  {
    sent: [
      [2, 3],
      [3, 4],
    ],
    after: 1,
    log: [1, 3, 4],
    written: [2, 3],
  },
  { sent: [[1, 1]], after: 0, log: [1, 2], written: [] },
  {
    sent: [
      [1, 1],
      [2, 2],
    ],
    after: 0,
    log: [1, 2],
    written: [],
  },
  { sent: [[1, 3]], after: 0, log: [3], written: [1] },
  {
    sent: [
      [2, 2],
      [3, 4],
    ],
    after: 1,
    log: [1, 2, 4],
    written: [3],
  },
] as const;
for (const { sent, after, log, written } of appended) {
  test(`paper 5.3, figure 2, AppendEntries 3, 4: [1 2] and ${sent.map((at) => at.join('@'))} make [${log.join(' ')}]`, () => {
    const node = new LoneCore({ log: [1, 2], term: 4 });
    const entries = sent.map(([index, term]) => entry(index, term));
    const previousTerm = [0, 1, 2][after] ?? 0;
    node.hear({ type: 'appendEntries', previousIndex: after, previousTerm, entries, commit: 0 });
    const ready = node.work();
    assert.deepEqual(
      ready.entries.map(({ index }) => index),
      written,
    );
    assert.deepEqual(
      Array.from({ length: node.core.lastIndex }, (_, i) => node.log.term(i + 1)),
      log,
    );
  });
}

const commits = [
  { commit: 1, entries: 0, to: 1 },
  { commit: 9, entries: 0, to: 2 },
  { commit: 9, entries: 1, to: 3 },
  { commit: 2, entries: 1, to: 2 },
];
for (const { commit, entries, to } of commits) {
  test(`paper figure 2, AppendEntries 5: commit ${commit} with the last new entry ${2 + entries} makes ${to}`, () => {
    const node = new LoneCore({ log: [1, 1, 1, 1], term: 1 });
    const sent = Array.from({ length: entries }, (_, i) => entry(3 + i, 1));
    node.hear({ type: 'appendEntries', previousIndex: 2, previousTerm: 1, entries: sent, commit });
    assert.equal(node.core.commitIndex, to);
  });
}

test('paper 5.3: a rejected leader goes back until the logs agree, and overwrites the rest', () => {
  const network = new TestNetwork(['1', '2', '3']);
  const write = (id: string, terms: readonly number[]): void => {
    const hardState = { term: terms.at(-1) ?? 0, vote: undefined, commit: 0 };
    network.member(id).log.write({ entries: terms.map((term, i) => entry(i + 1, term)), hardState });
    network.member(id).restart();
  };
  // Figure 7: the leader's log, (b) which lacks entries, and (f) which has others.
  write('1', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]);
  write('2', [1, 1, 1, 4]);
  write('3', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]);
  network.elect('1');
  for (const { log } of network.members.values()) {
    assert.deepEqual(
      Array.from({ length: log.lastIndex() }, (_, i) => log.term(i + 1)),
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7],
    );
  }
});

const upToDate = [
  { name: 'the same log', last: [2, 2], granted: true },
  { name: 'a longer log of the same last term', last: [3, 2], granted: true },
  { name: 'a shorter log of the same last term', last: [1, 2], granted: false },
  { name: 'a shorter log of a later last term', last: [1, 3], granted: true },
  { name: 'a longer log of an earlier last term', last: [9, 1], granted: false },
] as const;
for (const { name, last, granted } of upToDate) {
  for (const type of ['preVote', 'requestVote'] as const) {
    test(`paper 5.4.1: ${type}: a candidate with ${name} is ${granted ? 'granted' : 'refused'}`, () => {
      const node = new LoneCore({ log: [1, 2], term: 3 });
      const [lastLogIndex, lastLogTerm] = last;
      node.hear({ type, term: 4, lastLogIndex, lastLogTerm, transfer: false });
      const [answer] = node.rest();
      assert.ok(answer?.type === 'preVoteResponse' || answer?.type === 'requestVoteResponse');
      assert.deepEqual([answer.type, answer.granted], [`${type}Response`, granted]);
    });
  }
}

test('paper 5.4.2, figure 8: an entry of an older term is not committed by counting replicas, but with one of its own', () => {
  const node = new LoneCore({ log: [1, 2], term: 3 }).lead();
  node.accept(2);
  assert.equal(node.core.commitIndex, 0, 'figure 8 (c): 2@2 is on a majority, and may still be overwritten (d)');
  node.accept(3);
  assert.equal(node.core.commitIndex, 3, 'figure 8 (e): the no-op of term 4 is on a majority, and with it all before');
});

test('paper 5.4.2, figure 8: what looked replicated is overwritten, and nobody had applied it', () => {
  const network = new TestNetwork(['1', '2', '3', '4', '5']);
  const only = (...ids: readonly string[]): void => {
    network.isolate(...ids);
    for (const id of network.members.keys()) if (!ids.includes(id)) network.member(id).crash();
    for (const id of ids) if (!network.member(id).isUp) network.member(id).restart();
  };
  const write = (id: string, terms: readonly number[], term: number): void => {
    const entries = terms.map((one, i) => entry(i + 1, one));
    network.member(id).log.write({ entries, hardState: { term, vote: undefined, commit: 0 } });
    network.member(id).restart();
  };
  // (c), before the leader of term 4 has sent anything of its own: S1 has 2@2, S5 has 2@3, the others 1@1.
  for (const [id, terms] of [
    ['1', [1, 2]],
    ['2', [1, 2]],
    ['3', [1]],
    ['4', [1]],
    ['5', [1, 3]],
  ] as const) {
    write(id, terms, 3);
  }
  only('1', '2', '3');
  network.core('1').campaign();
  // S1 wins term 4 and gives 2@2 to S3, but every append with its own entry is lost.
  for (let round = 0; round < 20; round++) {
    for (const id of ['1', '2', '3']) {
      const member = network.member(id);
      while (member.core.hasReady()) {
        network.send(member.begin());
        network.send(member.finish());
      }
    }
    const messages = network.onTheirWay;
    network.onTheirWay = [];
    for (const message of messages) {
      if (message.type !== 'appendEntries') network.deliver(message);
      else network.deliver({ ...message, entries: message.entries.filter(({ term }) => term < 4) });
    }
  }
  assert.equal(network.core('1').role, 'leader');
  assert.equal(network.member('3').log.term(2), 2, '2@2 is on three of five');
  assert.equal(network.core('1').commitIndex, 0);
  // (d): S1 crashes, and S5 overwrites it.
  only('3', '4', '5');
  network.tick(20);
  network.elect('5');
  for (const id of ['3', '4', '5']) assert.equal(network.member(id).log.term(2), 3);
  for (const { applied } of network.members.values()) assert.ok(!applied.some(({ term }) => term === 2));
});

test('paper 5.4.3: whatever was committed is in the log of every later leader', () => {
  const network = new TestNetwork(['1', '2', '3']);
  network.elect('1');
  network.isolate('3');
  network.propose('1', 'a');
  network.settle();
  network.member('1').crash();
  network.isolate();
  network.tick(60);
  assert.equal(network.core('2').role, 'leader');
  assert.equal(Buffer.from(network.member('3').log.entry(2)?.data ?? []).toString(), 'a');
});
