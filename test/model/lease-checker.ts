import { formatLeaseId, type LeaseId } from '../../src/contract/lease.ts';

/**
 * A grant or a keep-alive that the server may have taken. All times of a history are milliseconds of one clock: that of
 * the clients, or the simulator's.
 */
export interface Renewal {
  readonly startMs: number;
  /**
   * When its answer came; of one without an answer, when it can certainly not take effect any more (Infinity: nobody
   * knows).
   */
  readonly endMs: number;
  /** Seconds, as granted. */
  readonly ttl: number;
  /** The answer came and said that the lease lives. A keep-alive that is told that there is no such lease is an end. */
  readonly isAcknowledged: boolean;
}

/** Everything that is known of one lease, from one grant; an id that is granted again is another life. */
export interface LeaseLife {
  readonly id: LeaseId;
  /** The first is the grant; in any order. */
  readonly renewals: readonly Renewal[];
  /** Start of the first request that could have revoked it; undefined: none was sent. */
  readonly revokedMs: number | undefined;
  /**
   * When somebody had seen that it is gone: by the deletion of its keys in a watch, or by an answer that there is no
   * such lease. Undefined: nobody has.
   */
  readonly goneMs: number | undefined;
  /** Starts of requests whose answers showed that it lived, beside the renewals: a read that found one of its keys. */
  readonly seenAliveMs: readonly number[];
}

export interface LeaseHistory {
  readonly leases: readonly LeaseLife[];
  /** When a member became leader. */
  readonly leaderChangesMs: readonly number[];
  /** Somebody would have seen the end of any lease until here. */
  readonly observedToMs: number;
}

export interface LeaseAllowance {
  /** What may lie between the end of a TTL and the sight of it: the expiry's turn, its way through log and watch. */
  readonly lateMs: number;
  /**
   * What a change of leader may add: `fullTtl`, the new leader gives every lease its full time again; milliseconds, it
   * goes on with the time that was left at the last checkpoint, so this is a checkpoint's interval and a failover.
   */
  readonly perLeaderChange: 'fullTtl' | number;
  /** How far the clocks of the members and of this history may come apart while a lease lives. Default 0. */
  readonly driftMs?: number;
}

/**
 * A lease never ends early: not before the start of its last acknowledged renewal plus its TTL, since the server took
 * the renewal no earlier than it was sent. And it does not live on: not longer than its TTL and the allowance after the
 * end of its last renewal, since the server took it no later than it answered. Returns what is wrong; undefined if
 * nothing is. Never wrong about an honest server: whatever is not known is taken in its favour.
 */
export function checkLeases(history: LeaseHistory, allowance: LeaseAllowance): string | undefined {
  for (const lease of history.leases) {
    const wrong = checkEarly(lease, allowance) ?? checkLate(lease, history, allowance);
    if (wrong !== undefined) return `lease ${formatLeaseId(lease.id)} ${wrong}`;
  }
  return undefined;
}

function checkEarly(
  { renewals, revokedMs, goneMs, seenAliveMs }: LeaseLife,
  allowance: LeaseAllowance,
): string | undefined {
  if (goneMs === undefined) return undefined;
  // Once gone it stays gone, whoever ended it.
  const acknowledged = renewals.filter(({ isAcknowledged }) => isAcknowledged);
  const risen = acknowledged.find(({ startMs }) => startMs > goneMs);
  if (risen !== undefined) return `was renewed at ${ms(risen.startMs)} after it was seen gone at ${ms(goneMs)}`;
  const alive = seenAliveMs.find((aliveMs) => aliveMs > goneMs);
  if (alive !== undefined) return `was seen alive at ${ms(alive)} after it was seen gone at ${ms(goneMs)}`;

  if (revokedMs !== undefined && revokedMs <= goneMs) return undefined;
  for (const { startMs, ttl } of acknowledged) {
    const earliestMs = startMs + ttl * 1000 - (allowance.driftMs ?? 0);
    if (goneMs >= earliestMs) continue;
    return `was seen gone at ${ms(goneMs)}, and the renewal sent at ${ms(startMs)} kept it until ${ms(earliestMs)}`;
  }
  return undefined;
}

function checkLate(lease: LeaseLife, history: LeaseHistory, allowance: LeaseAllowance): string | undefined {
  const latestMs = latestEnd(lease, history.leaderChangesMs, allowance);
  const aliveMs = Math.max(...lease.seenAliveMs, Number.NEGATIVE_INFINITY);
  if (aliveMs > latestMs) return `was seen alive at ${ms(aliveMs)}, and had to be gone at ${ms(latestMs)}`;
  const goneMs = lease.goneMs ?? history.observedToMs;
  if (goneMs <= latestMs) return undefined;
  const sight = lease.goneMs === undefined ? 'was not seen gone until' : 'was seen gone only at';
  return `${sight} ${ms(goneMs)}, and had to be at ${ms(latestMs)}`;
}

/** Every renewal and every new leader may put the end off; a leader that came after the end came too late to. */
function latestEnd({ renewals }: LeaseLife, leaderChangesMs: readonly number[], allowance: LeaseAllowance): number {
  const { lateMs, perLeaderChange, driftMs = 0 } = allowance;
  const graceMs = lateMs + driftMs;
  let endMs = Number.NEGATIVE_INFINITY;
  let ttlMs = 0;
  const puttingOff = [
    ...renewals.map((renewal) => ({ atMs: renewal.endMs, ttl: renewal.ttl })),
    ...leaderChangesMs.map((atMs) => ({ atMs, ttl: undefined })),
  ].sort((a, b) => a.atMs - b.atMs || (a.ttl === undefined ? 1 : 0) - (b.ttl === undefined ? 1 : 0));
  for (const { atMs, ttl } of puttingOff) {
    if (ttl !== undefined) {
      ttlMs = ttl * 1000;
      endMs = Math.max(endMs, atMs + ttlMs);
    } else if (atMs <= endMs + graceMs) {
      endMs = perLeaderChange === 'fullTtl' ? Math.max(endMs, atMs + ttlMs) : endMs + perLeaderChange;
    }
  }
  return endMs + graceMs;
}

function ms(time: number): string {
  return `${time.toFixed(1)} ms`;
}
