import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ManualClock } from '../base/testing/manual-clock.ts';
import { BalsaError, type ErrorCode } from '../contract/errors.ts';
import { LeaseKeeper } from './lease-keeper.ts';

/** What becomes of a renewal: a TTL in seconds, an error, or no answer at all. */
type Fate = number | ErrorCode | 'silence';

/** A keeper of a lease of 30 seconds whose renewals end as they are told; the last fate is that of all further ones. */
class KeptLease {
  readonly clock = new ManualClock();
  /** When each renewal was sent, in seconds. */
  readonly sentAt: number[] = [];
  readonly renewed: number[] = [];
  readonly keeper: LeaseKeeper;
  readonly #fates: Fate[];

  constructor(fates: readonly Fate[], signal?: AbortSignal) {
    this.#fates = [...fates];
    this.keeper = new LeaseKeeper({
      clock: this.clock,
      id: 1n,
      ttlSeconds: 30,
      renewedAtMs: 0,
      timeoutMs: 5000,
      signal,
      onRenewed: (ttl) => this.renewed.push(ttl),
      renew: (limits) => this.#renew(limits.signal),
    });
  }

  /** Time passes, tenths of a second at a time, with all that happens meanwhile. */
  async pass(seconds: number): Promise<void> {
    for (let tenths = 0; tenths < seconds * 10; tenths += 1) {
      this.clock.advance(100);
      await nextTurn();
    }
  }

  loss(): BalsaError | undefined {
    const { lost } = this.keeper;
    return lost.aborted ? BalsaError.from(lost.reason) : undefined;
  }

  #renew(signal: AbortSignal): Promise<{ readonly ttl: number }> {
    this.sentAt.push(this.clock.monotonicMs() / 1000);
    const fate = (this.#fates.length > 1 ? this.#fates.shift() : this.#fates[0]) ?? 'silence';
    if (typeof fate === 'number') return Promise.resolve({ ttl: fate });
    if (fate !== 'silence') return Promise.reject(new BalsaError(fate, `It is ${fate}.`));
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  }
}

test('keeper: renews at a third of the TTL, and of a new TTL when that changes', async () => {
  const lease = new KeptLease([30, 60]);
  await lease.pass(50);
  assert.deepEqual(lease.sentAt, [10, 20, 40]);
  assert.deepEqual(lease.renewed, [30, 60, 60]);
  assert.equal(lease.keeper.ttl, 60);
  await lease.keeper.close();
});

test('keeper: tries again when a renewal fails or is not answered, and goes on when one succeeds', async () => {
  const lease = new KeptLease(['no_leader', 'unavailable', 'silence', 'timeout', 30]);
  await lease.pass(20);
  assert.deepEqual(lease.renewed, [30]);
  assert.equal(lease.sentAt.length, 5);
  assert.ok((lease.sentAt.at(-1) ?? 0) > 15, 'a renewal without an answer is given up after 5 seconds');
  assert.equal(lease.loss(), undefined);
  await lease.keeper.close();
});

test('keeper: tells at once when the lease is gone', async () => {
  const lease = new KeptLease([30, 'lease_not_found']);
  await lease.pass(19);
  assert.equal(lease.loss(), undefined);
  await lease.pass(1);
  assert.equal(lease.loss()?.code, 'lease_not_found');
  assert.equal(lease.sentAt.length, 2);
});

test('keeper: takes a lease for lost when its TTL is over since the last good renewal was sent', async () => {
  for (const [fate, code] of [
    ['unavailable', 'unavailable'],
    ['no_leader', 'no_leader'],
    ['silence', 'timeout'],
  ] as const) {
    const lease = new KeptLease([30, fate]);
    await lease.pass(39.9);
    assert.equal(lease.loss(), undefined, fate);
    await lease.pass(0.2);
    assert.equal(lease.loss()?.code, code);
    assert.match(lease.loss()?.detail ?? '', /could not be renewed within its TTL of 30 s and may have ended: /);
  }
});

test('keeper: after a stop of the process that was longer than the TTL it does not pretend', async () => {
  const lease = new KeptLease([30]);
  lease.clock.leap(31_000);
  await nextTurn();
  assert.match(lease.loss()?.detail ?? '', /this process did not run in time/);
  assert.deepEqual(lease.sentAt, []);
});

test('keeper: ends with its signal or when it is closed, also while a renewal is under way', async () => {
  const stop = new AbortController();
  for (const [lease, end] of [
    [new KeptLease(['silence'], stop.signal), () => stop.abort()],
    [new KeptLease(['silence']), () => undefined],
    [new KeptLease([30], AbortSignal.abort()), () => undefined],
  ] as const) {
    await lease.pass(11);
    end();
    await lease.keeper.close();
    assert.equal(lease.loss(), undefined);
    assert.equal(lease.clock.timers, 0);
  }
});
