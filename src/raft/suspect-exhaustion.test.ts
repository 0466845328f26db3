import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bounds, type SearchResult, searchExhaustively } from './testing/exhaustive-search.ts';
import type { Memory } from './testing/member-automaton.ts';
import type { HardState } from './types.ts';

/** `SUSPECT_BOUNDS=steps,campaigns,proposals,restarts,losses` searches further than there is time for in every run. */
const given = process.env.SUSPECT_BOUNDS;
const [steps = 11, campaigns = 1, proposals = 1, restarts = 0, losses = 1] = given?.split(',').map(Number) ?? [];
const bounds: Bounds = { steps, campaigns, proposals, restarts, losses, statesMax: 15_000_000 };

/** What the production code keeps; see `storage/open-raft-log.ts`. */
const suspect: Memory = ({ term }) => ({ term, vote: undefined, commit: 0, suspectTerm: term });

test('suspect: nothing that three members can do breaks a rule of Raft, whenever one of them loses its log', () => {
  const result = searchExhaustively(bounds, suspect);
  assert.equal(result.violation, undefined, describe(result));
  assert.ok(result.isComplete, `${result.states} states, and not at the end`);
  if (process.env.SUSPECT_BOUNDS !== undefined) {
    process.stdout.write(
      `${JSON.stringify(bounds)}: ${result.states} states, ${result.memberStates} of single members\n`,
    );
  }
});

test('suspect: the search sees what goes wrong if a member that lost its log votes as before', () => {
  const result = searchExhaustively(bounds, ({ term }) => ({ term, vote: undefined, commit: 0 }));
  assert.notEqual(result.violation, undefined, describe(result));
});

test('suspect: the search sees what goes wrong if a committed entry of the same term is enough to heal it', () => {
  const memory: Memory = ({ term }): HardState => ({ term, vote: undefined, commit: 0, suspectTerm: term - 1 });
  const result = searchExhaustively(bounds, memory);
  assert.notEqual(result.violation, undefined, describe(result));
});

function describe({ states, violation, path }: SearchResult): string {
  return [`${states} states: ${violation ?? 'no violation'}`, ...path].join('\n  ');
}
