import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isQuorumAtRisk } from './quorum-risk.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

test('quorum risk: every number of voters up to 7, every set of them down: as counting by hand says', () => {
  for (let size = 1; size <= names.length; size++) {
    const voters = names.slice(0, size);
    for (let downBits = 0; downBits < 2 ** size; downBits++) {
      const up = voters.filter((_, i) => (downBits & (1 << i)) === 0);
      const majority = [1, 2, 2, 3, 3, 4, 4][size - 1] as number;
      assert.equal(
        isQuorumAtRisk(voters, (member) => up.includes(member)),
        up.length < majority,
        `${up.length} of ${size} are up`,
      );
    }
  }
});

test('quorum risk: a dead member of three can be removed, a living one beside it cannot', () => {
  const isUp = (member: string): boolean => member !== 'c';
  assert.equal(isQuorumAtRisk(['a', 'b'], isUp), false);
  assert.equal(isQuorumAtRisk(['a', 'c'], isUp), true);
});
