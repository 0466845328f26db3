import { assert } from '../base/assert.ts';
import { isVoter } from './configuration.ts';
import type { CoreState, Leadership } from './core-state.ts';
import type { LogIndex, Term } from './types.ts';

/** What must never go back; kept between two checks. */
export interface HighWater {
  term: Term;
  committed: LogIndex;
}

/** What must hold whenever the core is at rest, after every input; a few comparisons, on in production. */
export function checkInvariants(core: CoreState, highWater: HighWater): void {
  const { log, role, leader, term, vote, leadership } = core;
  const { committed, lastIndex } = log;
  assert(term >= highWater.term, 'the term went back');
  assert(committed >= highWater.committed, 'the commit index went back');
  highWater.term = term;
  highWater.committed = committed;
  assert(log.applied <= committed, 'applied beyond the commit index');
  assert(committed <= lastIndex, 'committed beyond the last entry');
  assert(log.stableIndex <= lastIndex, 'durable beyond the last entry');
  assert((role === 'leader') === (leader === core.id), 'who leads is its own leader, and nobody else is');
  assert((role === 'leader') === (leadership !== undefined), 'who leads has a leadership, and nobody else has');
  assert(log.configurations.newest.index <= lastIndex, 'a configuration beyond the last entry');
  if (role === 'follower') return;
  assert(!core.isSuspect && !log.hasSnapshot, 'it campaigns or leads without what it has promised');
  if (role !== 'leader') assert(core.isPromotable, 'only voters campaign');
  if (role !== 'leader') assert(leader === undefined, 'it campaigns against its own leader');
  if (role !== 'preCandidate') assert(vote === core.id, 'whoever campaigns has voted for itself');
  if (leadership !== undefined) checkLeadership(core, leadership);
}

function checkLeadership(core: CoreState, { noopIndex, followers, uncommitted }: Leadership): void {
  const { log, configuration, id } = core;
  const { lastIndex, committed, configurations } = log;
  const hasLeft = !isVoter(configuration, id) && configurations.newest.index <= committed;
  assert(!hasLeft, 'it leads a configuration that it has left');
  for (const set of [configuration.voters, configuration.votersOutgoing, configuration.learners]) {
    const isServed = set.every((member) => member === id || followers.has(member));
    assert(isServed, 'a member of the configuration is not sent the log');
  }
  assert(lastIndex >= noopIndex, 'a leader without an entry of its own term');
  assert(uncommitted.count === lastIndex - Math.max(committed, noopIndex - 1), 'open entries are miscounted');
  for (const follower of followers.values()) {
    assert(follower.matchIndex < follower.nextIndex, 'a follower is sent what it has');
    assert(follower.matchIndex <= lastIndex, 'a follower has what the leader has not');
    assert(follower.nextIndex <= lastIndex + 1, 'a follower was sent what is not there');
    assert(follower.state === 'replicate' || follower.inflights.count === 0, 'a window outside of replicate');
  }
}
