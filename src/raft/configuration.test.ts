import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfiguration, isVoter, membersOf } from './configuration.ts';
import { votersOf } from './testing/core.ts';

test('configuration: in a joint one both halves vote, and everybody is sent the log once', () => {
  const joint = { ...votersOf('1', '2', '3'), votersOutgoing: ['1', '2', '4'], learners: ['5'], learnersNext: ['4'] };
  assert.doesNotThrow(() => checkConfiguration(joint));
  assert.deepEqual(
    ['1', '3', '4', '5', '9'].map((id) => isVoter(joint, id)),
    [true, true, true, false, false],
  );
  assert.deepEqual(membersOf(joint), ['1', '2', '3', '4', '5']);
});

const broken = [
  { why: 'a configuration needs a voter', configuration: votersOf() },
  { why: 'a member stands twice', configuration: votersOf('1', '1') },
  { why: '2 is a voter and a learner', configuration: { ...votersOf('1', '2'), learners: ['2'] } },
  { why: '3 becomes a learner without having been a voter', configuration: { ...votersOf('1'), learnersNext: ['3'] } },
  { why: 'not joint cannot be left', configuration: { ...votersOf('1'), autoLeave: true } },
];
for (const { why, configuration } of broken) {
  test(`configuration: refused: ${why}`, () => assert.throws(() => checkConfiguration(configuration), new RegExp(why)));
}
