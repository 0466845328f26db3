import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { checkLeases, type LeaseAllowance, type LeaseHistory, type LeaseLife, type Renewal } from './lease-checker.ts';

const allowance: LeaseAllowance = { lateMs: 500, perLeaderChange: 'fullTtl' };

test('lease checker: lives as they should be', () => {
  right('it ran out', { goneMs: 10_050 });
  right('it ran out just in time', { goneMs: 10_000 });
  right('it was seen a while later', { goneMs: 10_600 });
  right('it was renewed', { renewals: [grant, renewal(8_000, 8_100)], goneMs: 18_300 });
  right('it still lives', { observedToMs: 10_000 });
  right('it was revoked', { revokedMs: 3_000, goneMs: 3_100 });
  right('it ran out although somebody sent a revoke later', { revokedMs: 10_200, goneMs: 10_150 });
  right('a new leader gave it its full time again', { leaderChangesMs: [9_000], goneMs: 19_100 });
  right('and the next again', { leaderChangesMs: [9_000, 18_000], goneMs: 28_100 });
  right('a renewal that nobody answered was taken', { renewals: [grant, unknown(5_000, 7_000)], goneMs: 17_200 });
  right('or was not', { renewals: [grant, unknown(5_000, 7_000)], goneMs: 10_200 });
  right('it may be taken at any time', { renewals: [grant, unknown(5_000, Infinity)], observedToMs: 1_000_000 });
  right('it was seen alive before', { seenAliveMs: [9_000, 10_300], goneMs: 10_400 });
  right('a renewal that was on its way when the lease was seen gone', {
    // It was taken at its start, and the answer came late.
    renewals: [grant, { ...renewal(100, 12_000) }],
    goneMs: 10_150,
  });
});

test('lease checker: a lease that ends early', () => {
  wrong(/gone at 9999.0 ms/, 'before its TTL', { goneMs: 9_999 });
  wrong(/renewal sent at 8000.0 ms kept it until 18000.0 ms/, 'before the TTL of its renewal', {
    renewals: [grant, renewal(8_000, 8_100)],
    goneMs: 10_200,
  });
  wrong(/renewal sent at 8000.0 ms/, 'after a change of leader', {
    renewals: [grant, renewal(8_000, 8_100)],
    leaderChangesMs: [9_000],
    goneMs: 12_000,
  });
  wrong(/gone at 2000.0 ms/, 'before anybody revoked it', { revokedMs: 2_500, goneMs: 2_000 });
  wrong(/renewed at 11000.0 ms after/, 'and rises from the dead', {
    renewals: [grant, renewal(11_000, 11_100)],
    goneMs: 10_200,
  });
  wrong(/seen alive at 10300.0 ms after/, 'and is seen again', { seenAliveMs: [10_300], goneMs: 10_200 });
});

test('lease checker: a lease that lives on', () => {
  wrong(/only at 10601.0 ms, and had to be at 10600.0 ms/, 'too long', { goneMs: 10_601 });
  wrong(/not seen gone until 60000.0 ms/, 'for ever', { observedToMs: 60_000 });
  wrong(/alive at 10700.0 ms/, 'and is seen', { seenAliveMs: [10_700], observedToMs: 10_700 });
  wrong(/had to be at 10600.0 ms/, 'a leader that came too late does not save it', {
    leaderChangesMs: [10_601],
    goneMs: 15_000,
  });
  wrong(/had to be at 19500.0 ms/, 'past the full time of the new leader', {
    leaderChangesMs: [9_000],
    goneMs: 19_501,
  });
});

test('lease checker: with checkpoints a change of leader adds what they lose, not the full time', () => {
  const checkpoints: LeaseAllowance = { lateMs: 500, perLeaderChange: 2_000 };
  right('in time', { leaderChangesMs: [4_000, 9_000], goneMs: 14_600 }, checkpoints);
  wrong(/had to be at 14600.0 ms/, 'late', { leaderChangesMs: [4_000, 9_000], goneMs: 14_601 }, checkpoints);
});

test('lease checker: clocks that come apart', () => {
  const drifting: LeaseAllowance = { ...allowance, driftMs: 300 };
  right('a quick one', { goneMs: 9_700 }, drifting);
  wrong(/kept it until 9700.0 ms/, 'too quick', { goneMs: 9_699 }, drifting);
  right('a slow one', { goneMs: 10_900 }, drifting);
  wrong(/had to be at 10900.0 ms/, 'too slow', { goneMs: 10_901 }, drifting);
});

test('lease checker: random lives under an honest leader pass, and spoilt ones do not', () => {
  const seed = 11;
  const random = seededRandom(seed);
  for (let round = 0; round < 2_000; round++) {
    const { life, leaderChangesMs, endMs } = honestLife(random);
    const message = `seed ${seed}, round ${round}`;
    const history = { leases: [life], leaderChangesMs, observedToMs: endMs + 1_000 };
    assert.equal(checkLeases(history, allowance), undefined, message);

    const last = life.renewals.findLast(({ isAcknowledged }) => isAcknowledged);
    assert(last !== undefined);
    const early = { ...life, goneMs: last.startMs + last.ttl * 1000 - 1 };
    assert.notEqual(checkLeases({ ...history, leases: [early] }, allowance), undefined, message);
    const late = { ...life, goneMs: endMs + 100_000 };
    assert.notEqual(checkLeases({ ...history, leases: [late] }, allowance), undefined, message);
  }
});

/** A leader that takes each renewal at some time between its start and its end, and ends the lease when it is due. */
function honestLife(random: Random): { life: LeaseLife; leaderChangesMs: readonly number[]; endMs: number } {
  const ttl = 2 + random.below(8);
  const renewals: Renewal[] = [];
  const leaderChangesMs: number[] = [];
  let nowMs = random.below(100);
  let dueMs = 0;
  for (let i = 0; i < 1 + random.below(6); i++) {
    const startMs = nowMs;
    const takenMs = startMs + random.below(100);
    const answeredMs = takenMs + random.below(100);
    const isAcknowledged = i === 0 || random.below(4) > 0;
    const isTaken = isAcknowledged || random.below(2) === 0;
    renewals.push({ startMs, endMs: answeredMs, ttl, isAcknowledged });
    if (isTaken) dueMs = takenMs + ttl * 1000;
    nowMs = answeredMs + random.below(100);
    if (random.below(4) > 0) continue;
    leaderChangesMs.push(nowMs);
    dueMs = Math.max(dueMs, nowMs + ttl * 1000);
    // Never so long that the lease could run out meanwhile.
    nowMs += random.below(ttl * 100);
  }
  const endMs = dueMs + random.below(400);
  return { life: { id: 1n, renewals, revokedMs: undefined, goneMs: endMs, seenAliveMs: [] }, leaderChangesMs, endMs };
}

type Settings = Partial<LeaseLife> & Partial<Omit<LeaseHistory, 'leases'>>;

/** A grant for 10 s, sent at 0 and answered at 100 ms. */
const grant: Renewal = { startMs: 0, endMs: 100, ttl: 10, isAcknowledged: true };

function renewal(startMs: number, endMs: number): Renewal {
  return { startMs, endMs, ttl: 10, isAcknowledged: true };
}

function unknown(startMs: number, endMs: number): Renewal {
  return { ...renewal(startMs, endMs), isAcknowledged: false };
}

function history({ leaderChangesMs = [], observedToMs, ...life }: Settings): LeaseHistory {
  const lease: LeaseLife = {
    id: 1n,
    renewals: [grant],
    revokedMs: undefined,
    goneMs: undefined,
    seenAliveMs: [],
    ...life,
  };
  return { leases: [lease], leaderChangesMs, observedToMs: observedToMs ?? lease.goneMs ?? 0 };
}

function right(what: string, settings: Settings, allowed = allowance): void {
  assert.equal(checkLeases(history(settings), allowed), undefined, what);
}

function wrong(found: RegExp, what: string, settings: Settings, allowed = allowance): void {
  assert.match(checkLeases(history(settings), allowed) ?? 'nothing', found, what);
}
