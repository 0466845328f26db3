import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../base/random.ts';
import { ManualClock } from '../base/testing/manual-clock.ts';
import type { LeaseId, LeaseRecord } from '../contract/lease.ts';
import { Lessor } from './lessor.ts';

const tickMs = 100;
const electionTimeoutMs = 1000;
const daySeconds = 86_400;
const yearSeconds = 365 * daySeconds;

test('expiry: never before the TTL, and at most a tick after it', async () => {
  const keeper = new LeaseKeeper();
  for (let id = 1; id <= 50; id++) {
    await keeper.pass(7);
    keeper.grant(BigInt(id), 1 + (id % 5));
  }
  await keeper.pass(10_000);
  assert.equal(keeper.ended.size, 50);
  for (const [id, endedMs] of keeper.ended) {
    const dueMs = (keeper.grantedMs.get(id) ?? 0) + 1000 * (1 + (Number(id) % 5));
    assert.ok(endedMs >= dueMs && endedMs <= dueMs + tickMs, `lease ${id} was due at ${dueMs}, ended at ${endedMs}`);
  }
});

test('expiry: whatever is renewed whenever, it comes a TTL after the last renewal, or within a tick of that', async () => {
  const seed = 5;
  const random = seededRandom(seed);
  const keeper = new LeaseKeeper();
  const dueMs = new Map<LeaseId, number>();
  for (let id = 1n; id <= 200n; id++) dueMs.set(id, 1000 * keeper.grant(id, 1 + random.below(20)).ttl);
  for (let round = 0; round < 1000; round++) {
    await keeper.pass(random.below(100));
    const id = BigInt(1 + random.below(200));
    const { ttl = 0 } = keeper.leases.get(id) ?? {};
    if (keeper.lessor.state(id) === 'gone') continue;
    if (keeper.lessor.state(id) === 'checkpointed') keeper.restore(id);
    keeper.lessor.renew(id);
    dueMs.set(id, keeper.clock.monotonicMs() + 1000 * ttl);
  }
  await keeper.pass(21_000);
  assert.equal(keeper.ended.size, 200);
  for (const [id, endedMs] of keeper.ended) {
    const lateMs = endedMs - (dueMs.get(id) ?? Number.NaN);
    assert.ok(lateMs >= 0 && lateMs <= tickMs, `seed ${seed}: lease ${id} ended ${lateMs} ms late`);
  }
});

test('expiry: what is due is gone at once for who asks, although its entry is still on its way', async () => {
  const keeper = new LeaseKeeper();
  keeper.grant(1n, 2);
  keeper.delivery = 'held';
  await keeper.pass(1999);
  assert.notEqual(keeper.lessor.state(1n), 'gone');
  keeper.clock.advance(1);
  assert.equal(keeper.lessor.state(1n), 'gone', 'before the tick that sees it');
  await keeper.pass(tickMs);
  keeper.lessor.renew(1n);
  assert.equal(keeper.lessor.state(1n), 'gone', 'a renewal must not bring it back');
  assert.equal(keeper.lessor.leftMs(1n), undefined);
  assert.ok(keeper.leases.has(1n), 'the log has not ended it yet');
  await keeper.release();
  assert.ok(!keeper.leases.has(1n));
});

test('expiry: a lease that was revoked meanwhile is left alone', async () => {
  const keeper = new LeaseKeeper();
  keeper.grant(1n, 2);
  keeper.revoke(1n);
  assert.equal(keeper.lessor.state(1n), 'gone');
  assert.equal(keeper.lessor.size, 0);
  await keeper.pass(5000);
  assert.deepEqual(keeper.proposals, []);
});

test('expiry: a lease that is granted again under its old id has a life of its own', async () => {
  const keeper = new LeaseKeeper();
  keeper.grant(1n, 2);
  await keeper.pass(1500);
  keeper.revoke(1n);
  keeper.grant(1n, 10);
  await keeper.pass(9900);
  assert.equal(keeper.ended.size, 0);
  await keeper.pass(200);
  assert.equal(keeper.ended.size, 1);
});

test('expiry: a lease granted under the id of one that waited for its end is not ended in its place', async () => {
  const keeper = new LeaseKeeper();
  for (let id = 1n; id <= 300n; id++) keeper.grant(id, 2);
  await keeper.pass(1900);
  keeper.delivery = 'held';
  await keeper.pass(100);
  const [first] = keeper.expiries;
  const waiting = [...keeper.leases.keys()].find((id) => first?.ids.includes(id) === false);
  assert.ok(waiting !== undefined, 'one waits behind the first entry');
  keeper.revoke(waiting);
  keeper.grant(waiting, 60);
  await keeper.release();
  await keeper.pass(1000);
  assert.equal(keeper.lessor.state(waiting), 'held');
  assert.deepEqual([...keeper.leases.keys()], [waiting]);
});

test('storm: 100,000 leases due together are spread over entries of 256, one at a time', async () => {
  const keeper = new LeaseKeeper();
  for (let id = 1; id <= 100_000; id++) keeper.grant(BigInt(id), 10);
  await keeper.pass(9900);
  assert.equal(keeper.ended.size, 0);
  await keeper.pass(100);
  assert.equal(keeper.ended.size, 100_000);
  assert.equal(keeper.lessor.size, 0);
  assert.deepEqual([keeper.expiries.length, keeper.mostAtOnce], [Math.ceil(100_000 / 256), 1]);
  assert.ok(keeper.expiries.every(({ ids }) => ids.length <= 256));
});

test('failure: an expiry that did not get through is proposed again with each tick, and with no more than that', async () => {
  const keeper = new LeaseKeeper();
  for (let id = 1n; id <= 600n; id++) keeper.grant(id, 2);
  keeper.delivery = 'lost';
  await keeper.pass(3000);
  assert.equal(keeper.ended.size, 0);
  assert.equal(keeper.expiries.length, 11, 'from 2,000 to 3,000 ms');
  keeper.delivery = 'applied';
  await keeper.pass(tickMs);
  assert.equal(keeper.ended.size, 600);
});

test('failure: the next leader ends what the last one could not', async () => {
  const keeper = new LeaseKeeper();
  keeper.grant(1n, 2);
  keeper.delivery = 'lost';
  await keeper.pass(2500);
  keeper.lead(2);
  assert.equal(keeper.lessor.state(1n), 'held');
  keeper.delivery = 'applied';
  await keeper.pass(2000 + electionTimeoutMs);
  assert.equal(keeper.ended.size, 1);
  assert.deepEqual(new Set(keeper.expiries.slice(-1).map(({ term }) => term)), new Set([2]));
});

test('stall: time in which the process stood still is not counted, so that renewals that waited unread count', async () => {
  const keeper = new LeaseKeeper();
  keeper.grant(1n, 5);
  keeper.grant(2n, 5);
  await keeper.pass(2000);
  keeper.clock.advance(60_000);
  // Input comes before the tick that is late.
  assert.equal(keeper.lessor.state(1n), 'held');
  keeper.lessor.renew(1n);
  await keeper.pass(2700);
  assert.equal(keeper.ended.size, 0);
  await keeper.pass(200);
  assert.deepEqual([...keeper.ended.keys()], [2n], 'late by the stall, of which two ticks count');
  await keeper.pass(3000);
  assert.deepEqual([...keeper.ended.keys()], [2n, 1n]);
});

test('leader: a new one gives each lease what the log says is left, and an election timeout', async () => {
  const keeper = new LeaseKeeper();
  keeper.leases.set(1n, { id: 1n, ttl: 30, remaining: undefined });
  keeper.leases.set(2n, { id: 2n, ttl: 30, remaining: 4 });
  keeper.lead(2);
  assert.deepEqual([keeper.lessor.leftMs(1n), keeper.lessor.leftMs(2n)], [31_000, 5000]);
  assert.deepEqual([keeper.lessor.state(1n), keeper.lessor.state(2n)], ['held', 'checkpointed']);
  await keeper.pass(4900);
  assert.equal(keeper.ended.size, 0);
  await keeper.pass(200);
  assert.deepEqual([...keeper.ended.keys()], [2n]);
});

test('leader: who leads no more keeps no time, ends nothing, and knows of no lease', async () => {
  const keeper = new LeaseKeeper();
  keeper.grant(1n, 2);
  keeper.lessor.stop();
  assert.deepEqual([keeper.lessor.isLeading, keeper.lessor.size, keeper.lessor.state(1n)], [false, 0, 'gone']);
  keeper.grant(2n, 2);
  await keeper.pass(10_000);
  assert.deepEqual(keeper.proposals, []);
});

test('leader: an expiry of the last term that never ends does not end anything of the new one', async () => {
  const keeper = new LeaseKeeper();
  keeper.grant(1n, 2);
  keeper.delivery = 'held';
  await keeper.pass(2100);
  keeper.lead(2);
  await keeper.release();
  assert.equal(keeper.lessor.state(1n), 'held', 'an entry of an older term has no effect');
  keeper.delivery = 'applied';
  await keeper.pass(2000 + electionTimeoutMs);
  assert.equal(keeper.ended.size, 1);
});

test('checkpoint: what is left is written down after half the TTL, at the latest after a minute', async () => {
  const keeper = new LeaseKeeper();
  keeper.grant(10n, 10);
  keeper.grant(3600n, 3600);
  await keeper.pass(4900);
  assert.deepEqual(keeper.checkpoints, []);
  await keeper.pass(100);
  assert.deepEqual(keeper.checkpoints.flat(), [{ id: 10n, remaining: 5 }]);
  await keeper.pass(10_000 + 60_000);
  const long = keeper.checkpoints.flat().filter(({ id }) => id === 3600n);
  assert.deepEqual(long, [{ id: 3600n, remaining: 3540 }]);
  await keeper.pass(60_000);
  assert.equal(keeper.leases.get(3600n)?.remaining, 3480);
});

test('checkpoint: a lease that is renewed at a third of its TTL has none written', async () => {
  const keeper = new LeaseKeeper();
  keeper.grant(1n, 30);
  for (let round = 0; round < 20; round++) {
    await keeper.pass(10_000);
    keeper.lessor.renew(1n);
  }
  assert.deepEqual(keeper.proposals, []);
});

test('checkpoint: a part of a second is rounded up, so that no leader takes it away', async () => {
  const keeper = new LeaseKeeper();
  keeper.grant(1n, 3);
  await keeper.pass(1600);
  assert.deepEqual(keeper.checkpoints, [[{ id: 1n, remaining: 2 }]], '1,500 ms were left');
});

test('checkpoint: in entries of 1,000', async () => {
  const keeper = new LeaseKeeper();
  for (let id = 1n; id <= 2500n; id++) keeper.grant(id, 60);
  await keeper.pass(30_300);
  assert.deepEqual(
    keeper.checkpoints.map((leases) => leases.length),
    [1000, 1000, 500],
  );
});

test('checkpoint: leases that wait for theirs wait once, however often they come due meanwhile', async () => {
  const keeper = new LeaseKeeper();
  for (let id = 1n; id <= 3000n; id++) keeper.grant(id, 3600);
  keeper.delivery = 'held';
  await keeper.pass(600_000);
  await keeper.release();
  keeper.delivery = 'applied';
  await keeper.pass(5000);
  assert.equal(keeper.checkpoints.flat().length, 4000, '1,000 were under way, and came due again');
});

test('checkpoint: what a lease was given for the election is not written down on top of its TTL', async () => {
  // Otherwise leases get more time with each leader, without end.
  const keeper = new LeaseKeeper({ electionTimeoutMs: 10_000 });
  keeper.grant(1n, 15);
  for (let term = 2; term < 20; term++) {
    keeper.lead(term);
    await keeper.pass(7600);
    assert.ok((keeper.leases.get(1n)?.remaining ?? 0) <= 15, `${keeper.leases.get(1n)?.remaining} s in term ${term}`);
  }
});

test('checkpoint: one that is lost is followed by another', async () => {
  const keeper = new LeaseKeeper();
  keeper.grant(1n, 3600);
  keeper.delivery = 'lost';
  await keeper.pass(60_000);
  keeper.delivery = 'applied';
  await keeper.pass(60_000);
  assert.equal(keeper.leases.get(1n)?.remaining, 3480);
});

test('renewal: of a lease whose checkpoint is proposed, the log has to say first that all its time is left', async () => {
  const keeper = new LeaseKeeper();
  keeper.grant(1n, 10);
  keeper.delivery = 'held';
  await keeper.pass(5000);
  assert.equal(keeper.lessor.state(1n), 'checkpointed', 'as soon as it is proposed: it may be applied at any time');
  await keeper.release();
  assert.equal(keeper.lessor.state(1n), 'checkpointed');
  keeper.restore(1n);
  assert.equal(keeper.lessor.state(1n), 'held');
  keeper.lessor.renew(1n);
  assert.equal(keeper.lessor.leftMs(1n), 10_000);
});

test('renewal: a checkpoint that was proposed while the log was asked is not forgotten', async () => {
  const keeper = new LeaseKeeper();
  keeper.grant(1n, 10);
  await keeper.pass(5000);
  const before = keeper.lessor.checkpoints(1n);
  keeper.delivery = 'held';
  await keeper.pass(5000 - tickMs);
  keeper.lessor.renew(1n);
  await keeper.pass(5000);
  assert.equal(keeper.lessor.checkpoints(1n), before + 1);
  // The entry that restores it stands before the second checkpoint in the log.
  keeper.lessor.onLeaseChange(1n, { id: 1n, ttl: 10, remaining: undefined });
  keeper.lessor.restored(1n, before);
  assert.equal(keeper.lessor.state(1n), 'checkpointed');
  await keeper.release();
  assert.equal(keeper.leases.get(1n)?.remaining, 5);
  keeper.restore(1n);
  assert.equal(keeper.lessor.state(1n), 'held');
});

test('renewal: of a lease that nobody holds does nothing', () => {
  const keeper = new LeaseKeeper();
  keeper.lessor.renew(1n);
  keeper.lessor.restored(1n, 0);
  assert.deepEqual([keeper.lessor.state(1n), keeper.lessor.checkpoints(1n)], ['gone', 0]);
});

test('time left: goes on between two ticks, and no further than a tick counts', () => {
  const keeper = new LeaseKeeper();
  keeper.grant(1n, 10);
  keeper.clock.advance(30);
  assert.equal(keeper.lessor.leftMs(1n), 9970);
  keeper.clock.advance(5000);
  assert.equal(keeper.lessor.leftMs(1n), 10_000 - 2 * tickMs);
});

for (const [name, ttl] of [
  ['25 days', 25 * daySeconds],
  ['68 years', 68 * yearSeconds],
  ['the longest there is', 9_000_000_000],
] as const) {
  test(`long TTL: ${name}, which no timer of JavaScript can hold`, async () => {
    const hourMs = 3_600_000;
    const longTickMs = Math.max(hourMs, (ttl * 1000) / 1000);
    const keeper = new LeaseKeeper({ tickMs: longTickMs });
    keeper.grant(1n, ttl);
    assert.equal(keeper.clock.timers, 0);
    await keeper.pass(ttl * 1000 - 1);
    assert.equal(keeper.ended.size, 0);
    assert.ok((keeper.leases.get(1n)?.remaining ?? 0) >= 1, 'checkpoints are whole and above 0 to the end');
    await keeper.pass(longTickMs);
    assert.equal(keeper.ended.size, 1);
  });
}

test('leaders: one after another, no lease ever ends before its TTL has passed since it was last renewed', async () => {
  for (let seed = 1; seed <= 20; seed++) await manyLeaders(seed, seededRandom(seed));
});

async function manyLeaders(seed: number, random: Random): Promise<void> {
  const keeper = new LeaseKeeper();
  const renewedMs = new Map<LeaseId, number>();
  for (let id = 1n; id <= 30n; id++) {
    keeper.grant(id, 2 + random.below(30));
    renewedMs.set(id, 0);
  }
  const ttls = new Map([...keeper.leases].map(([id, { ttl }]) => [id, ttl]));
  let term = 1;
  for (let round = 0; round < 400; round++) {
    keeper.delivery = random.below(5) === 0 ? 'held' : 'applied';
    await keeper.pass(random.below(600));
    if (random.below(20) === 0) keeper.lead(++term);
    const id = BigInt(1 + random.below(30));
    if (keeper.lessor.state(id) === 'checkpointed' && random.below(2) === 0) keeper.restore(id);
    if (keeper.lessor.state(id) === 'held') {
      keeper.lessor.renew(id);
      renewedMs.set(id, keeper.clock.monotonicMs());
    }
    if (random.below(3) > 0) await keeper.release();
  }
  for (const [id, endedMs] of keeper.ended) {
    const livedMs = endedMs - (renewedMs.get(id) ?? 0);
    const ttl = ttls.get(id) ?? Number.NaN;
    assert.ok(livedMs >= 1000 * ttl, `seed ${seed}: lease ${id} of ${ttl} s ended ${livedMs} ms after its renewal`);
  }
  assert.ok(keeper.ended.size > 0 && term > 5, `seed ${seed}: nothing happened`);
}

/**
 * A lessor over a log that is applied at once, when the test says so (`release`), or never. As the state machine, it
 * takes no notice of entries whose leader was deposed before they were applied.
 */
class LeaseKeeper {
  readonly clock = new ManualClock();
  readonly lessor: Lessor;
  readonly leases = new Map<LeaseId, LeaseRecord>();
  readonly grantedMs = new Map<LeaseId, number>();
  readonly ended = new Map<LeaseId, number>();
  readonly proposals: Proposal[] = [];
  delivery: 'applied' | 'held' | 'lost' = 'applied';
  /** Expiries that were under way together. */
  mostAtOnce = 0;
  readonly #tickMs: number;
  #nextTickMs: number;
  #term = 1;
  #underWay = 0;
  #held: (() => void)[] = [];

  constructor(options: { readonly tickMs?: number; readonly electionTimeoutMs?: number } = {}) {
    this.#tickMs = options.tickMs ?? tickMs;
    this.#nextTickMs = this.#tickMs;
    this.lessor = new Lessor({
      clock: this.clock,
      tickMs: this.#tickMs,
      electionTimeoutMs: options.electionTimeoutMs ?? electionTimeoutMs,
      expire: (term, ids) => this.#propose({ kind: 'expiry', term, ids }),
      checkpoint: (term, leases) => this.#propose({ kind: 'checkpoint', term, leases }),
    });
    this.lead(1);
  }

  get expiries(): readonly Extract<Proposal, { kind: 'expiry' }>[] {
    return this.proposals.filter((proposal) => proposal.kind === 'expiry');
  }

  get checkpoints(): readonly Extract<Proposal, { kind: 'checkpoint' }>['leases'][] {
    return this.proposals.flatMap((proposal) => (proposal.kind === 'checkpoint' ? [proposal.leases] : []));
  }

  lead(term: number): void {
    this.#term = term;
    this.lessor.lead(term, this.leases.values());
  }

  grant(id: LeaseId, ttl: number): LeaseRecord {
    const lease = { id, ttl, remaining: undefined };
    this.grantedMs.set(id, this.clock.monotonicMs());
    this.#change(id, lease);
    return lease;
  }

  revoke(id: LeaseId): void {
    this.#change(id, undefined);
  }

  /** The entry that says that all its time is left, behind all that was proposed before. */
  restore(id: LeaseId): void {
    const checkpoints = this.lessor.checkpoints(id);
    for (const apply of this.#held.splice(0)) apply();
    const lease = this.leases.get(id);
    if (lease === undefined) return;
    this.#change(id, { ...lease, remaining: undefined });
    this.lessor.restored(id, checkpoints);
  }

  /** Lets time pass, tick by tick. */
  async pass(ms: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + ms;
    while (this.#nextTickMs <= endMs) {
      // After a stall the next tick comes at once, and a new rhythm begins.
      this.clock.advance(Math.max(0, this.#nextTickMs - this.clock.monotonicMs()));
      this.#nextTickMs = this.clock.monotonicMs() + this.#tickMs;
      this.lessor.tick();
      await settled();
    }
    this.clock.advance(endMs - this.clock.monotonicMs());
  }

  /** Applies what was held back. */
  async release(): Promise<void> {
    while (this.#held.length > 0) {
      for (const apply of this.#held.splice(0)) apply();
      await settled();
    }
  }

  async #propose(proposal: Proposal): Promise<void> {
    this.proposals.push(proposal);
    if (proposal.kind === 'expiry') this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#underWay);
    const { delivery } = this;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        if (delivery !== 'lost') this.#apply(proposal);
        resolve();
      };
      if (delivery === 'held') this.#held.push(end);
      else queueMicrotask(end);
    });
    if (proposal.kind === 'expiry') this.#underWay--;
  }

  #apply(proposal: Proposal): void {
    if (proposal.term !== this.#term) return;
    if (proposal.kind === 'checkpoint') {
      for (const { id, remaining } of proposal.leases) {
        const lease = this.leases.get(id);
        if (lease !== undefined) this.#change(id, { ...lease, remaining });
      }
      return;
    }
    for (const id of proposal.ids) {
      if (!this.leases.has(id)) continue;
      this.#change(id, undefined);
      this.ended.set(id, this.clock.monotonicMs());
    }
  }

  #change(id: LeaseId, lease: LeaseRecord | undefined): void {
    if (lease === undefined) this.leases.delete(id);
    else this.leases.set(id, lease);
    this.lessor.onLeaseChange(id, lease);
  }
}

type Proposal =
  | { readonly kind: 'expiry'; readonly term: number; readonly ids: readonly LeaseId[] }
  | {
      readonly kind: 'checkpoint';
      readonly term: number;
      readonly leases: readonly { readonly id: LeaseId; readonly remaining: number }[];
    };

/** Everything that follows from what was just done has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
