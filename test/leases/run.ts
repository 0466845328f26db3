import type { LeaseId } from '../../src/contract/lease.ts';
import { checkLeases, type LeaseAllowance, type LeaseLife } from '../model/lease-checker.ts';
import { Chance } from '../sim/world/chance.ts';
import { Scheduler } from '../sim/world/scheduler.ts';
import { LeaseCluster } from './lease-cluster.ts';
import { LeaseHolder } from './lease-holder.ts';
import { electionTimeoutMs, type LessorOf } from './lease-member.ts';

export interface LeasePlan {
  readonly seed: number;
  readonly leases: number;
  /** 0, or how far the members' clocks may be off. */
  readonly clockErrorPercent: number;
  readonly leaderChangeMs: { readonly least: number; readonly most: number };
  /** Another lessor than the real one, to see that what it does wrong is found. */
  readonly lessorOf?: LessorOf;
}

/** What was done, summed over runs; the margins are of all of them. */
export interface LeaseAccount {
  readonly leases: number;
  readonly renewals: number;
  readonly unknown: number;
  readonly toldGone: number;
  readonly expired: number;
  readonly revoked: number;
  readonly leaders: number;
  /** Entries of deposed leaders that had to be without effect. */
  readonly stale: number;
  readonly events: number;
}

export interface LeaseOutcome {
  readonly plan: LeasePlan;
  readonly account: LeaseAccount;
  readonly violation: string | undefined;
}

export const nothingDone: LeaseAccount = {
  leases: 0,
  renewals: 0,
  unknown: 0,
  toldGone: 0,
  expired: 0,
  revoked: 0,
  leaders: 0,
  stale: 0,
  events: 0,
};

/** Grants are spread over that time, and leaders change for as long and a while. */
const grantedWithinMs = 60_000;
const changesWithinMs = 300_000;
/** By then every lease must have ended. */
const endMs = 3_600_000;
/** How long a leader may stand still, or be cut off, before another is elected or it goes on. */
const pauseMs = 1500;

/** The seed decides everything: half of the runs have exact clocks, and so strict limits; half change leaders slowly. */
export function planOf(seed: number, leases: number): LeasePlan {
  const chance = new Chance(seed).of('plan');
  return {
    seed,
    leases,
    clockErrorPercent: chance.pick([0, 10]),
    leaderChangeMs: chance.pick([
      { least: 2000, most: 8000 },
      { least: 20_000, most: 100_000 },
    ]),
  };
}

export async function run(plan: LeasePlan): Promise<LeaseOutcome> {
  const chance = new Chance(plan.seed);
  const scheduler = new Scheduler(chance.of('ties'));
  const counts = { ...nothingDone } as { -readonly [Name in keyof LeaseAccount]: number };
  const holders = new Map<LeaseId, LeaseHolder>();
  const leaderChangesMs: number[] = [];
  const cluster = new LeaseCluster(
    scheduler,
    chance.of('cluster'),
    {
      onLeading: () => leaderChangesMs.push(scheduler.nowMs),
      onEnded: (id, how) => {
        counts[how]++;
        holders.get(id)?.onEnded();
      },
      onStale: () => counts.stale++,
    },
    plan,
  );
  const clients = chance.of('clients');
  for (let i = 1; i <= plan.leases; i++) {
    const holder = new LeaseHolder(BigInt(i), cluster, clients, {
      onRenewed: () => counts.renewals++,
      onUnknown: () => counts.unknown++,
      onToldGone: () => counts.toldGone++,
    });
    holders.set(holder.id, holder);
    scheduler.after(clients.between(100, grantedWithinMs), undefined, () => holder.grant());
  }
  changeLeaders(scheduler, chance.of('leaders'), cluster, plan);
  await scheduler.runUntil(changesWithinMs);
  await scheduler.runUntil(endMs, () => cluster.size === 0);

  const lives = [...holders.values()].flatMap(({ life }) => (life === undefined ? [] : [life]));
  const violation = check(plan, lives, leaderChangesMs, scheduler.nowMs);
  const { length: leaders } = leaderChangesMs;
  return { plan, account: { ...counts, leases: lives.length, leaders, events: scheduler.count }, violation };
}

function changeLeaders(
  scheduler: Scheduler,
  chance: Chance,
  cluster: LeaseCluster,
  { leaderChangeMs }: LeasePlan,
): void {
  const { least, most } = leaderChangeMs;
  const change = (): void => {
    failOver(scheduler, chance, cluster);
    if (scheduler.nowMs < changesWithinMs) scheduler.after(chance.between(least, most), undefined, change);
  };
  scheduler.after(chance.between(least, most), undefined, change);
}

/** The leader is cut off or its process stops, for a while or until another is elected; or it just hands over. */
function failOver(scheduler: Scheduler, chance: Chance, cluster: LeaseCluster): void {
  const old = cluster.leader;
  const next = chance.pick(cluster.members.filter((member) => member !== old && !member.isPaused));
  const electedMs = chance.between(0, pauseMs);
  const elect = (): void => cluster.elect(next);
  switch (chance.pick(['handOver', 'cutOff', 'hiccup', 'pause'] as const)) {
    case 'handOver':
      elect();
      return;
    case 'cutOff':
      cluster.cutOff();
      scheduler.after(electedMs, undefined, elect);
      return;
    case 'hiccup':
      cluster.cutOff();
      scheduler.after(electedMs, undefined, () => cluster.heal());
      return;
    case 'pause':
      old.pause();
      scheduler.after(electedMs, undefined, elect);
      // At any time, in the belief that it leads; in time to be elected again by the next change.
      scheduler.after(electedMs + chance.skewed(0, 400), undefined, () => old.resume());
  }
}

function check(
  plan: LeasePlan,
  lives: readonly LeaseLife[],
  leaderChangesMs: readonly number[],
  observedToMs: number,
): string | undefined {
  for (const life of lives) {
    const endedMs = life.goneMs ?? observedToMs;
    const wrong = checkLeases(
      // Leaders before its grant and after its end have nothing to do with it.
      { leases: [life], leaderChangesMs: between(leaderChangesMs, firstStart(life), endedMs), observedToMs },
      allowanceOf(plan, life),
    );
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function allowanceOf({ clockErrorPercent }: LeasePlan, { renewals: [grant] }: LeaseLife): LeaseAllowance {
  const ttlMs = 1000 * (grant?.ttl ?? 0);
  // A clock that is a tenth too slow makes everything a ninth longer.
  const drift = clockErrorPercent / (100 - clockErrorPercent);
  const checkpointIntervalMs = Math.min(ttlMs / 2, 60_000);
  // Rounding, what the new leader adds, the way of entries through the log, and while that is held up.
  const failoverMs = 1000 + electionTimeoutMs + 500 + 2 * pauseMs;
  return {
    // What falls due while the leader stands still waits for the next one. One that came while the last renewal was on
    // its way may have added its election timeout to that.
    lateMs: pauseMs + electionTimeoutMs + 500,
    perLeaderChange: (checkpointIntervalMs + failoverMs) * (1 + drift),
    driftMs: ttlMs * drift,
  };
}

function firstStart({ renewals }: LeaseLife): number {
  return renewals[0]?.startMs ?? 0;
}

/** Of times in order. */
function between(timesMs: readonly number[], fromMs: number, toMs: number): readonly number[] {
  const from = timesMs.findIndex((timeMs) => timeMs >= fromMs);
  if (from < 0) return [];
  const to = timesMs.findLastIndex((timeMs) => timeMs <= toMs);
  return timesMs.slice(from, to + 1);
}
