import { assert } from '../base/assert.ts';
import type { CoreState } from './core-state.ts';

/** What must hold whenever the core is at rest; a few comparisons, on in production. */
export function checkInvariants(core: CoreState): void {
  const { log, role, leader, term } = core;
  assert(log.applied <= log.committed, () => `applied ${log.applied} is beyond committed ${log.committed}`);
  assert(log.committed <= log.lastIndex, () => `committed ${log.committed} is beyond the last entry ${log.lastIndex}`);
  assert(log.stableIndex <= log.lastIndex, () => `stable ${log.stableIndex} is beyond the last entry ${log.lastIndex}`);
  assert(log.lastTerm <= term, () => `the last entry is of term ${log.lastTerm}, this is term ${term}`);
  assert((role === 'leader') === (leader === core.id), () => `${role} knows ${leader ?? 'nobody'} as its leader`);
  assert(role === 'follower' || core.isPromotable, () => `${role} without being a voter`);
  if (role === 'preCandidate' || role === 'candidate')
    assert(leader === undefined, 'it campaigns against its own leader');
  if (role === 'candidate' || role === 'leader') assert(core.vote === core.id, () => `${role} voted for ${core.vote}`);
  if (role !== 'leader') assert(core.followers.size === 0, () => `${role} has followers`);
}
