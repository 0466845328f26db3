import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../base/random.ts';
import { committedIndex, isQuorum, type VoteResult, voteResult } from './quorum.ts';
import type { Configuration, LogIndex, MemberId } from './types.ts';

/** A slow and obvious version: an index is committed if more than half of each set have it; try them all. */
function slowCommittedIndex(configuration: Configuration, matches: ReadonlyMap<MemberId, LogIndex>): LogIndex {
  const isCommitted = (index: LogIndex) =>
    halves(configuration).every((set) => moreThanHalf(set, (member) => (matches.get(member) ?? 0) >= index));
  let index = Math.max(0, ...matches.values());
  while (!isCommitted(index)) index--;
  return index;
}

/** Won if it is won whatever the others say, lost if it is lost even if all of them grant. */
function slowVoteResult(configuration: Configuration, votes: ReadonlyMap<MemberId, boolean>): VoteResult {
  const wins = (silent: boolean) =>
    halves(configuration).every((set) => moreThanHalf(set, (member) => votes.get(member) ?? silent));
  if (wins(false)) return 'won';
  return wins(true) ? 'pending' : 'lost';
}

function halves({ voters, votersOutgoing }: Configuration): readonly (readonly MemberId[])[] {
  return votersOutgoing.length === 0 ? [voters] : [voters, votersOutgoing];
}

function moreThanHalf(set: readonly MemberId[], holds: (member: MemberId) => boolean): boolean {
  return 2 * set.filter(holds).length > set.length;
}

/** Up to seven voters, and in half of the cases up to seven outgoing ones, of ten members in all. */
function drawConfiguration(random: Random): Configuration {
  const voters = drawMembers(random, 1 + random.below(7));
  const votersOutgoing = random.below(2) === 0 ? [] : drawMembers(random, 1 + random.below(7));
  return { voters, votersOutgoing, learners: ['learner'], learnersNext: [], autoLeave: false };
}

function drawMembers(random: Random, count: number): readonly MemberId[] {
  const left = Array.from({ length: 10 }, (_, position) => position.toString(16));
  return Array.from({ length: count }, () => left.splice(random.below(left.length), 1)[0] ?? '');
}

const seed = 1;
const draws = 20_000;

test(`quorum: committed index: majority and joint sets agree with the slow version (seed ${seed})`, () => {
  const random = seededRandom(seed);
  for (let draw = 0; draw < draws; draw++) {
    const configuration = drawConfiguration(random);
    // Some members have said nothing yet; a learner, which does not count, is far ahead.
    const matches = new Map<MemberId, LogIndex>([['learner', 100]]);
    for (const member of drawMembers(random, random.below(11))) matches.set(member, random.below(6));
    const actual = committedIndex(configuration, (member) => matches.get(member) ?? 0);
    assert.equal(actual, slowCommittedIndex(configuration, matches), JSON.stringify([configuration, [...matches]]));
  }
});

test(`quorum: vote result: majority and joint sets agree with the slow version (seed ${seed})`, () => {
  const random = seededRandom(seed);
  const seen = new Set<VoteResult>();
  for (let draw = 0; draw < draws; draw++) {
    const configuration = drawConfiguration(random);
    const votes = new Map<MemberId, boolean>([['learner', true]]);
    for (const member of drawMembers(random, random.below(11))) votes.set(member, random.below(2) === 0);
    const expected = slowVoteResult(configuration, votes);
    seen.add(expected);
    const where = JSON.stringify([configuration, [...votes]]);
    assert.equal(
      voteResult(configuration, (member) => votes.get(member)),
      expected,
      where,
    );
    const granted = (member: MemberId) => votes.get(member) === true;
    assert.equal(isQuorum(configuration, granted), expected === 'won', where);
  }
  assert.deepEqual([...seen].sort(), ['lost', 'pending', 'won']);
});

test('quorum: any two quorums of a configuration, and of the joint one on the way to it, share a member', () => {
  const random = seededRandom(seed);
  for (let draw = 0; draw < 2_000; draw++) {
    const configuration = drawConfiguration(random);
    const next = { ...configuration, votersOutgoing: [] };
    const [a, b] = [new Set(drawMembers(random, random.below(11))), new Set(drawMembers(random, random.below(11)))];
    for (const other of [configuration, next]) {
      const both = isQuorum(configuration, (member) => a.has(member)) && isQuorum(other, (member) => b.has(member));
      if (both)
        assert.ok(
          [...a].some((member) => b.has(member)),
          JSON.stringify([configuration, [...a], [...b]]),
        );
    }
  }
});
