import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplicaClusterService } from './cluster-service.ts';
import type { HealthCheck } from './service.ts';
import { electionTimeoutMs, type TestDuties, type TestMember, TestMembers } from './testing/members.ts';
import { put } from './testing/requests.ts';
import { wrongStore } from './testing/wrong-store.ts';

interface Fault {
  readonly name: string;
  /** Does the harm to `victim`, a follower of three unless said otherwise. */
  readonly inflict: (members: TestMembers, victim: TestMember) => void | Promise<void>;
  readonly victim?: 'leader' | 'member 3';
  readonly duties?: TestDuties;
  /** Checks that fail; an empty list: the victim is alive, or ready. */
  readonly live: readonly string[];
  readonly ready: readonly string[];
  /** Whether the others are ready when they have noticed. */
  readonly others: boolean;
}

/** What goes wrong with a member, and what its health has to say. */
const faults: readonly Fault[] = [
  { name: 'nothing', inflict: () => {}, live: [], ready: [], others: true },
  {
    name: 'cut off from all others',
    inflict: ({ network }, { id }) => network.isolate(id),
    live: [],
    ready: ['leader'],
    others: true,
  },
  {
    name: 'cut off from all others while it leads',
    victim: 'leader',
    inflict: ({ network }, { id }) => network.isolate(id),
    live: [],
    ready: ['leader'],
    others: true,
  },
  {
    name: 'hears, and is not heard',
    inflict: (members, victim) => {
      for (const { id } of members.others(victim)) members.network.cut(victim.id, id);
    },
    live: [],
    ready: ['linearizable_read'],
    others: true,
  },
  {
    name: 'the only one left',
    inflict: (members, victim) => {
      for (const { process } of members.others(victim)) process.pause();
    },
    live: [],
    ready: ['leader'],
    others: false,
  },
  {
    name: 'its disk hangs',
    inflict: async (members, victim) => {
      victim.disk.hang();
      await members.settle(put(await members.leader(), 'k', 'v'));
    },
    live: ['disk'],
    ready: ['disk'],
    others: true,
  },
  {
    name: 'its disk hangs while it leads',
    victim: 'leader',
    inflict: (_members, victim) => {
      victim.disk.hang();
      void put(victim, 'k', 'v').catch(() => undefined);
    },
    live: ['disk'],
    ready: ['disk'],
    others: true,
  },
  {
    name: 'it met damage and stops',
    inflict: (_members, { replica }) => replica.fail(new Error('a checksum is wrong')),
    live: ['running'],
    ready: ['running', 'serving'],
    others: true,
  },
  {
    name: 'it is asked to stop',
    inflict: (_members, { replica }) => replica.refuseRequests('This member is stopping'),
    live: [],
    ready: ['serving'],
    others: true,
  },
  {
    name: 'its state differs from the others',
    victim: 'member 3',
    duties: { integrityIntervalMs: 500, storeOf: wrongOnMember3 },
    inflict: async (members, { failures }) => {
      await members.settle(put(await members.leader(), 'k', 'v'));
      await members.clock.until('it is named', () => failures.length > 0);
    },
    live: ['running'],
    ready: ['running', 'serving', 'data_corruption'],
    others: true,
  },
  {
    name: 'it stood still for a while and goes on',
    inflict: async (members, victim) => {
      victim.process.pause();
      const leader = await members.leader(members.others(victim));
      for (let i = 0; i < 200; i++) await members.settle(put(leader, `k${i}`, 'v'));
      victim.process.resume();
    },
    live: [],
    ready: [],
    others: true,
  },
];

for (const fault of faults) {
  test(`health: ${fault.name}: ${verdict(fault)}`, async () => {
    await using members = await TestMembers.start(3, 1, fault.duties);
    const leader = await members.leader();
    const victims = { leader, 'member 3': members.all[2], follower: members.others(leader)[0] };
    const struck = victims[fault.victim ?? 'follower'];
    assert.ok(struck !== undefined);
    await fault.inflict(members, struck);
    await members.clock.pass(4 * electionTimeoutMs);

    const service = serviceOf(struck);
    assert.deepEqual(failedOf(service.liveness()), fault.live, 'live');
    assert.deepEqual(failedOf(await members.settle(service.readiness())), fault.ready, 'ready');
    if (!fault.others) return;
    for (const other of members.others(struck)) {
      assert.deepEqual(failedOf(await members.settle(serviceOf(other).readiness())), [], `member ${other.id}`);
    }
  });
}

test('health: what was cut off is ready again when it is not', async () => {
  await using members = await TestMembers.start(3);
  const [follower] = members.others(await members.leader());
  assert.ok(follower !== undefined);
  members.network.isolate(follower.id);
  await members.clock.until('it has no leader', () => follower.replica.core.leader === undefined);
  assert.notDeepEqual(failedOf(await members.settle(serviceOf(follower).readiness())), []);
  members.network.heal();
  await members.leader();
  assert.deepEqual(failedOf(await members.settle(serviceOf(follower).readiness())), []);
});

function verdict({ live, ready }: Fault): string {
  return `${live.length === 0 ? 'live' : 'not live'}, ${ready.length === 0 ? 'ready' : 'not ready'}`;
}

function wrongOnMember3(...[member, store]: Parameters<NonNullable<TestDuties['storeOf']>>): typeof store {
  return member === '3' ? wrongStore(store, (command) => ({ ...command, value: Buffer.from('wrong') })) : store;
}

function serviceOf({ replica }: TestMember): ReplicaClusterService {
  return new ReplicaClusterService(replica, { name: 'n', version: '', dbSizeBytes: () => 0 });
}

function failedOf(checks: readonly HealthCheck[]): string[] {
  return checks.filter(({ ok }) => !ok).map(({ name }) => name);
}
