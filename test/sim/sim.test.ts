import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Plan, planOf } from './plan.ts';
import { describeFailure } from './report.ts';
import { run } from './run.ts';
import { searchSeeds } from './search-seeds.ts';
import { shrink } from './shrink.ts';

const seeds = 120;

test('simulation: whole clusters keep every rule, whatever goes wrong', async (t) => {
  const { account, failure } = await searchSeeds({ from: 1, count: seeds, twiceEvery: 0 });
  assert.equal(
    failure,
    undefined,
    failure && `${describeFailure(failure)}\n\nAgain: npm run sim -- --seed ${failure.plan.seed}`,
  );
  t.diagnostic(JSON.stringify(account));
  // A world in which nothing happens keeps every rule, too.
  assert.ok(
    account.operations > 20 * seeds &&
      account.faults > 5 * seeds &&
      account.terms > seeds &&
      account.restores > seeds / 10,
    JSON.stringify(account),
  );
});

test('simulation: members come and go, together with everything else that goes wrong', async () => {
  const count = 30;
  const { account, failure } = await searchSeeds({ from: 1, count, wishes: { membersChange: true }, twiceEvery: 0 });
  assert.equal(
    failure,
    undefined,
    failure && `${describeFailure(failure)}\n\nAgain: npm run sim -- --seed ${failure.plan.seed} --members-change`,
  );
  assert.ok(account.configurations > 3 * count && account.introductions > 0, JSON.stringify(account));
});

test('simulation: members are upgraded one by one while the others go on', async () => {
  const wishes = { mixedVersions: true, membersChange: true };
  const { failure } = await searchSeeds({ from: 1, count: 10, wishes, twiceEvery: 0 });
  assert.equal(failure, undefined, failure && describeFailure(failure));
});

test('simulation: a seed is the whole run: the same again gives the same trace, another one another', async () => {
  const hashes = new Set<string>();
  for (const seed of [3, 14, 15, 92, 65]) {
    const [first, second] = [await run(planOf(seed)), await run(planOf(seed))];
    assert.equal(first.hash, second.hash, `seed ${seed}`);
    hashes.add(first.hash);
  }
  assert.equal(hashes.size, 5);
});

test('simulation: every number of members from 1 to 7', async () => {
  for (let members = 1; members <= 7; members++) {
    const { failure } = await searchSeeds({ from: 1000, count: 3, wishes: { members }, twiceEvery: 0 });
    assert.equal(failure, undefined, failure && describeFailure(failure));
  }
});

test('simulation: a run that fails is told as a story, and shrunk to what it fails of', async () => {
  // Nobody can elect a leader and serve within a millisecond.
  const hurried: Plan = { ...planOf(7, { members: 3 }), livenessMs: 1 };
  const failed = await run(hurried);
  assert.equal(failed.violation?.rule, 'liveness');
  const { outcome } = await shrink(failed);
  assert.deepEqual(outcome.plan.faults, [], 'it fails without any fault');
  assert.match(describeFailure(outcome), /seed 7 .*\n.*liveness.*from here on .* are healthy/s);
});
