import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lessor } from '../../src/replica/lessor.ts';
import { type LeasePlan, planOf, run } from './run.ts';

const leases = 5000;
const quickly = { least: 2000, most: 8000 };
const slowly = { least: 20_000, most: 100_000 };

const plans: readonly (readonly [name: string, plan: LeasePlan])[] = [
  ['leaders that change every few seconds', planWith(1, { clockErrorPercent: 0, leaderChangeMs: quickly })],
  ['leaders that change seldom', planWith(2, { clockErrorPercent: 0, leaderChangeMs: slowly })],
  ['clocks that are a tenth off', planWith(3, { clockErrorPercent: 10, leaderChangeMs: quickly })],
  [
    'clocks that are a tenth off, leaders that change seldom',
    planWith(4, { clockErrorPercent: 10, leaderChangeMs: slowly }),
  ],
];

for (const [name, plan] of plans) {
  test(`leases: none ends early, none lives on: ${name}`, async (t) => {
    const { account, violation } = await run(plan);
    t.diagnostic(JSON.stringify(account));
    assert.equal(violation, undefined, `seed ${plan.seed}: ${violation}`);
    // A world in which nothing happens keeps every rule, too.
    assert.ok(account.leases > 0.9 * leases && account.renewals > leases, JSON.stringify(account));
    assert.ok(account.expired > 0.8 * leases && account.revoked > 0 && account.toldGone > 0, JSON.stringify(account));
    const leaders = plan.leaderChangeMs === quickly ? 20 : 2;
    assert.ok(account.leaders > leaders && account.unknown > 0, JSON.stringify(account));
  });
}

test('leases: entries of leaders that were deposed are met, and without effect', async () => {
  let stale = 0;
  for (let seed = 1; seed <= 4; seed++) {
    const { account, violation } = await run(planWith(seed, { leaderChangeMs: quickly }));
    assert.equal(violation, undefined, `seed ${seed}: ${violation}`);
    stale += account.stale;
  }
  assert.ok(stale > 0);
});

test('leases: a seed is the whole run', async () => {
  const plan = { ...planOf(7, 500) };
  assert.deepEqual(await run(plan), await run(plan));
  assert.notDeepEqual((await run(plan)).account, (await run({ ...planOf(8, 500) })).account);
});

test('leases: a lessor that does not wait for the log before it renews a checkpointed lease is found', async () => {
  const hasty = class extends Lessor {
    override state(id: bigint): 'held' | 'checkpointed' | 'gone' {
      const state = super.state(id);
      return state === 'checkpointed' ? 'held' : state;
    }
  };
  const { violation } = await run(planWith(1, { leaderChangeMs: slowly, lessorOf: (options) => new hasty(options) }));
  assert.match(violation ?? 'nothing', /was seen gone at .* kept it until/);
});

test('leases: a new leader that counts from its own election only, and adds nothing, is found by exact clocks', async () => {
  const stingy = (options: ConstructorParameters<typeof Lessor>[0]): Lessor =>
    new Lessor({ ...options, electionTimeoutMs: -1500 });
  const { violation } = await run(planWith(1, { leaderChangeMs: quickly, lessorOf: stingy }));
  assert.match(violation ?? 'nothing', /was seen gone at .* kept it until/);
});

test('leases: a lessor that writes no checkpoints is found', async () => {
  const silent = (options: ConstructorParameters<typeof Lessor>[0]): Lessor =>
    new Lessor({ ...options, checkpoint: () => Promise.resolve() });
  const { violation } = await run(planWith(1, { leaderChangeMs: slowly, lessorOf: silent }));
  assert.match(violation ?? 'nothing', /and had to be at/);
});

function planWith(seed: number, options: Partial<LeasePlan>): LeasePlan {
  return { seed, leases, clockErrorPercent: 0, leaderChangeMs: quickly, ...options };
}
