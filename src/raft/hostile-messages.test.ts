import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../base/random.ts';
import { configurationFault } from './configuration.ts';
import { encodeConfigurationData } from './configuration-data.ts';
import { entry, LoneCore, votersOf } from './testing/core.ts';
import type { Entry, Message } from './types.ts';

const types: readonly Message['type'][] = [
  'preVote',
  'preVoteResponse',
  'requestVote',
  'requestVoteResponse',
  'appendEntries',
  'appendEntriesResponse',
  'heartbeat',
  'heartbeatResponse',
  'readIndex',
  'readIndexResponse',
  'timeoutNow',
  'installSnapshot',
];

const strange: readonly unknown[] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MAX_SAFE_INTEGER,
  2 ** 60,
  -1,
  0.5,
  undefined,
  null,
  '3',
  {},
  [],
  10n,
];

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

/** Mostly plausible numbers, because those get furthest. */
function number(random: Random, strangeOneIn: number): unknown {
  return random.below(strangeOneIn) === 0 ? pick(random, strange) : random.below(9);
}

/** Some change the configuration, to what could be or to what no cluster could have. */
function randomEntry(random: Random, index: number, term: number): Entry {
  if (random.below(4) > 0) return entry(index, term);
  const members = ['1', '2', '3', '4', '9'].filter(() => random.below(2) === 0);
  const voters = members.length === 0 ? ['2'] : members;
  const votersOutgoing = random.below(2) === 0 ? [] : ['1', '2', '3'];
  const data = encodeConfigurationData({ ...votersOf(...voters), votersOutgoing }, Buffer.from('who'));
  if (random.below(4) === 0) data[random.below(data.length)] = random.below(256);
  return { index, term, type: 'configuration', data };
}

function randomMessage(random: Random, term: number, strangeOneIn: number): Message {
  const any = (): unknown => number(random, strangeOneIn);
  const previousIndex = random.below(6);
  const entries = Array.from({ length: random.below(4) }, (_, i) =>
    random.below(8) === 0 ? any() : randomEntry(random, previousIndex + 1 + i, Math.max(1, term - random.below(2))),
  );
  const result = {
    accepted: random.below(2) === 0,
    matchIndex: any(),
    rejectedIndex: any(),
    hintIndex: any(),
    hintTerm: any(),
    needsSnapshot: random.below(strangeOneIn) === 0 ? pick(random, strange) : random.below(8) === 0,
  };
  const message = {
    type: pick(random, types),
    from: random.below(strangeOneIn) === 0 ? pick(random, strange) : pick(random, ['2', '3', '4', '9']),
    to: random.below(50) === 0 ? any() : '1',
    term: random.below(3) === 0 ? any() : term + random.below(2),
    lastLogIndex: any(),
    lastLogTerm: any(),
    granted: random.below(2) === 0,
    transfer: random.below(4) === 0,
    previousIndex: random.below(4) === 0 ? any() : previousIndex,
    previousTerm: any(),
    entries: random.below(20) === 0 ? pick(random, strange) : entries,
    commit: any(),
    readRound: any(),
    context: any(),
    index: any(),
    result: random.below(20) === 0 ? pick(random, strange) : result,
  };
  // What comes from outside is not what its type says: that is what this test is about.
  return message as unknown as Message;
}

/** What the driver may do of its own at any time. */
function change(node: LoneCore, random: Random): void {
  const voters = ['1', '2', '3', '4'].filter(() => random.below(3) > 0);
  const { commitIndex, appliedIndex, term } = node.core;
  switch (random.below(3)) {
    case 0:
      node.core.proposeConfiguration({ voters, learners: ['5'], context: Buffer.alloc(0) });
      break;
    case 1:
      if (appliedIndex >= node.log.firstIndex()) node.log.dropTo(appliedIndex);
      break;
    default: {
      const configuration = votersOf('2', ...voters.filter((voter) => voter !== '2'));
      node.core.installSnapshot({ index: commitIndex + random.below(3), term: Math.max(1, term), configuration });
    }
  }
}

for (const readMode of ['quorum', 'lease'] as const) {
  test(`hostile messages: random ones, mixed with ticks and proposals, never throw (${readMode} reads)`, () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed);
      const configuration = { ...votersOf('1', '2', '3'), learners: ['4'] };
      const node = new LoneCore({ configuration, log: [1, 1, 2], term: 2, commit: random.below(4) }, { readMode });
      const strangeOneIn = pick(random, [3, 10, 1_000]);
      try {
        for (let step = 0; step < 150; step++) {
          const choice = random.below(12);
          if (choice === 0) node.core.tick();
          else if (choice === 1) node.rest();
          else if (choice === 2) node.core.propose([Buffer.from('x')]);
          else if (choice === 3) node.core.requestReadIndex(random.below(9));
          else if (choice === 4 && random.below(4) === 0) node.core.campaign();
          else if (choice === 5) change(node, random);
          else node.core.step(randomMessage(random, node.core.term, strangeOneIn));
        }
        node.rest();
        assert.equal(configurationFault(node.core.status().configuration), undefined);
      } catch (cause) {
        throw new Error(`seed ${seed}`, { cause });
      }
      assert.ok(Number.isSafeInteger(node.core.term) && Number.isSafeInteger(node.core.commitIndex), `seed ${seed}`);
    }
  });
}

test('hostile messages: each strange value in each field alone changes nothing', () => {
  const honest = {
    type: 'appendEntries',
    from: '2',
    to: '1',
    term: 2,
    previousIndex: 3,
    previousTerm: 2,
    entries: [entry(4, 2)],
    commit: 4,
  } as const;
  for (const field of ['from', 'to', 'term', 'previousIndex', 'previousTerm', 'entries', 'commit'] as const) {
    for (const value of strange) {
      const isHarmless = (field === 'from' && value === '3') || (field === 'entries' && Array.isArray(value));
      if (isHarmless) continue;
      const node = new LoneCore({ log: [1, 1, 2], term: 2, commit: 1 });
      // Not what its type says, on purpose.
      node.core.step({ ...honest, [field]: value } as unknown as Message);
      assert.equal(node.core.hasReady(), false, `${field}: ${String(value)}`);
    }
  }
});

for (const [what, entries] of [
  ['leave a gap', [entry(4, 2), entry(6, 2)]],
  ['begin elsewhere', [entry(2, 2)]],
  ['fall in term', [entry(4, 2), entry(5, 1)]],
  ['are of a term beyond the sender’s', [entry(4, 3)]],
  ['have no term', [entry(4, 0)]],
  ['have no data', [{ ...entry(4, 2), data: 'text' }]],
  ['are of an unknown type', [{ ...entry(4, 2), type: 'other' }]],
] as const) {
  test(`hostile messages: entries that ${what} are not taken`, () => {
    const node = new LoneCore({ log: [1, 1, 2], term: 2 });
    // Not what its type says, on purpose.
    const message = {
      type: 'appendEntries',
      previousIndex: 3,
      previousTerm: 2,
      entries,
      commit: 0,
    } as unknown as Message;
    node.core.step({ ...message, from: '2', to: '1', term: 2 });
    assert.deepEqual([node.core.hasReady(), node.core.lastIndex], [false, 3]);
  });
}

test('hostile messages: an acknowledgement for entries that the leader does not have is not counted', () => {
  const node = new LoneCore().lead();
  node.accept(50);
  node.accept(1, '9');
  assert.deepEqual([node.core.commitIndex, node.follower('2').matchIndex], [0, 0]);
});

test('hostile messages: answers from thousands of names do not fill the memory', () => {
  const node = new LoneCore({ term: 5 });
  for (let i = 0; i < 20_000; i++) {
    node.hear({ type: 'preVote', from: `f${i}`, term: 1, lastLogIndex: 0, lastLogTerm: 0 });
  }
  assert.ok(node.core.ready().messages.length <= 4_096);
});
